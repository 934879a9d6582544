// A trial of any test: play buttons for everything heard, sliders or choices for the answer.

import { choices } from "./choices";
import { h, newId } from "./dom";
import type { Grades, Trial } from "./grades";
import { type Answer, clipsOf, type Kind, type Page, REFERENCE, type Study } from "./model";
import { onKeys, since } from "./keys";
import { taskText } from "./simple_pages";
import { sliders } from "./sliders";
import { BACK, loadAudio, mainButton, problemBox, show, silentBox, type View } from "./stage";
import { t } from "./texts";
import { waveform } from "./waveform";
import { written } from "./written";

// A little less than what has to be heard, for the rounding of clocks; the server allows the same.
const TOLERANCE_SECONDS = 0.05;
// Categories are given to whole recordings (P.800): only these repeat, and in parts.
const REPEATING = new Set<Kind>(["mushra", "mushra1s", "bs1116", "abx", "ab"]);
const ON_SLIDERS = new Set<Kind>(["mushra", "mushra1s", "bs1116"]);
// Beyond the ninth stimulus.
const LETTERS = "abc";

export const trial: View = async (stage, page, before) => {
  await loadAudio(stage, page);
  const { engine, study } = stage;
  const loops = study.listening.loop && REPEATING.has(page.kind);
  engine.repeat = loops;
  engine.startOver = study.listening.on_switch === "start_over" || !REPEATING.has(page.kind);
  const started = performance.now();
  const clips = clipsOf(page);
  const length = (position: number) => clips.get(position)!.samples / study.sample_rate;
  for (const entry of before && "heard" in before ? before.heard : []) {
    const heard = engine.heard.get(entry.position);
    if (!heard) continue;
    heard.plays = entry.plays;
    heard.add(0, Math.min(entry.seconds, length(entry.position)));
  }

  const heardEnough = (position: number) => {
    const needed = study.listening.minimum_share * length(position) - TOLERANCE_SECONDS;
    return (engine.heard.get(position)?.seconds ?? 0) >= needed;
  };
  const setting: Trial = {
    stage,
    page,
    started,
    names: namesOf(page),
    before,
    heardEnough,
    allHeard: () => [...clips.keys()].every(heardEnough),
    play: (position) => play(position),
  };
  // Where a recording may be heard so often and no more, it is heard from its start each time.
  const most = page.kind === "transcription" ? study.listening.most_plays : null;
  // What a hidden tab or a broken headphone cut short may be heard to its end all the same.
  const mayPlay = (position: number) =>
    most === null || (engine.heard.get(position)?.plays ?? 0) < most || !heardEnough(position);
  const play = (position: number) => {
    if (mayPlay(position)) engine.play(position);
  };

  const buttons = new Map<number, HTMLButtonElement>();
  const marks = new Map<number, HTMLElement>();
  for (const position of clips.keys()) {
    const name = setting.names.get(position)!;
    const button = h("button", { type: "button", class: "play", "aria-pressed": "false" }, name);
    button.addEventListener("click", () => {
      if (engine.playing && engine.active === position) {
        if (most === null) engine.pause();
      } else play(position);
    });
    buttons.set(position, button);
    marks.set(position, h("span", { class: "heard" }));
  }
  const rated = ON_SLIDERS.has(page.kind);
  const area = rated ? sliders : page.kind === "transcription" ? written : choices;
  const grades: Grades = area(setting, buttons, marks);
  const wave = waveform(engine, page.peaks, loops);
  const comment = study.comments
    ? h("textarea", { id: newId("comment"), rows: 1, maxlength: 4000 })
    : null;
  if (comment && before && "comment" in before) comment.value = before.comment;
  const problems = problemBox();
  const silent = silentBox(engine);
  const next = mainButton(t("save"));
  const back = stage.mayGoBack ? h("button", { type: "button", class: "back" }, t("back")) : null;

  let selected: number | null = null;
  const refresh = () => {
    if (engine.playing) selected = engine.active;
    for (const [position, button] of buttons) {
      const here = selected === position;
      button.setAttribute("aria-pressed", String(here && engine.playing));
      button.classList.toggle("selected", here);
      button.disabled = !engine.playing && !mayPlay(position);
      const enough = heardEnough(position);
      const share = Math.round((100 * (engine.heard.get(position)?.seconds ?? 0)) / length(position));
      const mark = marks.get(position)!;
      mark.textContent = enough ? `✓ ${t("heard_all")}` : t("heard_share", { share });
      mark.classList.toggle("enough", enough);
    }
    silent.refresh();
    wave.draw();
    grades.refresh();
  };
  engine.onchange = refresh;
  window.addEventListener("resize", () => wave.draw(), { signal: stage.signal });

  const several = loops ? "keys_text_pair" : clips.size > 1 ? "keys_text_plain" : "keys_text_one";
  const allKeys = t(rated ? "keys_text" : several);
  // The first of several parts is about the reference.
  const keys = page.reference ? allKeys : withoutReference(allKeys);
  // Open in the training, where the task is new; folded from then on.
  const help = h(
    "details",
    { class: "help", open: page.training },
    h("summary", {}, t("instructions")),
    h(
      "div",
      { class: "text" },
      h("p", { class: "task" }, taskText(stage)),
      h("p", { class: "keys" }, keys),
    ),
  );
  const heading = page.training
    ? t("trial_training")
    : t("trial", { k: page.trial, n: stage.plan.trials });
  show(
    stage.root,
    heading,
    help,
    wave.element,
    silent.element,
    grades.element,
    comment && h("div", { class: "field" }, h("label", { for: comment.id }, t("comment")), comment),
    problems.element,
  );
  stage.root.className = `page trial ${page.kind} many-${page.stimuli.length}`;
  stage.actions.replaceChildren(...(back ? [back] : []), next);
  refresh();

  onKeys(stage.signal, (key, event) => {
    if (key === "[" && loops) wave.markStart();
    else if (key === "]" && loops) wave.markEnd();
    else if (key === " ") toggle();
    else if (!grades.key(event)) {
      const position = positionOf(key, page);
      if (position !== null && clips.has(position)) play(position);
    }
  });
  function toggle(): void {
    if (engine.playing && most === null) engine.pause();
    else if (!engine.playing) play(selected ?? [...clips.keys()][0]!);
  }
  const given = () => ({ ...grades.answer(), ...rest() }) as Answer;
  const rest = () => ({
    heard: [...engine.heard].map(([position, each]) => ({
      position,
      plays: Math.min(each.plays, most ?? each.plays),
      seconds: Math.round(Math.min(each.seconds, length(position)) * 1e4) / 1e4,
    })),
    comment: comment?.value ?? "",
    total_ms: since(started),
  });
  const leave = () => {
    engine.onchange = () => {};
    engine.stop();
  };

  let warned = false;
  return new Promise((resolve) => {
    back?.addEventListener("click", () => {
      leave();
      resolve({ [BACK]: given() });
    });
    next.addEventListener("click", () => {
      const missing = [...clips.keys()]
        .filter((position) => !heardEnough(position))
        .map((position) => t("unheard", { name: setting.names.get(position)! }))
        .concat(grades.problems());
      if (!missing.length && !warned && lacksHundred(grades.answer(), study)) {
        warned = study.listening.require_hundred === "warn";
        missing.push(t(warned ? "no_hundred_warn" : "no_hundred"));
      }
      problems.say(missing);
      if (missing.length) {
        problems.element.scrollIntoView({ block: "nearest" });
        return;
      }
      leave();
      resolve(given());
    });
  });
};

function withoutReference(keys: string): string {
  const parts = keys.split(" · ");
  return (parts.length > 1 ? parts.slice(1) : parts).join(" · ");
}

function lacksHundred(answer: ReturnType<Grades["answer"]>, study: Study): boolean {
  if (answer.kind !== "mushra" || study.listening.require_hundred === "off") return false;
  return !("ratings" in answer && answer.ratings.some((each) => each.score === study.scale[1]));
}

function namesOf(page: Page): Map<number, string> {
  const names = new Map([[REFERENCE, t("reference")]]);
  page.stimuli.forEach((_, position) => {
    if (page.kind === "mushra") names.set(position, t("stimulus", { k: position + 1 }));
    else if (["acr", "effort", "mushra1s", "transcription"].includes(page.kind)) names.set(position, t("recording"));
    else if (page.kind === "dcr") names.set(position, t("second"));
    else if (page.kind === "ccr") names.set(position, t(position ? "second" : "first"));
    else names.set(position, "ABX"[position] ?? "");
  });
  return names;
}

function positionOf(key: string, page: Page): number | null {
  if (/^[0r]$/i.test(key)) return REFERENCE;
  if (/^[1-9]$/.test(key)) return Number(key) - 1;
  if (page.kind === "mushra") {
    const further = LETTERS.indexOf(key.toLowerCase());
    return further >= 0 ? 9 + further : null;
  }
  const letter = "abx".indexOf(key.toLowerCase());
  return letter >= 0 ? letter : null;
}
