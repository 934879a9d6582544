// Types alone: the texts themselves do not go into the script. A catalogue that lacks a key, or has
// one too many, fails the build here.

import type { Language } from "./model";
import type de from "./texts/de.json";
import type en from "./texts/en.json";
import type es from "./texts/es.json";
import type fr from "./texts/fr.json";
import type zh from "./texts/zh.json";

export type Key = keyof typeof en;
type Exactly<Given extends Record<Key, string> & Record<Exclude<keyof Given, Key>, never>> = Given;

export interface Catalogues extends Record<Language, Record<Key, string>> {
  de: Exactly<typeof de>;
  en: Exactly<typeof en>;
  es: Exactly<typeof es>;
  fr: Exactly<typeof fr>;
  zh: Exactly<typeof zh>;
}
