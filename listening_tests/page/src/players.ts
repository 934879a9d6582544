// Play buttons side by side, each over the word that says how much of its recording was heard.

import { h } from "./dom";

export function player(button: HTMLButtonElement, mark: HTMLElement | undefined): HTMLElement {
  return h("div", { class: "player" }, button, mark);
}

export function players(
  buttons: Map<number, HTMLButtonElement>,
  marks: Map<number, HTMLElement>,
): HTMLElement {
  const all = [...buttons].map(([position, button]) => player(button, marks.get(position)));
  return h("div", { class: "row players" }, ...all);
}
