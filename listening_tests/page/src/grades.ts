// What a trial and its answer area know of each other.

import type { Answer, ChoiceKind, Page, RatedKind, TextKind } from "./model";
import type { Stage } from "./stage";

// What the answer area of a trial has to offer.
export interface Grades {
  element: HTMLElement;
  // Reasons why it is not complete yet.
  problems: () => string[];
  // What may be answered now: called whenever something was heard or switched.
  refresh: () => void;
  // A key that was pressed; true if it was of use.
  key: (event: KeyboardEvent) => boolean;
  answer: () =>
    | { kind: RatedKind; ratings: { position: number; score: number; first_touch_ms: number }[] }
    | { kind: ChoiceKind; choice: 0 | 1 | null }
    | { kind: TextKind; text: string };
}

export interface Trial {
  stage: Stage;
  page: Page;
  started: number;
  names: Map<number, string>;
  // The answer as it was before, where the listener came back to it.
  before: Answer | null;
  heardEnough: (position: number) => boolean;
  allHeard: () => boolean;
  play: (position: number) => void;
}
