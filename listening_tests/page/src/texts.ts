// Texts by language. A catalogue that lacks a key, or has one too many, fails the build.

import type { Language, Text } from "./model";
import de from "./texts/de.json";
import en from "./texts/en.json";
import fr from "./texts/fr.json";
import zh from "./texts/zh.json";

export type Key = keyof typeof en;
type Catalogue = Record<Key, string>;
type Exactly<Given> = Catalogue & Record<Exclude<keyof Given, Key>, never>;

const catalogues: Record<Language, Catalogue> = {
  en,
  de: de satisfies Exactly<typeof de>,
  fr: fr satisfies Exactly<typeof fr>,
  zh: zh satisfies Exactly<typeof zh>,
};

export const languageNames: Record<Language, string> = {
  en: "English",
  de: "Deutsch",
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
  return catalogues[language][key].replace(/\{(\w+)\}/g, (all, name: string) =>
    name in values ? String(values[name]) : all,
  );
}

// A text of the study in the language of the session.
export function local(text: Text | Partial<Record<Language, string>>): string {
  return typeof text === "string" ? text : (text[language] ?? Object.values(text)[0] ?? "");
}
