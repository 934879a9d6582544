// The server behind the page: a token in a header, every answer saved by itself.

import { type Backend, memory, Refused, type ServerStart, type Start, uuid } from "./backend";
import { forgetCurrent, type Identity, placeOf, takeIdentity } from "./identity";
import type { LogEvent, SaveReply, Session, Submission } from "./model";

const TRIES = 4;
const LONGEST_AGENT = 400;

export class Server implements Backend {
  readonly offline = false;
  readonly study;
  private readonly api;
  readonly lab;
  readonly base;
  private identity: Identity;
  private place;
  private token: string | null;

  constructor(start: ServerStart) {
    this.study = start.study;
    this.api = start.api;
    this.lab = start.lab;
    this.base = `synbench ${this.study.name} ${this.study.version.slice(0, 16)}`;
    this.identity = takeIdentity();
    this.place = placeOf(this.base, this.identity);
    this.token = memory.get(this.place);
  }

  get listener(): string {
    return this.identity.listener;
  }

  get ofPlatform(): boolean {
    return Object.keys(this.identity.platform).length > 0;
  }

  async resume(): Promise<Session | null> {
    if (!this.token) return null;
    try {
      return await this.json<Session>("GET", "/session");
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      // The server does not know this session any more.
      this.forget();
      return null;
    }
  }

  async begin(start: Start): Promise<Session> {
    // The same uuid on a second try keeps a lost reply from making a second session.
    const key = `${this.place} start`;
    const id = memory.get(key) ?? uuid();
    memory.set(key, id);
    if (start.code && start.code !== this.identity.listener) {
      this.identity = { ...this.identity, listener: start.code };
      this.place = placeOf(this.base, this.identity);
    }
    const session = await this.json<Session>("POST", "/sessions", {
      uuid: id,
      study: this.study.name,
      version: this.study.version,
      language: start.language,
      consent: this.study.asks_consent ? this.study.consent_version : null,
      platform: this.identity.platform,
      listener: this.identity.listener,
      client: {
        user_agent: navigator.userAgent.slice(0, LONGEST_AGENT),
        screen: `${window.innerWidth}x${window.innerHeight}`,
        touch: window.matchMedia("(pointer: coarse)").matches,
        sample_rate: start.sampleRate,
      },
    });
    this.token = session.token ?? null;
    memory.set(this.place, this.token);
    memory.set(key, null);
    return session;
  }

  async clip(id: string): Promise<ArrayBuffer> {
    const reply = await this.ask("GET", `/clip/${id}`);
    return reply.arrayBuffer();
  }

  save(n: number, submission: Submission): Promise<SaveReply> {
    return this.json<SaveReply>("PUT", `/trials/${n}`, submission);
  }

  async log(events: LogEvent[]): Promise<void> {
    await this.ask("POST", "/events", { events }, true);
  }

  finish(): Promise<Session> {
    return this.json<Session>("POST", "/finish", {});
  }

  async withdraw(): Promise<void> {
    await this.ask("DELETE", "/session");
    this.forget();
  }

  // The next person at this browser begins anew; the session itself stays on the server.
  startAnew(): void {
    // Who came with a number or an id finds the session again under it.
    forgetCurrent(this.base);
    this.identity = { platform: {}, listener: "" };
    this.place = this.base;
    memory.set(`${this.base} start`, null);
    this.forget();
  }

  private forget(): void {
    this.token = null;
    memory.set(this.place, null);
  }

  private async json<Reply>(method: string, path: string, body?: unknown): Promise<Reply> {
    const reply = await this.ask(method, path, body);
    return (await reply.json()) as Reply;
  }

  // Tries again where the network or the server failed; a refusal is final.
  private async ask(
    method: string,
    path: string,
    body?: unknown,
    once = false,
  ): Promise<Response> {
    const headers: Record<string, string> = {};
    if (this.token) headers["X-Session-Token"] = this.token;
    if (body !== undefined) headers["Content-Type"] = "application/json";
    const request: RequestInit = { method, headers, cache: "no-store", credentials: "omit" };
    if (body !== undefined) request.body = JSON.stringify(body);
    if (once) request.keepalive = true;
    for (let attempt = 1; ; attempt++) {
      let waitMs = 400 * 2 ** attempt;
      try {
        const reply = await fetch(this.api + path, request);
        if (reply.ok) return reply;
        if (reply.status < 500 && reply.status !== 429 && reply.status !== 408) {
          throw new Refused(reply.status, await problemsOf(reply));
        }
        waitMs = Math.max(waitMs, 1000 * Number(reply.headers.get("Retry-After") ?? 0));
        if (once || attempt >= TRIES) throw new Error(`${path}: ${reply.status}`);
      } catch (error) {
        if (error instanceof Refused || once || attempt >= TRIES) throw error;
      }
      await new Promise((resolve) => window.setTimeout(resolve, waitMs));
    }
  }
}

async function problemsOf(reply: Response): Promise<string[]> {
  try {
    const body = (await reply.json()) as { problems?: unknown };
    return Array.isArray(body.problems) ? body.problems.map(String) : [];
  } catch {
    return [];
  }
}
