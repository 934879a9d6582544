// Before the session: language, consent, the listener's number; or going on with one's own.

import type { Backend } from "./backend";
import { h, newId, paragraphs } from "./dom";
import type { Engine } from "./engine";
import type { Language } from "./model";
import { mainButton, pressed, show } from "./stage";
import { currentLanguage, languageNames, local, setLanguage, t } from "./texts";

// Null when the language was changed and everything has to be said again.
export function consentForm(card: HTMLElement, backend: Backend): Promise<string | null> {
  const { study, lab, offline } = backend;
  const consent = study.asks_consent ? paragraphs(local(study.consent)) : [];
  // Nobody can agree to nothing.
  const go = mainButton(t(consent.length ? "agree" : "begin"));
  const code = h("input", {
    id: newId("code"),
    type: "text",
    maxlength: 40,
    autocomplete: "off",
    value: backend.listener,
    "aria-required": lab ? "true" : null,
  });
  const missing = h("p", { role: "alert", class: "warning" });
  const language = h(
    "select",
    { id: newId("language") },
    ...study.languages.map((name) =>
      h("option", { value: name, selected: name === currentLanguage() }, languageNames[name]),
    ),
  );
  show(
    card,
    local(study.title),
    study.languages.length > 1
      ? h("div", { class: "field" }, h("label", { for: language.id }, t("language")), language)
      : null,
    ...consent,
    offline || lab
      ? h(
          "div",
          { class: "field" },
          h("label", { for: code.id }, t(lab ? "listener_number" : "listener_code")),
          code,
        )
      : null,
    missing,
    go,
  );
  return new Promise((resolve) => {
    go.addEventListener("click", () => {
      const number = offline || lab ? code.value.trim() : "";
      if (lab && !number) missing.textContent = t("incomplete", { name: t("listener_number") });
      else resolve(number);
    });
    language.addEventListener("change", () => {
      setLanguage(language.value as Language);
      resolve(null);
    });
  });
}

// A gesture is needed before a browser lets anything sound. True: the listener is who was here.
export async function welcomeBack(
  card: HTMLElement,
  backend: Backend,
  engine: Engine,
): Promise<boolean> {
  const go = mainButton(t("resume"));
  const other = h("button", { type: "button" }, t("somebody_else"));
  show(
    card,
    t("resume_title"),
    h("p", {}, t("resume_text")),
    h("div", { class: "row" }, backend.ofPlatform ? null : other, go),
  );
  go.focus();
  const same = await Promise.race([
    pressed(go).then(() => true),
    pressed(other).then(() => false),
  ]);
  if (same) await engine.start();
  return same;
}

// Somebody has finished in this browser before, in another tab or on another day.
export async function usedBefore(card: HTMLElement, backend: Backend): Promise<boolean> {
  const me = h("button", { type: "button" }, t("that_was_me"));
  const other = mainButton(t("somebody_else"));
  show(
    card,
    local(backend.study.title),
    h("p", {}, t("used_text")),
    h("div", { class: "row" }, me, other),
  );
  return Promise.race([pressed(me).then(() => true), pressed(other).then(() => false)]);
}
