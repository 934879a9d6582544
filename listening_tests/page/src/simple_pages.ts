// Pages without grades: questionnaire, headphones, volume, instructions, beeps, break.

import { h, newId, paragraphs } from "./dom";
import { onKeys, since } from "./keys";
import type { Answer, Kind, Question } from "./model";
import { digits, environment } from "./qualification";
import {
  loadAudio,
  mainButton,
  pressed,
  problemBox,
  show,
  silentBox,
  type Stage,
  type View,
} from "./stage";
import { type Key, local, t } from "./texts";

const QUIETEST_DB = -40;

async function seen(
  stage: Stage,
  kind: "instructions" | "break",
  title: string,
  text: string,
): Promise<Answer> {
  const started = performance.now();
  const next = mainButton(t("next"));
  show(stage.root, title, ...paragraphs(text), next);
  await pressed(next);
  return { kind, total_ms: since(started) };
}

const pause: View = (stage) => seen(stage, "break", t("break_title"), t("break_text"));

const instructions: View = (stage) => {
  const { study } = stage;
  const text = [taskText(stage), t("task_listen")];
  if (stage.plan.pages.some((page) => page.training)) text.push(t("training_text"));
  text.push(local(study.instructions));
  return seen(stage, "instructions", t("training_title"), text.join("\n"));
};

export function taskText(stage: Stage): string {
  const { test } = stage.study;
  const shown = stage.plan.pages.some((page) => page.kind === "ab" && page.reference);
  const name = test === "ab" && shown ? "task_ab_reference" : `task_${test}`;
  return t(name as Key) + (stage.study.traps ? ` ${t("task_traps")}` : "");
}

const questionnaire: View = (stage) => {
  const started = performance.now();
  const fields = stage.study.questionnaire.map(field);
  const problems = problemBox();
  const next = mainButton(t("save"));
  const form = h("form", { novalidate: true }, ...fields.map((each) => each.element));
  show(stage.root, t("questionnaire_title"), form, problems.element, next);
  return new Promise((resolve) => {
    const submit = (event: Event) => {
      event.preventDefault();
      const wrong = fields.flatMap((each) => each.problem() ?? []);
      problems.say(wrong);
      if (wrong.length) return;
      const values = Object.fromEntries(fields.map((each) => [each.name, each.value()]));
      resolve({ kind: "questionnaire", values, total_ms: since(started) });
    };
    form.addEventListener("submit", submit, { signal: stage.signal });
    next.addEventListener("click", submit, { signal: stage.signal });
  });
};

interface Field {
  name: string;
  element: HTMLElement;
  value: () => string | number | null;
  problem: () => string | null;
}

function field(question: Question): Field {
  const id = newId("question");
  const label = local(question.label);
  const input = control(question, id);
  const number = question.type === "number" || question.type === "choice";
  const value = () => {
    const text = input.value.trim();
    if (!text) return null;
    return number ? Number(text.replace(",", ".")) : input.value;
  };
  return {
    name: question.name,
    element: h(
      "div",
      { class: "field" },
      h("label", { for: id }, label + (question.optional ? ` (${t("optional")})` : "")),
      input,
    ),
    value,
    problem() {
      const given = value();
      if (given === null) return question.optional ? null : t("incomplete", { name: label });
      if (question.type !== "number") return null;
      const low = question.minimum ?? Number.NEGATIVE_INFINITY;
      const high = question.maximum ?? Number.POSITIVE_INFINITY;
      const fine = typeof given === "number" && given >= low && given <= high;
      return fine ? null : t("out_of_range", { name: label });
    },
  };
}

function control(
  question: Question,
  id: string,
): HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement {
  const required = question.optional ? null : "true";
  if (question.type === "choice") {
    return h(
      "select",
      { id, "aria-required": required },
      h("option", { value: "" }, t("choose")),
      ...question.choices.map((choice, place) => h("option", { value: place }, local(choice))),
    );
  }
  if (question.type === "long_text") {
    return h("textarea", { id, rows: 4, maxlength: 4000, "aria-required": required });
  }
  const inputmode = question.type === "number" ? "decimal" : null;
  return h("input", { id, type: "text", inputmode, maxlength: 4000, "aria-required": required });
}

const headphones: View = async (stage, page) => {
  await loadAudio(stage, page);
  const started = performance.now();
  const { engine } = stage;
  const choices: number[] = [];
  engine.repeat = false;
  for (let k = 0; k < page.stimuli.length; k++) {
    const play = h("button", { type: "button", class: "play" }, t("play"));
    play.addEventListener("click", () => engine.play(k));
    const tones = [0, 1, 2].map((tone) =>
      h("button", { type: "button", class: "choice", disabled: true }, t("tone", { k: tone + 1 })),
    );
    show(
      stage.root,
      t("headphones_title"),
      h("p", {}, t("headphones_text")),
      h("p", { class: "count" }, t("headphones_trial", { k: k + 1, n: page.stimuli.length })),
      h("div", { class: "row" }, play),
      h("div", { class: "row", role: "group", "aria-label": t("your_answer") }, ...tones),
    );
    const silent = silentBox(engine);
    stage.root.append(silent.element);
    const step = new AbortController();
    engine.onchange = () => {
      silent.refresh();
      const share = (engine.heard.get(k)?.seconds ?? 0) / engine.duration;
      for (const tone of tones) tone.disabled = share < 0.9;
    };
    choices.push(
      await new Promise<number>((resolve) => {
        const options = { signal: step.signal };
        tones.forEach((tone, place) => {
          tone.addEventListener("click", () => resolve(place), options);
        });
        onKeys(step.signal, (key) => {
          if (key === " ") engine.play(k);
          const tone = tones[Number(key) - 1];
          if (tone && !tone.disabled) tone.click();
        });
      }),
    );
    step.abort();
    engine.stop();
  }
  engine.onchange = () => {};
  return { kind: "headphones", choices, attempt: 1, total_ms: since(started) };
};

const volume: View = async (stage, page) => {
  await loadAudio(stage, page);
  const started = performance.now();
  const { engine } = stage;
  engine.repeat = true;
  const id = newId("volume");
  let level = -12;
  const slider = h("input", { id, type: "range", min: QUIETEST_DB, max: 0, step: 1, value: level });
  const play = h("button", { type: "button", class: "play" }, t("play"));
  const next = mainButton(t("next"));
  const apply = () => {
    level = Number(slider.value);
    slider.setAttribute("aria-valuetext", `${level} dB`);
    engine.setVolume(level);
  };
  apply();
  slider.addEventListener("input", apply);
  const toggle = () => (engine.playing ? engine.pause() : engine.play(0));
  play.addEventListener("click", toggle);
  onKeys(stage.signal, (key) => {
    if (key === " ") toggle();
  });
  const silent = silentBox(engine);
  engine.onchange = () => {
    silent.refresh();
    play.setAttribute("aria-pressed", String(engine.playing));
    play.textContent = t(engine.playing ? "pause" : "play");
    next.disabled = (engine.heard.get(0)?.plays ?? 0) === 0;
  };
  show(
    stage.root,
    t("volume_title"),
    h("p", {}, t("volume_text")),
    h("div", { class: "row" }, play),
    h("div", { class: "field" }, h("label", { for: id }, t("volume")), slider),
    silent.element,
    next,
  );
  next.disabled = true;
  await pressed(next);
  engine.onchange = () => {};
  engine.stop();
  return { kind: "volume", gain_db: level, total_ms: since(started) };
};

const attention: View = async (stage, page) => {
  await loadAudio(stage, page);
  const started = performance.now();
  const { engine } = stage;
  engine.repeat = false;
  const play = h("button", { type: "button", class: "play" }, t("play"));
  play.addEventListener("click", () => engine.play(0));
  const counts = [1, 2, 3, 4, 5, 6].map((count) =>
    h("button", { type: "button", class: "choice", disabled: true }, String(count)),
  );
  show(
    stage.root,
    t("attention_title"),
    h("p", {}, t("attention_text")),
    h("div", { class: "row" }, play),
    h("div", { class: "row", role: "group", "aria-label": t("your_answer") }, ...counts),
  );
  const silent = silentBox(engine);
  stage.root.append(silent.element);
  engine.onchange = () => {
    silent.refresh();
    const share = (engine.heard.get(0)?.seconds ?? 0) / engine.duration;
    for (const button of counts) button.disabled = share < 0.9;
  };
  const count = await new Promise<number>((resolve) => {
    counts.forEach((button, place) => {
      button.addEventListener("click", () => resolve(place + 1));
    });
    onKeys(stage.signal, (key) => {
      if (key === " ") engine.play(0);
      const button = counts[Number(key) - 1];
      if (button && !button.disabled) button.click();
    });
  });
  engine.onchange = () => {};
  engine.stop();
  return { kind: "attention", count, total_ms: since(started) };
};

export const simplePages: Partial<Record<Kind, View>> = {
  questionnaire,
  headphones,
  environment,
  digits,
  volume,
  instructions,
  attention,
  break: pause,
};
