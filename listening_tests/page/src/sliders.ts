// Grades on a continuous scale: one slider for each stimulus, without a handle until it is touched.

import { h } from "./dom";
import type { Grades, Trial } from "./grades";
import { REFERENCE, type RatedKind } from "./model";
import { since } from "./keys";
import { player } from "./players";
import { Slider } from "./slider";
import { currentLanguage, type Key, t } from "./texts";

const WORDS = 5;

interface Strip {
  position: number;
  slider: Slider;
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
  const kind = page.kind as RatedKind;
  const points = kind === "bs1116";
  const decimals = study.scale_step < 1 ? 1 : 0;
  const shown = (score: number) =>
    score.toLocaleString(currentLanguage(), {
      minimumFractionDigits: decimals,
      maximumFractionDigits: decimals,
    });
  const name = (k: number) => t(`${points ? "bs1116" : "mushra"}_${k}` as Key);

  // BS.1116 names its whole numbers, MUSHRA its five intervals.
  const words = (score: number) => {
    if (!points) {
      const interval = Math.floor(((score - low) / (high - low)) * WORDS);
      return name(Math.min(WORDS - 1, interval) + 1);
    }
    const below = Math.floor(score + 1e-9);
    if (score - below < 1e-6) return name(below);
    return t("between", { a: name(below + 1), b: name(below) });
  };

  const all = page.stimuli.map((_, position): Strip => {
    const label = trial.names.get(position)!;
    const slider = new Slider({ label, low, high, step: study.scale_step, words, shown });
    const output = h("output", { "aria-hidden": "true" }, "–");
    const strip: Strip = { position, slider, output, touched: null };
    slider.onchange = () => {
      strip.touched ??= since(trial.started);
      output.textContent = shown(slider.value!);
    };
    return strip;
  });
  restore(trial, all);

  const labels = Array.from({ length: WORDS }, (_, k) =>
    h("span", {}, points ? `${shown(high - k)} ${name(WORDS - k)}` : name(WORDS - k)),
  );
  const parts = points ? WORDS - 1 : WORDS;
  const numbers = Array.from({ length: parts + 1 }, (_, k) =>
    h("span", {}, shown(high - (k * (high - low)) / parts)),
  );
  const strips = all.map(({ position, slider, output }) => {
    const button = buttons.get(position)!;
    // A narrow column has room for the number alone.
    if (!points) {
      button.setAttribute("aria-label", trial.names.get(position)!);
      button.textContent = String(position + 1);
    }
    return h(
      "div",
      { class: "strip" },
      player(button, marks.get(position)),
      h("div", { class: "fader" }, slider.element),
      output,
    );
  });
  const reference = buttons.get(REFERENCE);
  const element = h(
    "div",
    { class: `board ${points ? "points" : "bands"}`, role: "group", "aria-label": t("your_answer") },
    h(
      "div",
      { class: "strip left" },
      reference ? player(reference, marks.get(REFERENCE)) : null,
      h(
        "div",
        { class: "scale", "aria-hidden": "true" },
        h("div", { class: "words" }, ...labels),
        h("div", { class: "numbers" }, ...numbers),
      ),
    ),
    ...strips,
  );
  window.addEventListener("resize", () => all.forEach((each) => each.slider.draw()), {
    signal: stage.signal,
  });

  let selected: number | null = null;
  return {
    element,
    refresh() {
      if (engine.playing) selected = engine.active;
      for (const { position, slider } of all) {
        slider.disabled = study.listening.rate_only_what_plays && position !== selected;
        slider.element.closest(".strip")!.classList.toggle("open", position === selected);
      }
    },
    problems() {
      const missing = all
        .filter((each) => each.touched === null)
        .map((each) => t("unrated", { name: trial.names.get(each.position)! }));
      if (!missing.length && points && !all.some((each) => each.slider.value === high)) {
        missing.push(t("no_top_grade"));
      }
      return missing;
    },
    key(event) {
      // Of a slider that has the focus the slider itself has taken its keys already.
      if (!/^(Arrow|Page|Home|End)/.test(event.key)) return false;
      const strip = all.find((each) => each.position === selected);
      if (!strip?.slider.key(event)) return false;
      event.preventDefault();
      strip.slider.element.focus({ preventScroll: true });
      return true;
    },
    answer() {
      const ratings = all.flatMap(({ position, slider, touched }) =>
        slider.value === null || touched === null
          ? []
          : [{ position, score: slider.value, first_touch_ms: touched }],
      );
      return { kind, ratings };
    },
  };
}

function restore(trial: Trial, all: Strip[]): void {
  const before = trial.before;
  if (!before || !("ratings" in before)) return;
  for (const rating of before.ratings) {
    const strip = all[rating.position];
    strip?.slider.set(rating.score);
    if (strip) strip.touched = rating.first_touch_ms;
  }
}
