// The way of a listener: consent, session, one page after the other, thanks. A reload goes on.

import "./page.css";
import { type Backend, type OfflineStart, Refused, type ServerStart } from "./backend";
import { Clips } from "./clips";
import { download, h, newId, paragraphs } from "./dom";
import { Engine } from "./engine";
import type { Answer, Language, LogEvent, Page, Session } from "./model";
import { Offline } from "./offline";
import { Outbox } from "./outbox";
import { Server } from "./server";
import { simplePages } from "./simple_pages";
import { mainButton, pressed, show, type Stage } from "./stage";
import { currentLanguage, languageNames, local, setLanguage, t } from "./texts";
import { trial } from "./trial";

const LOG_EVERY_MS = 15_000;
const LOG_BATCH = 200;
const REPLY_WAIT_MS = 4000;
const FINISH_WAIT_MS = 20_000;

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

async function run(): Promise<void> {
  const wanted = navigator.languages.map((name) => name.slice(0, 2) as Language);
  setLanguage(wanted.find((name) => study.languages.includes(name)) ?? study.languages[0]!);
  document.title = local(study.title) || study.name;
  const engine = new Engine(study.sample_rate, log);
  let session = await patiently(() => backend.resume());
  if (session) {
    setLanguage(session.language);
    const left = session.next < session.plan.pages.length - 1;
    if (session.state === "running" && left) await welcomeBack(engine);
  } else {
    session = await welcome(engine);
  }
  document.title = local(study.title) || study.name;
  await listen(session, engine);
}

// Ask until the server answers.
async function patiently<Result>(ask: () => Promise<Result>): Promise<Result> {
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      const again = mainButton(t("try_again"));
      show(app, local(study.title), h("p", { role: "alert" }, t("start_failed", { reason })), again);
      await pressed(again);
    }
  }
}

async function welcome(engine: Engine): Promise<Session> {
  for (;;) {
    const choice = await consentForm();
    if (!choice) continue;
    await engine.start();
    return patiently(() => backend.begin({ language: currentLanguage(), code: choice.code }));
  }
}

// Null when the language was changed and everything has to be said again.
function consentForm(): Promise<{ code: string } | null> {
  const go = mainButton(t(study.asks_consent ? "agree" : "begin"));
  const id = newId("code");
  const code = h("input", { id, type: "text", maxlength: 40, autocomplete: "off" });
  const language = h(
    "select",
    { id: newId("language") },
    ...study.languages.map((name) =>
      h("option", { value: name, selected: name === currentLanguage() }, languageNames[name]),
    ),
  );
  show(
    app,
    local(study.title),
    study.languages.length > 1
      ? h("div", { class: "field" }, h("label", { for: language.id }, t("language")), language)
      : null,
    ...(study.asks_consent ? paragraphs(local(study.consent)) : []),
    backend.offline
      ? h("div", { class: "field" }, h("label", { for: id }, t("listener_code")), code)
      : null,
    go,
  );
  return new Promise((resolve) => {
    go.addEventListener("click", () => resolve({ code: code.value }));
    language.addEventListener("change", () => {
      setLanguage(language.value as Language);
      resolve(null);
    });
  });
}

// A gesture is needed before a browser lets anything sound.
async function welcomeBack(engine: Engine): Promise<void> {
  const go = mainButton(t("resume"));
  show(app, t("resume_title"), h("p", {}, t("resume_text")), go);
  go.focus();
  await pressed(go);
  await engine.start();
}

async function listen(session: Session, engine: Engine): Promise<void> {
  const outbox = new Outbox(backend, `${study.name} ${session.session}`);
  const answers = new Map<number, Answer>(
    Object.entries(session.answers).map(([n, answer]) => [Number(n), answer]),
  );
  const body = h("div", { class: "page" });
  const progress = h("progress", { "aria-label": local(study.title), max: 1, value: 0 });
  const foot = footer(session, outbox, answers, engine);
  app.replaceChildren(progress, body, foot);
  window.setInterval(() => void sendLog(), LOG_EVERY_MS);
  document.addEventListener("visibilitychange", () => {
    log("visibility", { state: document.visibilityState });
    if (document.visibilityState === "hidden") {
      engine.pause();
      void sendLog();
    }
  });

  const clips = new Clips(engine, (id) => backend.clip(id), study.sample_rate);
  const { plan } = session;
  let { state } = session;
  const last = plan.pages.length - 1;
  for (const page of plan.pages) {
    if (state !== "running" || page.n === last) break;
    pageNumber = page.n;
    const stored = answers.get(page.n) ?? outbox.pendingAnswer(page.n);
    if (stored) {
      if (stored.kind === "volume") engine.setVolume(stored.gain_db);
      continue;
    }
    if (page.kind === "consent") {
      // Given before the session began; here it is stored with the answers.
      outbox.put(page.n, { kind: "consent", total_ms: 0 });
      continue;
    }
    progress.value = page.n / last;
    log("page", { kind: page.kind });
    const next = plan.pages[page.n + 1];
    for (let attempt = 1; ; attempt++) {
      const answer = await view(page, { body, engine, clips, session, next });
      body.replaceChildren(h("p", { role: "status" }, t("state_saving")));
      if (answer.kind === "headphones") answer.attempt = attempt;
      answers.set(page.n, answer);
      outbox.put(page.n, answer);
      const reply = await outbox.reply(page.n, REPLY_WAIT_MS);
      void sendLog();
      state = reply?.state ?? "running";
      const again = reply?.passed === false && state === "running";
      if (!again || attempt >= study.headphones.attempts) break;
      const go = mainButton(t("try_again"));
      show(body, t("headphones_title"), h("p", {}, t("headphones_again")), go);
      await pressed(go);
    }
  }
  progress.value = 1;
  engine.stop();
  if (state === "ended" || state === "withdrawn") {
    foot.remove();
    const ended = state === "ended";
    const text = h("p", {}, t(ended ? "ended_text" : "withdrawn_text"));
    show(body, t(ended ? "ended_title" : "withdrawn_title"), text);
    return;
  }
  await finish(body, session, outbox, answers);
}

interface Setting {
  body: HTMLElement;
  engine: Engine;
  clips: Clips;
  session: Session;
  next: Page | undefined;
}

async function view(page: Page, setting: Setting): Promise<Answer> {
  const { body, engine, clips, session, next } = setting;
  const left = new AbortController();
  const stage: Stage = {
    root: body,
    study,
    plan: session.plan,
    engine,
    clips,
    signal: left.signal,
    log,
  };
  const done = (simplePages[page.kind] ?? trial)(stage, page);
  // The page's own clips come first; the next page's may take the rest of the line.
  window.setTimeout(() => clips.prefetch(next), 1500);
  try {
    return await done;
  } finally {
    left.abort();
  }
}

async function finish(
  body: HTMLElement,
  session: Session,
  outbox: Outbox,
  answers: Map<number, Answer>,
): Promise<void> {
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
      show(
        body,
        t("finish_title"),
        h("p", { role: "alert" }, t("finish_failed")),
        again,
      );
      await pressed(again);
    }
  }
  outbox.drop();
  const save = mainButton(t("download"));
  save.addEventListener("click", () => saveAnswers(session, answers));
  const url = /^https?:\/\//.test(done.completion_url) ? done.completion_url : "";
  show(
    body,
    t("finish_title"),
    h("p", {}, t(backend.offline ? "finish_offline" : "finish_text")),
    done.completion_code
      ? h("p", {}, `${t("completion_code")}: `, h("code", {}, done.completion_code))
      : null,
    url ? h("p", {}, h("a", { href: url, rel: "noreferrer" }, t("completion_link"))) : null,
    backend.offline ? save : null,
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

function footer(
  session: Session,
  outbox: Outbox,
  answers: Map<number, Answer>,
  engine: Engine,
): HTMLElement {
  const status = h("span", { role: "status", class: "state" });
  const save = h("button", { type: "button" }, t("download"));
  save.addEventListener("click", () => saveAnswers(session, answers));
  const leave = h("button", { type: "button" }, t("withdraw"));
  const yes = h("button", { type: "button" }, t("withdraw_yes"));
  const no = h("button", { type: "button" }, t("withdraw_no"));
  const question = h(
    "dialog",
    { "aria-label": t("withdraw") },
    h("p", {}, t("withdraw_text")),
    h("div", { class: "row" }, no, yes),
  );
  leave.addEventListener("click", () => {
    engine.pause();
    question.showModal();
  });
  no.addEventListener("click", () => question.close());
  yes.addEventListener("click", async () => {
    question.close();
    engine.stop();
    await patiently(() => backend.withdraw());
    outbox.drop();
    show(app, t("withdrawn_title"), h("p", {}, t("withdrawn_text")));
  });
  outbox.onchange = () => {
    const reason = outbox.problems.join(", ");
    status.textContent = t(`state_${outbox.state}`, { reason });
    status.dataset["state"] = outbox.state;
  };
  return h("footer", {}, status, h("span", { class: "code" }, session.session), save, leave, question);
}

window.addEventListener("pagehide", () => void sendLog());
void run();
