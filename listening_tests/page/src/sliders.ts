// Grades on a continuous scale: one slider for each stimulus, without a handle until it is touched.

import { h } from "./dom";
import { REFERENCE, type RatedKind } from "./model";
import { since } from "./simple_pages";
import { type Key, t } from "./texts";
import type { Grades, Trial } from "./trial";

const INTERVALS = 5;

interface Slider {
  position: number;
  input: HTMLInputElement;
  output: HTMLOutputElement;
  touched: number | null;
}

export function sliders(
  trial: Trial,
  buttons: Map<number, HTMLButtonElement>,
  marks: Map<number, HTMLElement>,
): Grades {
  const { stage, page } = trial;
  const { engine, study } = stage;
  const [low, high] = study.scale;
  const step = study.scale_step;
  const digits = step < 1 ? 1 : 0;
  const kind = page.kind as RatedKind;

  const word = (score: number) => {
    const place = Math.min(INTERVALS - 1, Math.floor(((score - low) / (high - low)) * INTERVALS));
    // BS.1116 names its whole numbers, MUSHRA its five intervals.
    return t(`${kind}_${kind === "bs1116" ? Math.round(score) : place + 1}` as Key);
  };

  const show = (slider: Slider) => {
    const rated = slider.touched !== null;
    const score = Number(slider.input.value);
    slider.input.classList.toggle("unrated", !rated);
    slider.output.textContent = rated ? score.toFixed(digits) : "–";
    const text = rated ? `${score.toFixed(digits)}, ${word(score)}` : t("not_rated");
    slider.input.setAttribute("aria-valuetext", text);
  };
  const touch = (slider: Slider) => {
    slider.touched ??= since(trial.started);
    show(slider);
  };

  const all = page.stimuli.map((_, position): Slider => {
    const name = trial.names.get(position)!;
    const input = h("input", {
      type: "range",
      min: low,
      max: high,
      step,
      value: (low + high) / 2,
      "aria-label": name,
    });
    const slider = { position, input, output: h("output", { "aria-hidden": "true" }), touched: null };
    // A press that leaves the value where it was is a grade too.
    for (const event of ["input", "change", "pointerup"]) {
      input.addEventListener(event, () => {
        if (!input.disabled) touch(slider);
      });
    }
    input.addEventListener("keydown", (event) => {
      if (/^(Home|End|PageUp|PageDown|Enter)$/.test(event.key)) touch(slider);
    });
    show(slider);
    return slider;
  });

  let selected: number | null = null;
  const move = (slider: Slider, amount: number) => {
    if (slider.input.disabled) return;
    const value = Number(slider.input.value) + amount;
    slider.input.value = String(Math.min(high, Math.max(low, value)));
    touch(slider);
  };

  const labels = Array.from({ length: INTERVALS }, (_, k) =>
    h("span", {}, t(`${kind}_${INTERVALS - k}` as Key)),
  );
  const strips = all.map(({ position, input, output }) => {
    const button = buttons.get(position)!;
    // A narrow column has room for the number alone.
    if (kind === "mushra") {
      button.setAttribute("aria-label", trial.names.get(position)!);
      button.textContent = String(position + 1);
    }
    return h(
      "div",
      { class: "strip" },
      button,
      h("div", { class: "fader" }, input),
      output,
      marks.get(position),
    );
  });
  const board = h(
    "div",
    { class: "board", role: "group", "aria-label": t("your_answer") },
    h(
      "div",
      { class: "strip left" },
      buttons.get(REFERENCE),
      h("div", { class: "scale" }, ...labels),
      marks.get(REFERENCE),
    ),
    ...strips,
  );

  return {
    element: board,
    refresh() {
      if (engine.playing) selected = engine.active;
      for (const slider of all) {
        const open = !study.listening.rate_only_what_plays || slider.position === selected;
        if (slider.input.disabled === open) slider.input.disabled = !open;
        slider.input.closest(".strip")!.classList.toggle("open", slider.position === selected);
      }
    },
    problems() {
      const missing = all
        .filter((slider) => slider.touched === null)
        .map((slider) => t("unrated", { name: trial.names.get(slider.position)! }));
      if (!missing.length && kind === "bs1116") {
        if (!all.some((slider) => Number(slider.input.value) === high)) {
          missing.push(t("no_hidden_reference"));
        }
      }
      return missing;
    },
    key(event) {
      const direction = { ArrowUp: 1, ArrowRight: 1, ArrowDown: -1, ArrowLeft: -1 }[event.key];
      if (!direction) return false;
      const slider =
        all.find((each) => each.input === document.activeElement) ??
        all.find((each) => each.position === selected);
      if (!slider) return false;
      event.preventDefault();
      slider.input.focus();
      move(slider, direction * step * (event.shiftKey ? 10 : 1));
      return true;
    },
    answer() {
      const ratings = all.flatMap((slider) =>
        slider.touched === null
          ? []
          : [
              {
                position: slider.position,
                score: Number(Number(slider.input.value).toFixed(digits)),
                first_touch_ms: slider.touched,
              },
            ],
      );
      return { kind, ratings };
    },
  };
}
