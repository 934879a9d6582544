// The time line of a trial: waveform of the open reference, play position, part that repeats.

import { h } from "./dom";
import { type Engine, SHORTEST_LOOP_SECONDS } from "./engine";
import { t } from "./texts";

export interface Waveform {
  element: HTMLElement;
  draw: () => void;
  markStart: () => void;
  markEnd: () => void;
}

export function waveform(engine: Engine, peaks: number[], loops: boolean): Waveform {
  const label = t(peaks.length ? "waveform" : "timeline");
  const canvas = h("canvas", { role: "img", "aria-label": label, class: "waveform" });
  const repeat = h("input", { type: "checkbox", checked: engine.repeat });
  const start = h("button", { type: "button" }, `[ ${t("loop_start")}`);
  const end = h("button", { type: "button" }, `${t("loop_end")} ]`);
  const all = h("button", { type: "button" }, t("loop_all"));
  const tools = h(
    "div",
    { class: "row tools" },
    h("label", { class: "check" }, repeat, t("repeat")),
    start,
    end,
    all,
  );

  const region = () => engine.loop ?? { start: 0, end: engine.duration };
  const markStart = () => {
    const from = Math.min(engine.now, engine.duration - SHORTEST_LOOP_SECONDS);
    engine.setLoop({ start: from, end: Math.max(region().end, from + SHORTEST_LOOP_SECONDS) });
  };
  const markEnd = () => {
    const to = Math.max(engine.now, region().start + SHORTEST_LOOP_SECONDS);
    engine.setLoop({ start: region().start, end: to });
  };
  start.addEventListener("click", markStart);
  end.addEventListener("click", markEnd);
  all.addEventListener("click", () => engine.setLoop(null));
  repeat.addEventListener("change", () => engine.setRepeat(repeat.checked));
  if (loops) drag(canvas, engine);

  const draw = () => {
    repeat.checked = engine.repeat;
    all.disabled = engine.loop === null;
    paint(canvas, peaks, engine);
  };
  const element = h("div", { class: "timeline" }, canvas, loops ? tools : null);
  return { element, draw, markStart, markEnd };
}

// A drag chooses a part, a click goes to a place.
function drag(canvas: HTMLCanvasElement, engine: Engine): void {
  let from: number | null = null;
  const seconds = (event: PointerEvent) => {
    const box = canvas.getBoundingClientRect();
    return ((event.clientX - box.left) / box.width) * engine.duration;
  };
  canvas.addEventListener("pointerdown", (event) => {
    from = seconds(event);
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointerup", (event) => {
    if (from === null) return;
    const to = seconds(event);
    if (Math.abs(to - from) >= SHORTEST_LOOP_SECONDS) engine.setLoop({ start: from, end: to });
    else engine.seek(from);
    from = null;
  });
  canvas.addEventListener("pointercancel", () => {
    from = null;
  });
}

function paint(canvas: HTMLCanvasElement, peaks: number[], engine: Engine): void {
  const box = canvas.getBoundingClientRect();
  const scale = window.devicePixelRatio || 1;
  const width = Math.round(box.width * scale);
  const height = Math.round(box.height * scale);
  if (!width || !height || !engine.duration) return;
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
  const pen = canvas.getContext("2d");
  if (!pen) return;
  const style = getComputedStyle(canvas);
  const at = (seconds: number) => (seconds / engine.duration) * width;
  pen.clearRect(0, 0, width, height);
  if (engine.loop) {
    pen.fillStyle = style.getPropertyValue("--loop");
    pen.fillRect(at(engine.loop.start), 0, at(engine.loop.end - engine.loop.start), height);
  }
  pen.fillStyle = style.getPropertyValue("--wave");
  const count = peaks.length / 2;
  for (let k = 0; k < count; k++) {
    const low = peaks[2 * k]! / 127;
    const high = peaks[2 * k + 1]! / 127;
    const top = ((1 - high) / 2) * height;
    pen.fillRect((k / count) * width, top, width / count, Math.max(1, ((high - low) / 2) * height));
  }
  if (!count) pen.fillRect(0, height / 2, width, scale);
  pen.fillStyle = style.getPropertyValue("--now");
  pen.fillRect(at(engine.now) - scale, 0, 2 * scale, height);
}
