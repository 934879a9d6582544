// Answers that are chosen: which one X is, which one is preferred, a category, a comparison.

import { h, newId } from "./dom";
import type { Grades, Trial } from "./grades";
import type { ChoiceKind, RatedKind } from "./model";
import { since } from "./keys";
import { players } from "./players";
import { type Key, t } from "./texts";

interface Option {
  label: string;
  value: number | null;
}

export function choices(
  trial: Trial,
  buttons: Map<number, HTMLButtonElement>,
  marks: Map<number, HTMLElement>,
): Grades {
  const { page, stage } = trial;
  const options = optionsOf(trial);
  const group = newId("answer");
  let chosen: Option | null = null;
  let touched = 0;
  const inputs = options.map((option) => {
    const input = h("input", { type: "radio", name: group });
    input.addEventListener("change", () => {
      if (!chosen) touched = since(trial.started);
      chosen = option;
    });
    if (option === wasChosen(trial, options)) {
      input.checked = true;
      chosen = option;
    }
    return { input, label: h("label", { class: "option" }, input, h("span", {}, option.label)) };
  });
  const answers = h(
    "fieldset",
    { class: `options ${page.kind}` },
    h("legend", {}, t("your_answer")),
    ...inputs.map((each) => each.label),
  );
  const element = h(
    "div",
    { class: "pair" },
    players(buttons, marks),
    answers,
  );

  return {
    element,
    refresh() {
      answers.disabled = stage.study.listening.rate_only_what_plays && !trial.allHeard();
    },
    problems: () => (chosen ? [] : [t("answer_needed")]),
    key: () => false,
    answer() {
      const value = chosen?.value ?? null;
      if (page.kind === "abx" || page.kind === "ab") {
        return { kind: page.kind as ChoiceKind, choice: value as 0 | 1 | null };
      }
      const position = page.kind === "ccr" ? 1 : 0;
      const rating = { position, score: value ?? Number.NaN, first_touch_ms: touched };
      return { kind: page.kind as RatedKind, ratings: chosen ? [rating] : [] };
    },
  };
}

function wasChosen(trial: Trial, options: Option[]): Option | undefined {
  const before = trial.before;
  if (!before) return undefined;
  if ("choice" in before) return options.find((option) => option.value === before.choice);
  if ("ratings" in before && before.ratings.length) {
    return options.find((option) => option.value === before.ratings[0]!.score);
  }
  return undefined;
}

function optionsOf(trial: Trial): Option[] {
  const { page, stage } = trial;
  if (page.kind === "abx") {
    return ["A", "B"].map((name, value) => ({ label: t("x_is", { name }), value }));
  }
  if (page.kind === "ab") {
    const pair = ["A", "B"].map((name, value): Option => ({ label: name, value }));
    const neither: Option = { label: t("no_preference"), value: null };
    return stage.study.no_preference ? [pair[0]!, neither, pair[1]!] : pair;
  }
  const [low, high] = stage.study.scale;
  const scores = Array.from({ length: high - low + 1 }, (_, k) => high - k);
  return scores.map((score) => ({
    label: categoryLabel(page.kind, score),
    value: score,
  }));
}

function categoryLabel(kind: string, score: number): string {
  const word = t(`${kind}_${score < 0 ? `m${-score}` : score}` as Key);
  const sign = kind === "ccr" && score > 0 ? "+" : "";
  return `${sign}${score} · ${word}`.replace("-", "−");
}
