// What stands around every page: progress above, saved state and buttons below.

import type { Backend } from "./backend";
import { h } from "./dom";
import type { Engine } from "./engine";
import type { Outbox } from "./outbox";
import { local, t } from "./texts";

export interface Shell {
  element: HTMLElement;
  body: HTMLElement;
  // Buttons of a trial, which always stay in view.
  actions: HTMLElement;
  progress: (share: number) => void;
  // Nothing is left to do but to read.
  end: () => void;
}

export interface ShellActions {
  download: () => void;
  withdraw: () => void;
}

export function shell(
  backend: Backend,
  code: string,
  outbox: Outbox,
  engine: Engine,
  act: ShellActions,
): Shell {
  const title = local(backend.study.title);
  const bar = h("progress", { "aria-label": title, max: 1, value: 0 });
  const body = h("div", { class: "page card" });
  const actions = h("div", { class: "actions" });
  const state = h("span", { role: "status", class: "state" });
  const save = h("button", { type: "button", class: "quiet" }, t("download"));
  save.addEventListener("click", act.download);
  const leave = h("button", { type: "button", class: "quiet" }, t("withdraw"));
  const question = withdrawal(engine, leave, act.withdraw);
  outbox.onchange = () => {
    const reason = outbox.problems.join(", ");
    state.textContent = t(`state_${outbox.state}`, { reason });
    state.dataset["state"] = outbox.state;
  };
  const foot = h(
    "footer",
    {},
    h("div", { class: "inside" }, state, h("span", { class: "code" }, code), save, leave, actions),
    question,
  );
  const element = h(
    "div",
    { class: "shell" },
    h(
      "header",
      { class: "top" },
      h("div", { class: "inside" }, h("span", { class: "study" }, title), bar),
    ),
    body,
    foot,
  );
  return {
    element,
    body,
    actions,
    progress(share) {
      bar.value = share;
    },
    end: () => foot.remove(),
  };
}

function withdrawal(
  engine: Engine,
  leave: HTMLButtonElement,
  withdraw: () => void,
): HTMLDialogElement {
  const yes = h("button", { type: "button" }, t("withdraw_yes"));
  const no = h("button", { type: "button" }, t("withdraw_no"));
  const question = h(
    "dialog",
    { "aria-label": t("withdraw") },
    h("p", {}, t("withdraw_text")),
    h("div", { class: "row" }, no, yes),
  );
  leave.addEventListener("click", () => {
    engine.pause();
    question.showModal();
  });
  no.addEventListener("click", () => question.close());
  yes.addEventListener("click", () => {
    question.close();
    withdraw();
  });
  return question;
}
