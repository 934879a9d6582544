// What every page gets: where to draw, what to play with, where to note things.

import type { Clips } from "./clips";
import { h } from "./dom";
import type { Engine } from "./engine";
import type { Answer, Page, Plan, Study } from "./model";
import { t } from "./texts";

export interface Stage {
  readonly root: HTMLElement;
  readonly study: Study;
  readonly plan: Plan;
  readonly engine: Engine;
  readonly clips: Clips;
  // Aborted when the page is left: listeners hang on it.
  readonly signal: AbortSignal;
  readonly log: (type: string, data: Record<string, string | number | boolean | null>) => void;
  // Where buttons that always stay in view belong.
  readonly actions: HTMLElement;
  readonly mayGoBack: boolean;
}

export const BACK = "back";

// The listener goes back, and leaves behind what is answered so far.
export type GoneBack = { [BACK]: Answer };

export type View = (stage: Stage, page: Page, before: Answer | null) => Promise<Answer | GoneBack>;

// Replace what is shown and put the focus on its title, where a screen reader goes on.
export function show(root: HTMLElement, title: string, ...content: (Node | null)[]): void {
  if (root.classList.contains("page")) root.className = "page card";
  const heading = h("h1", { tabindex: -1 }, title);
  root.replaceChildren(heading, ...content.filter((node): node is Node => node !== null));
  heading.focus({ preventScroll: true });
  window.scrollTo(0, 0);
}

export function pressed(button: HTMLButtonElement, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const options: AddEventListenerOptions = { once: true };
    if (signal) options.signal = signal;
    button.addEventListener("click", () => resolve(), options);
  });
}

export function mainButton(text: string): HTMLButtonElement {
  return h("button", { type: "button", class: "main" }, text);
}

// A place where problems are read aloud as they appear.
export function problemBox(): { element: HTMLElement; say: (lines: string[]) => void } {
  const element = h("div", { class: "problems", role: "alert" });
  return {
    element,
    say(lines) {
      element.replaceChildren();
      if (!lines.length) return;
      element.append(
        h("p", {}, t("missing")),
        h("ul", {}, ...lines.map((line) => h("li", {}, line))),
      );
    },
  };
}

// Says so where something should sound and does not.
export function silentBox(engine: Engine): { element: HTMLElement; refresh: () => void } {
  const element = h("p", { class: "warning", role: "alert" });
  return {
    element,
    refresh() {
      const text = !engine.silent ? "" : t(engine.contextState === "running" ? "no_sound" : "audio_off");
      if (element.textContent !== text) element.textContent = text;
    },
  };
}

// Load a page's clips and hand them to the engine; a failure can be tried again.
export async function loadAudio(stage: Stage, page: Page): Promise<void> {
  for (;;) {
    const status = h("p", { role: "status" }, t("loading", { share: 0 }));
    stage.root.replaceChildren(status);
    try {
      const buffers = await stage.clips.load(page, (share) => {
        status.textContent = t("loading", { share: Math.round(100 * share) });
      });
      stage.engine.use(buffers);
      return;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      stage.log("clip_failed", { reason: reason.slice(0, 200) });
      const again = mainButton(t("try_again"));
      stage.root.replaceChildren(h("p", { role: "alert" }, t("load_failed", { reason })), again);
      again.focus();
      await pressed(again);
    }
  }
}
