// The way of a listener: consent, session, one page after the other, thanks. A reload goes on.

import "./page.css";
import { type Backend, type OfflineStart, Refused, type ServerStart } from "./backend";
import { Clips } from "./clips";
import { download, h } from "./dom";
import { Engine } from "./engine";
import { type Answer, type Language, type LogEvent, type Page, type Session, TRIALS } from "./model";
import { Offline } from "./offline";
import { Outbox } from "./outbox";
import { Server } from "./server";
import { type Shell, shell } from "./shell";
import { simplePages } from "./simple_pages";
import { soundTest } from "./sound_test";
import { BACK, type GoneBack, mainButton, pressed, show, type Stage } from "./stage";
import { holdSession } from "./tabs";
import { currentLanguage, local, setLanguage, t } from "./texts";
import { trial } from "./trial";
import { consentForm, usedBefore, welcomeBack } from "./welcome";

const LOG_EVERY_MS = 15_000;
const LOG_BATCH = 200;
const REPLY_WAIT_MS = 4000;
const FINISH_WAIT_MS = 20_000;
// Revisions after a reload have to be higher than any before it.
const MOST_MINUTES = 90_000;
const UNPROCESSABLE = 422;
// Refusals that the listener is told of in words.
const SAID = new Set(["already_taken_part", "paused"]);

const app = document.getElementById("app")!;
const start = JSON.parse(document.getElementById("start")!.textContent!) as
  | ServerStart
  | OfflineStart;
const backend: Backend = start.mode === "server" ? new Server(start) : new Offline(start);
const study = backend.study;

const events: LogEvent[] = [];
let pageNumber = 0;

function log(type: string, data: LogEvent["data"] = {}): void {
  events.push({ n: pageNumber, t_ms: Math.round(performance.now()), type, data });
}

async function sendLog(): Promise<void> {
  const batch = events.splice(0, LOG_BATCH);
  if (!batch.length) return;
  try {
    await backend.log(batch);
  } catch {
    events.unshift(...batch);
  }
}

// A card in the middle of the screen, for all that comes before and after the session.
function card(): HTMLElement {
  const element = h("div", { class: "page card" });
  app.replaceChildren(element);
  return element;
}

async function run(): Promise<void> {
  const wanted = navigator.languages.map((name) => name.slice(0, 2) as Language);
  setLanguage(wanted.find((name) => study.languages.includes(name)) ?? study.languages[0]!);
  document.title = local(study.title) || study.name;
  const engine = new Engine(study.sample_rate, log);
  const session = await whose(engine);
  document.title = local(study.title) || study.name;
  inThisTab(session.session);
  await listen(session, engine);
}

// The session that this browser goes on with, or a new one.
async function whose(engine: Engine): Promise<Session> {
  const session = await patiently(() => backend.resume());
  if (!session) return welcome(engine);
  setLanguage(session.language);
  const left = session.next < session.plan.pages.length - 1;
  let same = true;
  if (session.state === "running" && left) same = await welcomeBack(card(), backend, engine);
  else if (session.state !== "running" && !wasInThisTab(session.session)) {
    same = await usedBefore(card(), backend);
  }
  if (same) return session;
  backend.startAnew();
  return welcome(engine);
}

function inThisTab(code: string): void {
  try {
    sessionStorage.setItem(backend.base, code);
  } catch {
    // Forbidden, as in some private windows: then the question is asked once more.
  }
}

function wasInThisTab(code: string): boolean {
  try {
    return sessionStorage.getItem(backend.base) === code;
  } catch {
    return false;
  }
}

// Ask until the server answers.
async function patiently<Result>(ask: () => Promise<Result>): Promise<Result> {
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      const again = mainButton(t("try_again"));
      const text = h("p", { role: "alert" }, refusalText(error));
      show(card(), local(study.title), text, again);
      await pressed(again);
    }
  }
}

function refusalText(error: unknown): string {
  const code = error instanceof Refused ? error.problems.find((each) => SAID.has(each)) : undefined;
  if (code) return t(code as "already_taken_part" | "paused");
  const reason = error instanceof Error ? error.message : String(error);
  return t("start_failed", { reason });
}

async function welcome(engine: Engine): Promise<Session> {
  for (;;) {
    const code = await consentForm(card(), backend);
    if (code === null) continue;
    await engine.start();
    if (study.sound_test) await soundTest(card(), engine);
    const sampleRate = engine.contextRate;
    return patiently(() => backend.begin({ language: currentLanguage(), code, sampleRate }));
  }
}

async function listen(session: Session, engine: Engine): Promise<void> {
  const outbox = new Outbox(backend, `${study.name} ${session.session}`);
  const answers = new Map<number, Answer>(
    Object.entries(session.answers).map(([n, answer]) => [Number(n), answer]),
  );
  const around = shell(backend, session.session, outbox, engine, {
    download: () => saveAnswers(session, answers),
    withdraw: () => void withdraw(engine, outbox),
  });
  app.replaceChildren(around.element);
  holdSession(backend.base, () => takenOver(engine));
  window.setInterval(() => void sendLog(), LOG_EVERY_MS);
  document.addEventListener("visibilitychange", () => {
    log("visibility", { state: document.visibilityState });
    if (document.visibilityState === "hidden") {
      engine.pause();
      void sendLog();
    }
  });
  const clips = new Clips(engine, (id) => backend.clip(id), study.sample_rate);
  const state = await pages(session, { around, engine, clips, session, outbox, answers });
  around.progress(1);
  around.actions.replaceChildren();
  engine.stop();
  if (state === "ended" || state === "withdrawn") {
    around.end();
    const ended = state === "ended";
    const text = h("p", {}, t(ended ? "ended_text" : "withdrawn_text"));
    show(around.body, t(ended ? "ended_title" : "withdrawn_title"), text);
    return;
  }
  await finish(around, session, outbox, answers);
}

interface Setting {
  around: Shell;
  engine: Engine;
  clips: Clips;
  session: Session;
  outbox: Outbox;
  answers: Map<number, Answer>;
}

// All pages that are left, one after the other; the state of the session after them.
async function pages(session: Session, setting: Setting): Promise<Session["state"]> {
  const { plan } = session;
  const { around, engine, outbox, answers } = setting;
  const drafts = new Map<number, Answer>();
  const last = plan.pages.length - 1;
  let { state } = session;
  // The page that the listener went back to, though it is answered.
  let again = -1;
  for (let n = 0; state === "running" && n < last; ) {
    const page = plan.pages[n]!;
    pageNumber = page.n;
    const stored = answers.get(n) ?? outbox.pendingAnswer(n);
    if (stored && n !== again) {
      if (stored.kind === "volume") engine.setVolume(stored.gain_db);
      n += 1;
      continue;
    }
    if (page.kind === "consent") {
      // Given before the session began; here it is stored with the answers.
      outbox.put(n, { kind: "consent", total_ms: 0 });
      n += 1;
      continue;
    }
    around.progress(n / last);
    log("page", { kind: page.kind });
    const given = await view(page, setting, drafts.get(n) ?? stored);
    around.actions.replaceChildren();
    if (BACK in given) {
      drafts.set(n, given[BACK]);
      n -= 1;
      again = n;
      continue;
    }
    around.body.replaceChildren(h("p", { role: "status" }, t("state_saving")));
    if ("attempt" in given) given.attempt = ++attempts;
    else attempts = 0;
    answers.set(n, given);
    drafts.delete(n);
    outbox.put(n, given, stored ? Math.floor(Date.now() / 60_000) % MOST_MINUTES : 1);
    const reply = await outbox.reply(n, REPLY_WAIT_MS);
    void sendLog();
    const refusal = outbox.refusalOf(n);
    if (refusal?.status === UNPROCESSABLE) {
      // Whatever follows would be out of order: the page comes again as it was left.
      drafts.set(n, given);
      answers.delete(n);
      again = n;
      const go = mainButton(t("try_again"));
      const reason = outbox.problems.join(", ");
      show(around.body, t("refused_title"), h("p", { role: "alert" }, t("refused_text", { reason })), go);
      await pressed(go);
      continue;
    }
    if (refusal) {
      // The server knows another state of this session, and goes on from there.
      location.reload();
      return new Promise(() => {});
    }
    state = reply?.state ?? "running";
    again = -1;
    if (reply?.passed === false && state === "running" && isQualifying(given)) {
      if (attempts < study[given.kind].attempts) {
        again = n;
        const go = mainButton(t("try_again"));
        const title = t(`${given.kind}_title`);
        show(around.body, title, h("p", {}, t(`${given.kind}_again`)), go);
        await pressed(go);
        continue;
      }
    }
    attempts = 0;
    n += 1;
  }
  return state;
}

// Of the check that is being made.
let attempts = 0;

type Qualifying = Extract<Answer, { attempt: number }>;

function isQualifying(answer: Answer): answer is Qualifying {
  return "attempt" in answer;
}

async function view(
  page: Page,
  setting: Setting,
  before: Answer | null | undefined,
): Promise<Answer | GoneBack> {
  const { around, engine, clips, session } = setting;
  const { pages } = session.plan;
  const left = new AbortController();
  const stage: Stage = {
    root: around.body,
    study,
    plan: session.plan,
    engine,
    clips,
    signal: left.signal,
    log,
    actions: around.actions,
    mayGoBack: study.listening.back && isTrialLike(pages[page.n - 1], page),
  };
  const done = (simplePages[page.kind] ?? trial)(stage, page, before ?? null);
  // The page's own clips come first; the next page's may take the rest of the line.
  window.setTimeout(() => clips.prefetch(pages[page.n + 1]), 1500);
  try {
    return await done;
  } finally {
    left.abort();
  }
}

// Whether the page before is a trial of the same part.
function isTrialLike(before: Page | undefined, page: Page): boolean {
  return before !== undefined && TRIALS.has(before.kind) && before.training === page.training;
}

function takenOver(engine: Engine): void {
  engine.stop();
  const here = mainButton(t("go_on_here"));
  here.addEventListener("click", () => location.reload());
  show(card(), t("other_tab_title"), h("p", {}, t("other_tab_text")), here);
}

async function withdraw(engine: Engine, outbox: Outbox): Promise<void> {
  engine.stop();
  await patiently(() => backend.withdraw());
  outbox.drop();
  show(card(), t("withdrawn_title"), h("p", {}, t("withdrawn_text")));
}

async function finish(
  around: Shell,
  session: Session,
  outbox: Outbox,
  answers: Map<number, Answer>,
): Promise<void> {
  const { body } = around;
  // Asked even if the session was finished before: only this reply has the completion code.
  let done: Session | null = null;
  while (!done) {
    show(body, t("finish_title"), h("p", { role: "status" }, t("finishing")));
    await sendLog();
    try {
      if (!(await outbox.drain(FINISH_WAIT_MS))) throw new Error("not sent");
      done = await backend.finish();
    } catch (error) {
      if (error instanceof Refused && error.status === 409) {
        // Some answer was not accepted: begin again where it is missing.
        location.reload();
        return;
      }
      const again = mainButton(t("try_again"));
      show(body, t("finish_title"), h("p", { role: "alert" }, t("finish_failed")), again);
      await pressed(again);
    }
  }
  outbox.drop();
  // The next person at this browser must not find a button that deletes somebody else's answers.
  around.end();
  const save = mainButton(t("download"));
  save.addEventListener("click", () => saveAnswers(session, answers));
  const url = /^https?:\/\//.test(done.completion_url) ? done.completion_url : "";
  const next = backend.lab ? mainButton(t("next_listener")) : h("button", { type: "button" }, t("somebody_else"));
  next.addEventListener("click", () => {
    backend.startAnew();
    location.reload();
  });
  const twice = done.state === "ended" ? "already_taken_part" : "finish_text";
  show(
    body,
    t("finish_title"),
    h("p", {}, t(backend.offline ? "finish_offline" : twice)),
    done.completion_code
      ? h("p", {}, `${t("completion_code")}: `, h("code", {}, done.completion_code))
      : null,
    url ? h("p", {}, h("a", { href: url, rel: "noreferrer" }, t("completion_link"))) : null,
    h("p", { class: "soft" }, t("your_code", { code: session.session })),
    h("div", { class: "row" }, backend.offline ? save : null, backend.ofPlatform ? null : next),
  );
}

function saveAnswers(session: Session, answers: Map<number, Answer>): void {
  const text =
    backend instanceof Offline
      ? backend.resultText()
      : JSON.stringify(
          {
            study: study.name,
            version: study.version,
            session: session.session,
            answers: Object.fromEntries(answers),
          },
          null,
          1,
        );
  download(`${study.name}-${session.session}.json`, text);
}

window.addEventListener("pagehide", () => void sendLog());
void run();
