// The audio engine: native nodes only, one context at the files' rate.
//
// All stimuli of a page start together, each into its own gain; exactly one gain is open. A switch
// closes the old gain over 5 ms, then opens the new one over 5 ms (BS.1534-3): the two never sound
// together. Everything is scheduled ahead on whole samples, and nothing scheduled is ever taken
// back, so no curve can be cut off: a start, a seek or a new loop is a new "run" of nodes.
//
//   source[k] -> gain[k] -> edge (fades at loop ends) -> gate (start and stop) -> master -> out

import { Heard } from "./heard";

const FADE_SECONDS = 0.005;
export const SHORTEST_LOOP_SECONDS = 0.5;
// Time for the machine to hear of what is to be played; a busy one takes more than it should.
const LEAD_SECONDS = 0.05;
const AHEAD_SECONDS = 4;
// Samples that browsers compute at once. Two curves of one gain keep that far apart: where they meet
// within a block, Chromium gets them wrong.
const BLOCK = 128;
const TICK_MS = 50;
const STALLED_TICKS = 20;
// Four seconds: headphones without a cable take some to wake up.
const WAKE_TRIES = 40;
const TRY_MS = 100;

export interface Loop {
  start: number;
  end: number;
}

export type Log = (type: string, data: Record<string, string | number | boolean | null>) => void;

interface Run {
  when: number;
  offset: number;
  loop: Loop | null;
  sources: AudioBufferSourceNode[];
  gains: Map<number, GainNode>;
  edge: GainNode;
  gate: GainNode;
  active: number;
  openSince: number;
  busyUntil: number;
  nextEdge: number;
  endFaded: boolean;
}

export class Engine {
  private context: AudioContext | null = null;
  private master: GainNode | null = null;
  private buffers = new Map<number, AudioBuffer>();
  private run: Run | null = null;
  private pending: number | null = null;
  private position = 0;
  private freeAt = 0;
  private timer = 0;
  // Ticks in a row at which the sound's clock had not moved.
  private stalled = 0;
  private lastTick = -1;
  heard = new Map<number, Heard>();
  loop: Loop | null = null;
  repeat = false;
  startOver = false;
  onchange: () => void = () => {};
  // 5 ms, up to the next whole sample.
  private readonly fade: number;
  private readonly up: Float32Array<ArrayBuffer>;
  private readonly down: Float32Array<ArrayBuffer>;
  private readonly downAndUp: Float32Array<ArrayBuffer>;

  constructor(
    readonly sampleRate: number,
    private readonly log: Log,
  ) {
    const samples = Math.ceil(FADE_SECONDS * sampleRate - 1e-9);
    this.fade = samples / sampleRate;
    const points = 32 * samples + 1;
    this.up = cosine(points, (x) => 1 - x);
    this.down = cosine(points, (x) => x);
    this.downAndUp = cosine(points, (x) => 2 * x);
  }

  // Has to be called in a click or a key press, else browsers keep the context silent.
  async start(): Promise<void> {
    if (!this.context) {
      if (!("AudioContext" in window)) return;
      const context = new AudioContext({ sampleRate: this.sampleRate, latencyHint: "interactive" });
      this.context = context;
      this.master = context.createGain();
      this.master.connect(context.destination);
      context.onstatechange = () => {
        this.log("context", { state: context.state });
        this.onchange();
      };
      this.log("audio", {
        asked_rate: this.sampleRate,
        rate: context.sampleRate,
        base_latency: context.baseLatency,
        output_latency: context.outputLatency ?? null,
      });
    }
    if (this.context.state !== "running") await withTimeout(this.context.resume(), 2000);
  }

  // Something should sound, and its clock stands still.
  get silent(): boolean {
    if (!this.run || !this.context) return false;
    return this.context.state !== "running" || this.stalled >= STALLED_TICKS;
  }

  get contextState(): string {
    return this.context?.state ?? "none";
  }

  get contextRate(): number {
    return this.context?.sampleRate ?? 0;
  }

  // Samples as the nodes want them; at the context's rate, so that nothing is resampled.
  buffer(channels: Float32Array<ArrayBuffer>[]): AudioBuffer {
    if (!this.context) throw new Error("audio was not started");
    const made = this.context.createBuffer(channels.length, channels[0]!.length, this.sampleRate);
    channels.forEach((wave, channel) => made.copyToChannel(wave, channel));
    return made;
  }

  // A sound apart from all stimuli, which is neither counted nor logged; until it is over.
  async sound(wave: Float32Array<ArrayBuffer>): Promise<void> {
    if (!this.context || !this.master) return;
    const source = this.context.createBufferSource();
    source.buffer = this.buffer([wave]);
    source.connect(this.master);
    source.start();
    await new Promise<void>((resolve) => {
      source.onended = () => resolve();
    });
  }

  // Whether the clock of the sound runs: it stands still where there is no device, or the browser
  // keeps the sound back.
  async runs(): Promise<boolean> {
    await this.start();
    const context = this.context;
    if (!context) return false;
    const before = context.currentTime;
    for (let tries = 0; tries < WAKE_TRIES; tries++) {
      if (context.state === "running" && context.currentTime > before) return true;
      await new Promise((resolve) => window.setTimeout(resolve, TRY_MS));
    }
    return false;
  }

  // Take over the stimuli of a page and forget those of the last.
  use(buffers: Map<number, AudioBuffer>): void {
    this.stop();
    this.buffers = buffers;
    this.position = 0;
    this.loop = null;
    this.heard = new Map([...buffers.keys()].map((key) => [key, new Heard()]));
  }

  get duration(): number {
    return Math.max(0, ...[...this.buffers.values()].map((buffer) => buffer.duration));
  }

  get playing(): boolean {
    return this.run !== null;
  }

  // The stimulus that sounds, or is about to.
  get active(): number | null {
    return this.pending ?? this.run?.active ?? null;
  }

  // Seconds in the clip, now.
  get now(): number {
    return this.run && this.context ? this.at(this.run, this.context.currentTime) : this.position;
  }

  setVolume(decibels: number): void {
    if (!this.context || !this.master) return;
    const gain = this.master.gain;
    const now = this.context.currentTime;
    gain.cancelScheduledValues(0);
    gain.setValueAtTime(gain.value, now);
    gain.linearRampToValueAtTime(10 ** (decibels / 20), now + 0.02);
  }

  // Play a stimulus: switch to it where something plays, else start.
  play(key: number): void {
    if (!this.context || !this.buffers.has(key)) return;
    void this.start();
    if (!this.run) this.begin(key, this.startOver ? (this.loop?.start ?? 0) : this.resumeAt());
    else if (this.startOver) this.restart(key, this.loop?.start ?? 0);
    else this.switchTo(key);
    this.onchange();
  }

  pause(): void {
    this.end();
    this.onchange();
  }

  stop(): void {
    this.end();
    this.position = this.loop?.start ?? 0;
  }

  seek(seconds: number): void {
    const position = this.onSample(Math.min(Math.max(seconds, 0), this.duration));
    if (this.run) this.restart(this.active ?? this.run.active, position);
    else this.position = position;
    this.onchange();
  }

  // A region of at least half a second, or null for the whole clip.
  setLoop(loop: Loop | null): void {
    if (loop) {
      const start = this.onSample(Math.max(0, Math.min(loop.start, loop.end)));
      const end = this.onSample(Math.min(this.duration, Math.max(loop.start, loop.end)));
      if (end - start < SHORTEST_LOOP_SECONDS - 1e-9) return;
      this.loop = { start, end };
      this.repeat = true;
    } else this.loop = null;
    this.log("loop", { start: this.loop?.start ?? null, end: this.loop?.end ?? null });
    this.refresh();
  }

  setRepeat(repeat: boolean): void {
    this.repeat = repeat;
    if (!repeat) this.loop = null;
    this.refresh();
  }

  private refresh(): void {
    const loop = this.region();
    const inside = loop && this.now >= loop.start && this.now < loop.end;
    const position = loop && !inside ? loop.start : this.now;
    if (this.run) this.restart(this.active ?? this.run.active, position);
    else this.position = this.onSample(position);
    this.onchange();
  }

  private region(): Loop | null {
    if (this.loop) return this.loop;
    return this.repeat && this.duration >= SHORTEST_LOOP_SECONDS
      ? { start: 0, end: this.duration }
      : null;
  }

  private resumeAt(): number {
    return this.position >= this.duration - this.fade ? 0 : this.position;
  }

  private restart(key: number, offset: number): void {
    this.end();
    this.begin(key, offset);
  }

  private begin(key: number, offset: number): void {
    const context = this.context!;
    const loop = this.region();
    // No start within the fade at the end of a loop.
    const late = loop && (offset < loop.start || offset >= loop.end - 2 * this.fade);
    const edge = context.createGain();
    const gate = context.createGain();
    gate.gain.value = 0;
    edge.connect(gate).connect(this.master!);
    const sources: AudioBufferSourceNode[] = [];
    const gains = new Map<number, GainNode>();
    for (const [name, buffer] of this.buffers) {
      const source = context.createBufferSource();
      source.buffer = buffer;
      if (loop) {
        source.loop = true;
        source.loopStart = loop.start;
        source.loopEnd = loop.end;
      }
      const gain = context.createGain();
      gain.gain.value = name === key ? 1 : 0;
      source.connect(gain).connect(edge);
      sources.push(source);
      gains.set(name, gain);
    }
    // Only now: making the nodes takes a slow machine some time.
    const from = this.onSample(late ? loop.start : offset);
    const when = this.onSample(Math.max(context.currentTime + LEAD_SECONDS, this.freeAt), true);
    for (const source of sources) source.start(when, from);
    gate.gain.setValueCurveAtTime(this.up, when, this.fade);
    this.run = {
      when,
      offset: from,
      loop,
      sources,
      gains,
      edge,
      gate,
      active: key,
      openSince: when,
      busyUntil: when + this.fade + BLOCK / this.sampleRate,
      nextEdge: when + (loop ? loop.end : this.duration) - from,
      endFaded: false,
    };
    this.heard.get(key)!.plays += 1;
    this.log("play", {
      position: key,
      when,
      offset: from,
      loop_start: loop?.start ?? null,
      loop_end: loop?.end ?? null,
    });
    this.checkInTime(when);
    this.tick();
    this.timer = window.setInterval(() => this.tick(), TICK_MS);
  }

  // On an overloaded machine the moment may have passed while it was being scheduled: then what is
  // heard is not what was meant, and the log has to say so.
  private checkInTime(when: number): void {
    const now = this.context!.currentTime;
    if (now > when - BLOCK / this.sampleRate) this.log("late", { when, seconds: now - when });
  }

  // Close the gate; what still sounds for 5 ms runs out by itself.
  private end(): void {
    const run = this.run;
    if (!run || !this.context) return;
    window.clearInterval(this.timer);
    this.pending = null;
    this.run = null;
    const wanted = Math.max(this.context.currentTime + LEAD_SECONDS, run.busyUntil);
    const at = this.onSample(wanted, true);
    const over = !run.loop && at >= run.nextEdge - this.fade;
    if (!over) run.gate.gain.setValueCurveAtTime(this.down, at, this.fade);
    const done = over ? Math.max(run.nextEdge, at) : at + this.fade;
    for (const source of run.sources) source.stop(done + 1 / this.sampleRate);
    this.note(run, at);
    this.freeAt = done + 2 / this.sampleRate;
    this.position = over ? this.duration : this.at(run, at);
    this.log("pause", { when: at, ended: over });
    if (!over) this.checkInTime(at);
  }

  private switchTo(key: number): void {
    const run = this.run!;
    if (key === (this.pending ?? run.active)) return;
    const now = this.context!.currentTime;
    if (now + LEAD_SECONDS < run.busyUntil) {
      // Too early after the last: the last press wins when the time has come.
      this.pending = key;
      return;
    }
    this.pending = null;
    if (key === run.active) return;
    const at = this.onSample(Math.max(now + LEAD_SECONDS, run.busyUntil), true);
    if (!run.loop && at + 2 * this.fade >= run.nextEdge) {
      // Nothing is left to switch to: what was asked for is heard from its start.
      this.restart(key, 0);
      return;
    }
    run.gains.get(run.active)!.gain.setValueCurveAtTime(this.down, at, this.fade);
    const open = this.onSample(at + this.fade);
    run.gains.get(key)!.gain.setValueCurveAtTime(this.up, open, this.fade);
    this.note(run, at);
    run.active = key;
    run.openSince = open;
    run.busyUntil = open + this.fade + BLOCK / this.sampleRate;
    this.heard.get(key)!.plays += 1;
    this.log("switch", { position: key, when: at });
    this.checkInTime(at);
  }

  // Serves what is due: a queued switch, fades at coming loop ends, the end of the clip.
  private tick(): void {
    const run = this.run;
    const context = this.context;
    if (!run || !context) return;
    const now = context.currentTime;
    this.stalled = now > this.lastTick ? 0 : this.stalled + 1;
    this.lastTick = now;
    if (this.pending !== null && now + LEAD_SECONDS >= run.busyUntil) {
      const key = this.pending;
      this.pending = null;
      this.switchTo(key);
      // Too close to the end to switch: it has begun anew, and that run has ticked.
      if (this.run !== run) return;
    }
    while (run.loop && run.nextEdge < now + AHEAD_SECONDS) {
      this.dip(run, run.nextEdge);
      run.nextEdge += run.loop.end - run.loop.start;
    }
    if (!run.loop && run.nextEdge < now + AHEAD_SECONDS) {
      if (!run.endFaded) this.fadeOut(run, run.nextEdge);
      run.endFaded = true;
      if (now >= run.nextEdge) {
        this.note(run, run.nextEdge);
        window.clearInterval(this.timer);
        this.run = null;
        this.pending = null;
        this.position = this.loop?.start ?? 0;
        this.log("ended", { when: run.nextEdge });
      }
    }
    if (this.run) this.note(run, now);
    this.onchange();
  }

  // Down before a loop's end and up after it, as one curve. An end that passed while the machine
  // stood still has none any more: it would fall onto the next one, which browsers refuse.
  private dip(run: Run, at: number): void {
    const from = this.onSample(at - this.fade);
    const now = this.context!.currentTime;
    if (from < now) {
      this.log("late", { when: from, seconds: now - from });
      return;
    }
    run.edge.gain.setValueCurveAtTime(this.downAndUp, from, 2 * this.fade);
    this.checkInTime(from);
  }

  private fadeOut(run: Run, at: number): void {
    const from = this.onSample(at - this.fade) - 1 / this.sampleRate;
    // A start right before the end is quiet by its own fade.
    if (from > run.when) run.edge.gain.setValueCurveAtTime(this.down, from, this.fade);
  }

  // Everything up to a moment of the open stimulus counts as heard.
  private note(run: Run, until: number): void {
    const from = run.openSince;
    if (until <= from) return;
    const heard = this.heard.get(run.active)!;
    const length = until - from;
    if (!run.loop) {
      const start = run.offset + from - run.when;
      heard.add(start, Math.min(start + length, this.duration));
    } else {
      const start = this.at(run, from);
      const { start: low, end: high } = run.loop;
      if (start + length <= high) heard.add(start, start + length);
      else if (length >= high - low) heard.add(low, high);
      else {
        heard.add(start, high);
        heard.add(low, low + (start + length - high));
      }
    }
    run.openSince = until;
  }

  // Where in the clip a run is at a moment of the context's clock.
  private at(run: Run, moment: number): number {
    const position = run.offset + Math.max(0, moment - run.when);
    if (!run.loop || position < run.loop.end) return Math.min(position, this.duration);
    const { start, end } = run.loop;
    return start + ((position - end) % (end - start));
  }

  private onSample(seconds: number, up = false): number {
    const samples = seconds * this.sampleRate;
    return (up ? Math.ceil(samples - 1e-6) : Math.round(samples)) / this.sampleRate;
  }
}

function withTimeout(promise: Promise<void>, milliseconds: number): Promise<void> {
  return Promise.race([
    promise,
    new Promise<void>((resolve) => window.setTimeout(resolve, milliseconds)),
  ]);
}

// Half (or a whole) cosine, one at 0, with so many points that the straight lines between them are
// off by less than 1e-7.
function cosine(points: number, turns: (x: number) => number): Float32Array<ArrayBuffer> {
  const curve = new Float32Array(points);
  for (let k = 0; k < points; k++) {
    curve[k] = 0.5 * (1 + Math.cos(Math.PI * turns(k / (points - 1))));
  }
  return curve;
}
