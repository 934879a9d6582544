// Where answers go: to the server, or in an offline file to the browser's own storage.

import type { Language, LogEvent, SaveReply, Session, Study, Submission } from "./model";

export interface Backend {
  readonly study: Study;
  readonly offline: boolean;
  // Listeners have numbers, and the browser passes from one to the next.
  readonly lab: boolean;
  // The number in the address, and whether a crowd platform sent the listener.
  readonly listener: string;
  readonly ofPlatform: boolean;
  // Of everything that this browser remembers of the study.
  readonly base: string;
  // The session that this browser already has, or null.
  resume(): Promise<Session | null>;
  begin(start: Start): Promise<Session>;
  clip(id: string): Promise<ArrayBuffer>;
  save(n: number, submission: Submission): Promise<SaveReply>;
  log(events: LogEvent[]): Promise<void>;
  finish(): Promise<Session>;
  withdraw(): Promise<void>;
  // Forget whose session this browser has: somebody else takes part.
  startAnew(): void;
}

export interface Start {
  language: Language;
  // The listener's number, empty if there is none.
  code: string;
  // Of the audio context, in Hz.
  sampleRate: number;
}

// What was refused for good; everything else is worth another try.
export class Refused extends Error {
  constructor(
    readonly status: number,
    readonly problems: string[],
  ) {
    super(`refused with ${status}`);
  }
}

export interface ServerStart {
  mode: "server";
  api: string;
  lab: boolean;
  study: Study;
}

export interface OfflineStart {
  mode: "offline";
  study: Study;
  blocks: string[];
}

export function uuid(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

// Storage that may be forbidden (private windows): then nothing is remembered.
export const memory = {
  get(key: string): string | null {
    try {
      return localStorage.getItem(key);
    } catch {
      return null;
    }
  },
  set(key: string, value: string | null): boolean {
    try {
      if (value === null) localStorage.removeItem(key);
      else localStorage.setItem(key, value);
      return true;
    } catch {
      return false;
    }
  },
};
