// Answers on their way: kept in the browser until they are accepted, sent again until they are.

import { type Backend, memory, Refused, uuid } from "./backend";
import type { Answer, SaveReply, Submission } from "./model";

const AGAIN_MS = 5000;

export type SaveState = "saved" | "saving" | "waiting" | "refused";

export class Outbox {
  state: SaveState = "saved";
  problems: string[] = [];
  onchange: () => void = () => {};
  readonly sent = new Map<number, Submission>();
  private waiting: Map<number, Submission>;
  private working: Promise<void> | null = null;
  private lastReply = new Map<number, SaveReply>();
  private refused = new Map<number, Refused>();
  private readonly place: string;

  constructor(
    private readonly backend: Backend,
    session: string,
  ) {
    this.place = `synbench outbox ${session}`;
    const stored = JSON.parse(memory.get(this.place) ?? "[]") as [number, Submission][];
    this.waiting = new Map(stored);
    if (this.waiting.size) void this.flush();
  }

  get empty(): boolean {
    return this.waiting.size === 0;
  }

  pendingAnswer(n: number): Answer | null {
    return this.waiting.get(n)?.answer ?? null;
  }

  put(n: number, answer: Answer, revision = 1): void {
    const before = this.sent.get(n) ?? this.waiting.get(n);
    const submission: Submission = {
      uuid: uuid(),
      revision: Math.max(revision, (before?.revision ?? 0) + 1),
      client_ms: Date.now(),
      answer,
    };
    this.refused.delete(n);
    this.waiting.set(n, submission);
    this.keep();
    void this.flush();
  }

  // The reply to a page's answer, or null where it did not come in time.
  async reply(n: number, milliseconds: number): Promise<SaveReply | null> {
    const late = new Promise<void>((resolve) => window.setTimeout(resolve, milliseconds));
    await Promise.race([this.flush(), late]);
    return this.waiting.has(n) ? null : (this.lastReply.get(n) ?? null);
  }

  // Why the last answer of a page was not accepted, if it was not.
  refusalOf(n: number): Refused | null {
    return this.refused.get(n) ?? null;
  }

  async drain(milliseconds: number): Promise<boolean> {
    const late = new Promise<void>((resolve) => window.setTimeout(resolve, milliseconds));
    await Promise.race([this.flush(), late]);
    return this.empty;
  }

  flush(): Promise<void> {
    this.working ??= this.work().finally(() => {
      this.working = null;
    });
    return this.working;
  }

  drop(): void {
    this.waiting.clear();
    memory.set(this.place, null);
  }

  private async work(): Promise<void> {
    while (this.waiting.size) {
      const [n, submission] = [...this.waiting][0]!;
      this.set("saving");
      try {
        this.lastReply.set(n, await this.backend.save(n, submission));
      } catch (error) {
        if (!(error instanceof Refused)) {
          this.set("waiting");
          window.setTimeout(() => void this.flush(), AGAIN_MS);
          return;
        }
        this.refused.set(n, error);
        this.problems = error.problems.length ? error.problems : [`http_${error.status}`];
        this.waiting.delete(n);
        this.keep();
        this.set("refused");
        return;
      }
      this.sent.set(n, submission);
      if (this.waiting.get(n) === submission) this.waiting.delete(n);
      this.keep();
    }
    this.set("saved");
  }

  private keep(): void {
    memory.set(this.place, this.waiting.size ? JSON.stringify([...this.waiting]) : null);
  }

  private set(state: SaveState): void {
    this.state = state;
    this.onchange();
  }
}
