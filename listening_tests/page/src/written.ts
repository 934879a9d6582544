// An answer that is written: the words that were understood, or that there were none.

import { h, newId } from "./dom";
import type { Grades, Trial } from "./grades";
import { players } from "./players";
import { t } from "./texts";

const LONGEST = 2000;

export function written(
  trial: Trial,
  buttons: Map<number, HTMLButtonElement>,
  marks: Map<number, HTMLElement>,
): Grades {
  const { stage, before } = trial;
  const text = h("textarea", {
    id: newId("written"),
    class: "written",
    rows: 3,
    maxlength: LONGEST,
    autocomplete: "off",
    autocapitalize: "off",
    spellcheck: "false",
  });
  const none = h("input", { type: "checkbox" });
  if (before && "text" in before) {
    text.value = before.text;
    none.checked = before.text === "";
  }
  none.addEventListener("change", () => {
    if (none.checked) text.value = "";
  });
  text.addEventListener("input", () => {
    if (text.value) none.checked = false;
  });
  const left = h("p", { class: "soft", role: "status" });
  const fields = h(
    "fieldset",
    { class: "options transcription" },
    h("legend", {}, h("label", { for: text.id }, t("write_words"))),
    text,
    h("label", { class: "check" }, none, h("span", {}, t("understood_nothing"))),
  );
  const element = h(
    "div",
    { class: "pair" },
    players(buttons, marks),
    left,
    fields,
  );
  const most = stage.study.listening.most_plays;

  return {
    element,
    refresh() {
      fields.disabled = stage.study.listening.rate_only_what_plays && !trial.allHeard();
      if (most === null) return;
      const played = stage.engine.heard.get(0)?.plays ?? 0;
      const said = t("plays_left", { count: Math.max(0, most - played) });
      if (left.textContent !== said) left.textContent = said;
    },
    problems: () => (text.value.trim() || none.checked ? [] : [t("words_needed")]),
    key: () => false,
    answer: () => ({ kind: "transcription", text: text.value.trim() }),
  };
}
