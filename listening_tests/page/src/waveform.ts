// The time line of a trial: waveform of the open reference, play position, part that repeats.

import { h } from "./dom";
import { type Engine, type Loop, SHORTEST_LOOP_SECONDS } from "./engine";
import { t } from "./texts";

export interface Waveform {
  element: HTMLElement;
  draw: () => void;
  markStart: () => void;
  markEnd: () => void;
}

export function waveform(engine: Engine, peaks: number[], loops: boolean): Waveform {
  const label = t(!loops ? "progress" : peaks.length ? "waveform" : "timeline");
  const shape = peaks.length ? "waveform" : "waveform thin";
  const canvas = h("canvas", { role: "img", "aria-label": label, class: shape });
  const repeat = h("input", { type: "checkbox", checked: engine.repeat });
  const tool = (sign: string, text: string) =>
    h(
      "button",
      { type: "button", title: text },
      h("span", { class: "sign", "aria-hidden": "true" }, sign),
      h("span", { class: "text" }, text),
    );
  const start = tool("[", t("loop_start"));
  const end = tool("]", t("loop_end"));
  const all = tool("↔", t("loop_all"));
  const tools = h(
    "div",
    { class: "tools" },
    h("label", { class: "check" }, repeat, h("span", {}, t("repeat"))),
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

  let dragged: Loop | null = null;
  const draw = () => {
    repeat.checked = engine.repeat;
    all.disabled = engine.loop === null;
    paint(canvas, peaks, engine, dragged ?? engine.loop);
  };
  if (loops) {
    drag(canvas, engine, (part) => {
      dragged = part;
      draw();
    });
  }
  const element = h("div", { class: "timeline" }, canvas, loops ? tools : null);
  return { element, draw, markStart, markEnd };
}

// A drag chooses a part, a click goes to a place.
function drag(
  canvas: HTMLCanvasElement,
  engine: Engine,
  show: (part: Loop | null) => void,
): void {
  let from: number | null = null;
  const seconds = (event: PointerEvent) => {
    const box = canvas.getBoundingClientRect();
    const share = (event.clientX - box.left) / box.width;
    return Math.min(1, Math.max(0, share)) * engine.duration;
  };
  const part = (to: number): Loop | null => {
    const long = from !== null && Math.abs(to - from) >= SHORTEST_LOOP_SECONDS;
    return long ? { start: Math.min(from!, to), end: Math.max(from!, to) } : null;
  };
  canvas.addEventListener("pointerdown", (event) => {
    from = seconds(event);
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (from !== null) show(part(seconds(event)));
  });
  canvas.addEventListener("pointerup", (event) => {
    if (from === null) return;
    const chosen = part(seconds(event));
    if (chosen) engine.setLoop(chosen);
    else engine.seek(from);
    from = null;
    show(null);
  });
  canvas.addEventListener("pointercancel", () => {
    from = null;
    show(null);
  });
}

function paint(
  canvas: HTMLCanvasElement,
  peaks: number[],
  engine: Engine,
  part: Loop | null,
): void {
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
  if (part) {
    pen.fillStyle = style.getPropertyValue("--loop");
    pen.fillRect(at(part.start), 0, at(part.end - part.start), height);
  }
  const count = peaks.length / 2;
  pen.fillStyle = style.getPropertyValue(count ? "--wave" : "--accent");
  for (let k = 0; k < count; k++) {
    const low = peaks[2 * k]! / 127;
    const high = peaks[2 * k + 1]! / 127;
    const top = ((1 - high) / 2) * height;
    pen.fillRect((k / count) * width, top, width / count, Math.max(1, ((high - low) / 2) * height));
  }
  if (count) {
    pen.fillStyle = style.getPropertyValue("--now");
    pen.fillRect(at(engine.now) - scale, 0, 2 * scale, height);
  } else {
    const from = part?.start ?? 0;
    // Seconds, so that it is seen for a time line before anything plays.
    pen.save();
    pen.fillStyle = style.getPropertyValue("--line");
    for (let second = 1; second < engine.duration; second++) {
      pen.fillRect(at(second), 0.6 * height, scale, 0.4 * height);
    }
    pen.restore();
    pen.fillRect(at(from), 0, at(Math.max(0, engine.now - from)), height);
  }
}
