// The data of study.json, of a session, and of answers: as the Python models have them.

export type Language = "en" | "de" | "es" | "fr" | "zh";
export type Text = string | Partial<Record<Language, string>>;
export type RatedKind = "mushra" | "mushra1s" | "bs1116" | "acr" | "dcr" | "ccr" | "effort";
export type ChoiceKind = "abx" | "ab";
export type TextKind = "transcription";
export type Kind =
  | RatedKind
  | ChoiceKind
  | TextKind
  | "consent"
  | "questionnaire"
  | "headphones"
  | "environment"
  | "digits"
  | "volume"
  | "instructions"
  | "attention"
  | "break"
  | "finish";

export interface Question {
  name: string;
  label: Text;
  type: "text" | "long_text" | "number" | "choice";
  choices: Text[];
  minimum: number | null;
  maximum: number | null;
  optional: boolean;
}

// A check before the trials.
export interface Qualification {
  trials: number;
  needed: number;
  attempts: number;
  required: boolean;
}

export interface Study {
  name: string;
  version: string;
  test: RatedKind | ChoiceKind | TextKind;
  title: Partial<Record<Language, string>>;
  languages: Language[];
  sample_rate: number;
  consent: Partial<Record<Language, string>>;
  consent_version: string;
  instructions: Partial<Record<Language, string>>;
  questionnaire: Question[];
  headphones: Qualification;
  environment: Qualification;
  digits: Qualification;
  listening: {
    minimum_share: number;
    rate_only_what_plays: boolean;
    on_switch: "continue" | "start_over";
    loop: boolean;
    require_hundred: "off" | "warn" | "enforce";
    back: boolean;
    most_plays: number | null;
  };
  sound_test: boolean;
  traps: boolean;
  no_preference: boolean;
  comments: boolean;
  scale: [number, number];
  scale_step: number;
  asks_consent: boolean;
}

export interface Clip {
  id: string;
  samples: number;
  channels: number;
}

export interface Page {
  n: number;
  kind: Kind;
  training: boolean;
  trial: number;
  reference: Clip | null;
  stimuli: Clip[];
  peaks: number[];
}

export interface Plan {
  sample_rate: number;
  trials: number;
  pages: Page[];
}

export type State = "running" | "finished" | "ended" | "withdrawn";

export interface Session {
  session: string;
  token?: string | null;
  state: State;
  language: Language;
  plan: Plan;
  next: number;
  answers: Record<string, Answer>;
  completion_url: string;
  completion_code: string;
}

export interface Heard {
  position: number;
  plays: number;
  seconds: number;
}

export interface Rating {
  position: number;
  score: number;
  first_touch_ms: number;
}

export type Answer = { total_ms: number } & (
  | { kind: RatedKind; ratings: Rating[]; heard: Heard[]; comment: string }
  | { kind: ChoiceKind; choice: 0 | 1 | null; heard: Heard[]; comment: string }
  | { kind: TextKind; text: string; heard: Heard[]; comment: string }
  | { kind: "questionnaire"; values: Record<string, string | number | null> }
  | { kind: "headphones" | "environment"; choices: number[]; attempt: number }
  | { kind: "digits"; written: string[]; attempt: number }
  | { kind: "volume"; gain_db: number }
  | { kind: "attention"; count: number }
  | { kind: "consent" | "instructions" | "break" }
);

export interface Submission {
  uuid: string;
  revision: number;
  client_ms: number;
  answer: Answer;
}

export interface SaveReply {
  passed: boolean | null;
  state: State;
}

export interface LogEvent {
  n: number;
  t_ms: number;
  type: string;
  data: Record<string, string | number | boolean | null>;
}

// Position of the open reference.
export const REFERENCE = -1;

export const TRIALS: ReadonlySet<Kind> = new Set<Kind>([
  "mushra", "mushra1s", "bs1116", "abx", "ab", "acr", "dcr", "ccr", "effort", "transcription",
]);

export function clipsOf(page: Page): Map<number, Clip> {
  const clips = new Map<number, Clip>();
  if (page.reference) clips.set(REFERENCE, page.reference);
  page.stimuli.forEach((clip, position) => clips.set(position, clip));
  return clips;
}
