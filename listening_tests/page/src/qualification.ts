// Checks before the trials: quiet surroundings, and digits in noise.

import { h, newId } from "./dom";
import { loadAudio, mainButton, pressed, show, silentBox, type View } from "./stage";
import { onKeys, since } from "./keys";
import { t } from "./texts";

// Of a sound that has to be heard before it can be answered.
const ENOUGH = 0.85;

// Pairs of recordings, one of them with a faint noise.
export const environment: View = async (stage, page) => {
  await loadAudio(stage, page);
  const started = performance.now();
  const { engine } = stage;
  engine.repeat = false;
  engine.startOver = true;
  const pairs = page.stimuli.length / 2;
  const choices: number[] = [];
  for (let k = 0; k < pairs; k++) {
    const places = [2 * k, 2 * k + 1];
    const plays = places.map((place, side) => {
      const label = t(side ? "second" : "first");
      const button = h("button", { type: "button", class: "play" }, label);
      button.addEventListener("click", () => engine.play(place));
      return button;
    });
    const words = [t("first_clearer"), t("second_clearer"), t("no_difference")];
    const options = words.map((text) =>
      h("button", { type: "button", class: "choice", disabled: true }, text),
    );
    const silent = silentBox(engine);
    show(
      stage.root,
      t("environment_title"),
      h("p", {}, t("environment_text")),
      h("p", { class: "count" }, t("headphones_trial", { k: k + 1, n: pairs })),
      h("div", { class: "row" }, ...plays),
      h("div", { class: "row", role: "group", "aria-label": t("your_answer") }, ...options),
      silent.element,
    );
    const heard = (place: number) =>
      (engine.heard.get(place)?.seconds ?? 0) / (page.stimuli[place]!.samples / stage.study.sample_rate);
    engine.onchange = () => {
      silent.refresh();
      plays.forEach((button, side) => {
        const here = engine.playing && engine.active === places[side];
        button.setAttribute("aria-pressed", String(here));
      });
      for (const option of options) option.disabled = places.some((place) => heard(place) < ENOUGH);
    };
    const step = new AbortController();
    choices.push(
      await new Promise<number>((resolve) => {
        options.forEach((option, place) => {
          option.addEventListener("click", () => resolve(place));
        });
        onKeys(step.signal, (key) => {
          const side = "12".indexOf(key);
          if (key.length === 1 && side >= 0) plays[side]!.click();
        });
      }),
    );
    step.abort();
    engine.stop();
  }
  engine.onchange = () => {};
  engine.startOver = false;
  return { kind: "environment", choices, attempt: 1, total_ms: since(started) };
};

// Three digits in noise, each sound once.
export const digits: View = async (stage, page) => {
  await loadAudio(stage, page);
  const started = performance.now();
  const { engine } = stage;
  const given: string[] = [];
  engine.repeat = false;
  for (let k = 0; k < page.stimuli.length; k++) {
    const play = h("button", { type: "button", class: "play" }, t("play"));
    const input = h("input", {
      id: newId("digits"),
      class: "digits",
      type: "text",
      inputmode: "numeric",
      pattern: "[0-9]*",
      maxlength: 3,
      autocomplete: "off",
      disabled: true,
    });
    const next = mainButton(t("next"));
    next.disabled = true;
    const silent = silentBox(engine);
    show(
      stage.root,
      t("digits_title"),
      h("p", {}, t("digits_text")),
      h("p", { class: "count" }, t("headphones_trial", { k: k + 1, n: page.stimuli.length })),
      h("div", { class: "row" }, play),
      h("div", { class: "field" }, h("label", { for: input.id }, t("digits_label")), input),
      silent.element,
      next,
    );
    const seconds = page.stimuli[k]!.samples / stage.study.sample_rate;
    play.addEventListener("click", () => engine.play(k));
    engine.onchange = () => {
      silent.refresh();
      const heard = (engine.heard.get(k)?.seconds ?? 0) / seconds >= ENOUGH;
      // Once, unless something cut it short.
      play.disabled = engine.playing || heard;
      next.disabled = !heard;
      if (heard && input.disabled) {
        input.disabled = false;
        input.focus();
      }
    };
    const check = () => {
      input.value = input.value.replace(/\D/g, "");
    };
    input.addEventListener("input", check);
    input.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !next.disabled) next.click();
    });
    const step = new AbortController();
    onKeys(step.signal, (key) => {
      if (key === " " && !play.disabled) play.click();
    });
    await pressed(next);
    step.abort();
    given.push(input.value);
    engine.stop();
  }
  engine.onchange = () => {};
  return { kind: "digits", written: given, attempt: 1, total_ms: since(started) };
};
