// Texts by language. Those of the study's languages lie in the document; that no catalogue lacks a
// key, or has one too many, `catalogues.ts` makes sure of when the page is built.

import type { Key } from "./catalogues";
import type { Language, Text } from "./model";

export type { Key };

const catalogues = JSON.parse(document.getElementById("texts")!.textContent!) as Partial<
  Record<Language, Record<Key, string>>
>;

export const languageNames: Record<Language, string> = {
  en: "English",
  de: "Deutsch",
  es: "Español",
  fr: "Français",
  zh: "中文",
};

let language: Language = "en";

export function setLanguage(wanted: Language): void {
  language = wanted;
  document.documentElement.lang = wanted;
}

export function currentLanguage(): Language {
  return language;
}

export function t(key: Key, values: Record<string, string | number> = {}): string {
  return catalogues[language]![key].replace(/\{(\w+)\}/g, (all, name: string) =>
    name in values ? String(values[name]) : all,
  );
}

// A text of the study in the language of the session.
export function local(text: Text | Partial<Record<Language, string>>): string {
  return typeof text === "string" ? text : (text[language] ?? Object.values(text)[0] ?? "");
}
