// A trial of any test: play buttons for everything heard, sliders or choices for the answer.

import { h, newId } from "./dom";
import { type Answer, type ChoiceKind, clipsOf, type Page, type RatedKind, REFERENCE } from "./model";
import { choices } from "./choices";
import { sliders } from "./sliders";
import { onKeys, since, taskText } from "./simple_pages";
import { loadAudio, mainButton, problemBox, show, type Stage, type View } from "./stage";
import { t } from "./texts";
import { waveform } from "./waveform";

// A little less than what has to be heard, for the rounding of clocks; the server allows the same.
const TOLERANCE_SECONDS = 0.05;
const REPEATING = new Set(["mushra", "bs1116", "abx", "ab"]);

// What the answer area of a trial has to offer.
export interface Grades {
  element: HTMLElement;
  // Reasons why it is not complete yet.
  problems: () => string[];
  // What may be answered now: called whenever something was heard or switched.
  refresh: () => void;
  // A key that was pressed; true if it was of use.
  key: (event: KeyboardEvent) => boolean;
  answer: () =>
    | { kind: RatedKind; ratings: { position: number; score: number; first_touch_ms: number }[] }
    | { kind: ChoiceKind; choice: 0 | 1 | null };
}

export interface Trial {
  stage: Stage;
  page: Page;
  started: number;
  names: Map<number, string>;
  heardEnough: (position: number) => boolean;
  allHeard: () => boolean;
  play: (position: number) => void;
}

export const trial: View = async (stage, page) => {
  await loadAudio(stage, page);
  const { engine, study } = stage;
  engine.repeat = study.listening.loop && REPEATING.has(page.kind);
  // Categories are given to whole recordings (P.800), so those always start anew.
  engine.startOver = study.listening.on_switch === "start_over" || !REPEATING.has(page.kind);
  const started = performance.now();
  const clips = clipsOf(page);

  const heardShare = (position: number) =>
    (engine.heard.get(position)?.seconds ?? 0) / (clips.get(position)!.samples / study.sample_rate);
  const heardEnough = (position: number) => {
    const seconds = clips.get(position)!.samples / study.sample_rate;
    const needed = study.listening.minimum_share * seconds - TOLERANCE_SECONDS;
    return (engine.heard.get(position)?.seconds ?? 0) >= needed;
  };
  const setting: Trial = {
    stage,
    page,
    started,
    names: namesOf(page),
    heardEnough,
    allHeard: () => [...clips.keys()].every(heardEnough),
    play: (position) => engine.play(position),
  };

  const buttons = new Map<number, HTMLButtonElement>();
  const marks = new Map<number, HTMLElement>();
  for (const position of clips.keys()) {
    const name = setting.names.get(position)!;
    const button = h("button", { type: "button", class: "play", "aria-pressed": "false" }, name);
    button.addEventListener("click", () => {
      if (engine.playing && engine.active === position) engine.pause();
      else engine.play(position);
    });
    buttons.set(position, button);
    marks.set(position, h("span", { class: "heard" }));
  }
  const rated = page.kind === "mushra" || page.kind === "bs1116";
  const grades = rated ? sliders(setting, buttons, marks) : choices(setting, buttons, marks);
  const wave = waveform(engine, page.peaks, study.listening.loop);
  const problems = problemBox();
  const comment = study.comments ? h("textarea", { id: newId("comment"), rows: 2, maxlength: 4000 }) : null;
  const next = mainButton(t("save"));
  const silent = h("p", { class: "warning", role: "status" });
  const keys = t(page.kind === "mushra" || page.kind === "bs1116" ? "keys_text" : "keys_text_pair");

  let selected: number | null = null;
  const refresh = () => {
    if (engine.playing) selected = engine.active;
    for (const [position, button] of buttons) {
      const here = selected === position;
      button.setAttribute("aria-pressed", String(here && engine.playing));
      button.classList.toggle("selected", here);
      const enough = heardEnough(position);
      const share = Math.round(100 * heardShare(position));
      const mark = marks.get(position)!;
      mark.textContent = enough ? `✓ ${t("heard_all")}` : t("heard_share", { share });
      mark.classList.toggle("enough", enough);
    }
    silent.textContent = engine.playing && engine.contextState !== "running" ? t("audio_off") : "";
    wave.draw();
    grades.refresh();
  };
  engine.onchange = refresh;
  window.addEventListener("resize", () => wave.draw(), { signal: stage.signal });

  const heading = page.training
    ? t("trial_training")
    : t("trial", { k: page.trial, n: stage.plan.trials });
  show(
    stage.root,
    heading,
    h("p", { class: "task" }, taskText(stage)),
    wave.element,
    silent,
    grades.element,
    comment && h("div", { class: "field" }, h("label", { for: comment.id }, t("comment")), comment),
    h("details", { class: "keys" }, h("summary", {}, t("keys")), h("p", {}, keys)),
    problems.element,
    next,
  );
  refresh();

  onKeys(stage.signal, (key, event) => {
    if (key === "[" && study.listening.loop) wave.markStart();
    else if (key === "]" && study.listening.loop) wave.markEnd();
    else if (key === " ") toggle();
    else if (!grades.key(event)) {
      const position = positionOf(key, page);
      if (position !== null && clips.has(position)) engine.play(position);
    }
  });
  function toggle(): void {
    if (engine.playing) engine.pause();
    else engine.play(selected ?? [...clips.keys()][0]!);
  }

  let warned = false;
  return new Promise<Answer>((resolve) => {
    next.addEventListener("click", () => {
      const missing = [...clips.keys()]
        .filter((position) => !heardEnough(position))
        .map((position) => t("unheard", { name: setting.names.get(position)! }))
        .concat(grades.problems());
      const answer = grades.answer();
      if (!missing.length && !warned && lacksHundred(answer, study)) {
        warned = study.listening.require_hundred === "warn";
        missing.push(t(warned ? "no_hundred_warn" : "no_hundred"));
      }
      problems.say(missing);
      if (missing.length) return;
      engine.onchange = () => {};
      engine.stop();
      const heard = [...engine.heard].map(([position, each]) => ({
        position,
        plays: each.plays,
        seconds: Math.round(each.seconds * 1e4) / 1e4,
      }));
      const rest = { heard, comment: comment?.value ?? "", total_ms: since(started) };
      resolve({ ...answer, ...rest } as Answer);
    });
  });
};

function lacksHundred(answer: ReturnType<Grades["answer"]>, study: Stage["study"]): boolean {
  if (answer.kind !== "mushra" || study.listening.require_hundred === "off") return false;
  return !("ratings" in answer && answer.ratings.some((each) => each.score === study.scale[1]));
}

function namesOf(page: Page): Map<number, string> {
  const names = new Map([[REFERENCE, t("reference")]]);
  page.stimuli.forEach((_, position) => {
    if (page.kind === "mushra") names.set(position, t("stimulus", { k: position + 1 }));
    else if (page.kind === "acr") names.set(position, t("recording"));
    else if (page.kind === "dcr") names.set(position, t("second"));
    else if (page.kind === "ccr") names.set(position, t(position ? "second" : "first"));
    else names.set(position, "ABX"[position] ?? "");
  });
  return names;
}

function positionOf(key: string, page: Page): number | null {
  if (/^[0r]$/i.test(key)) return REFERENCE;
  if (/^[1-9]$/.test(key)) return Number(key) - 1;
  const letter = "abx".indexOf(key.toLowerCase());
  return letter >= 0 && page.kind !== "mushra" ? letter : null;
}
