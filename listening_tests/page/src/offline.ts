// One file from disk: plans and audio lie in the document, answers in the browser's storage.

import { type Backend, memory, type OfflineStart, Refused, type Start, uuid } from "./backend";
import type { Answer, Language, LogEvent, Plan, SaveReply, Session, Submission } from "./model";

const FORMAT = 1;

// The file that a listener hands back; `result_file.py` reads it.
interface Result {
  format: number;
  study: string;
  version: string;
  block: string;
  session: string;
  language: Language;
  consent: string | null;
  state: Session["state"];
  started_ms: number;
  finished_ms: number | null;
  user_agent: string;
  answers: Record<string, Submission>;
  events: LogEvent[];
}

export class Offline implements Backend {
  readonly offline = true;
  readonly lab = false;
  readonly listener = "";
  readonly ofPlatform = false;
  readonly study;
  private readonly place;
  private result: Result | null = null;

  constructor(private readonly start: OfflineStart) {
    this.study = start.study;
    this.place = `synbench offline ${this.study.name} ${this.study.version.slice(0, 16)}`;
  }

  async resume(): Promise<Session | null> {
    const text = memory.get(this.place);
    if (!text) return null;
    this.result = JSON.parse(text) as Result;
    return this.session();
  }

  async begin(start: Start): Promise<Session> {
    const { blocks } = this.start;
    // A number from the experimenter picks the block; without one it is drawn.
    const number = Number.parseInt(start.code.replace(/\D/g, ""), 10);
    const draw = crypto.getRandomValues(new Uint32Array(1))[0]!;
    const place = Number.isFinite(number) ? number - 1 : draw;
    this.result = {
      format: FORMAT,
      study: this.study.name,
      version: this.study.version,
      block: blocks[((place % blocks.length) + blocks.length) % blocks.length]!,
      session: start.code.trim().slice(0, 40) || uuid().slice(0, 8),
      language: start.language,
      consent: this.study.asks_consent ? this.study.consent_version : null,
      state: "running",
      started_ms: Date.now(),
      finished_ms: null,
      user_agent: navigator.userAgent,
      answers: {},
      events: [],
    };
    this.keep();
    return this.session();
  }

  async clip(id: string): Promise<ArrayBuffer> {
    const place = this.data<Record<string, number>>(`clips-${this.result!.block}`)[id];
    const text = document.getElementById(`audio-${place}`)?.textContent;
    if (!text) throw new Refused(404, []);
    const binary = atob(text);
    const bytes = new Uint8Array(binary.length);
    for (let k = 0; k < binary.length; k++) bytes[k] = binary.charCodeAt(k);
    return bytes.buffer;
  }

  async save(n: number, submission: Submission): Promise<SaveReply> {
    this.result!.answers[n] = submission;
    this.keep();
    return { passed: null, state: "running" };
  }

  async log(events: LogEvent[]): Promise<void> {
    if (!this.result) return;
    this.result.events.push(...events);
    this.keep();
  }

  async finish(): Promise<Session> {
    this.result!.state = "finished";
    this.result!.finished_ms ??= Date.now();
    this.keep();
    return this.session();
  }

  async withdraw(): Promise<void> {
    this.startAnew();
  }

  startAnew(): void {
    memory.set(this.place, null);
    this.result = null;
  }

  get base(): string {
    return this.place;
  }

  // The text of the result file.
  resultText(): string {
    return JSON.stringify(this.result, null, 1);
  }

  private keep(): void {
    // A full storage is said aloud by the caller: the answers are still in this page.
    if (!memory.set(this.place, JSON.stringify(this.result))) throw new Error("storage is full");
  }

  private session(): Session {
    const result = this.result!;
    const plan = this.data<Plan>(`plan-${result.block}`);
    const answers: Record<string, Answer> = {};
    for (const [n, submission] of Object.entries(result.answers)) answers[n] = submission.answer;
    const open = plan.pages.find((page) => !(page.n in result.answers) && page.kind !== "finish");
    return {
      session: result.session,
      state: result.state,
      language: result.language,
      plan,
      next: open ? open.n : plan.pages.length - 1,
      answers,
      completion_url: "",
      completion_code: "",
    };
  }

  private data<Content>(name: string): Content {
    return JSON.parse(document.getElementById(name)!.textContent ?? "null") as Content;
  }
}
