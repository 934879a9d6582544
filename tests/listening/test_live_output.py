"""What really comes out of the page, sample by sample, against the signal that should.

Live, the output is recorded by an AudioWorklet in front of the loudspeakers; a machine that is too
busy to play in time cannot be judged so. Stepped, the browser's own nodes render into memory, a few
milliseconds at a time, and their clock waits for the page: that is the same on any machine. The
page's own log says when it meant to start, switch and stop; from that and the files the ideal
signal follows.
"""

from __future__ import annotations

import base64
import math
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray
from virtual_listener import VirtualListener

from synbench_listening.design.session_plan import REFERENCE
from synbench_listening.design.study_folder import StudyFolder

Wave = NDArray[np.float64]

# Stands between the page and its destination, from before the page's own script runs.
TAP = """
(() => {
  const code = `registerProcessor("tap", class extends AudioWorkletProcessor {
    process([input], [output]) {
      const wave = input[0] ?? new Float32Array(128);
      // Blocks that an overloaded machine never computed.
      if (this.next && currentFrame !== this.next) this.port.postMessage(currentFrame - this.next);
      this.next = currentFrame + 128;
      // Few messages, so that taking the record does not keep the page from its work.
      if (this.block && currentFrame - this.block[0] > 1920) {
        this.port.postMessage(this.block);
        this.block = null;
      }
      this.block ??= [currentFrame, new Float32Array(2048)];
      this.block[1].set(wave, currentFrame - this.block[0]);
      for (const channel of output) channel.set(wave);
      return true;
    }
  })`;
  const url = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
  const connect = AudioNode.prototype.connect;
  window.tapped = [];
  window.lost = [];
  AudioNode.prototype.connect = function (target, ...rest) {
    const context = this.context;
    if (target !== context.destination || this instanceof AudioWorkletNode)
      return connect.call(this, target, ...rest);
    context.audioWorklet.addModule(url).then(() => {
      const tap = new AudioWorkletNode(context, "tap");
      tap.port.onmessage = ({ data }) => (data.length ? tapped.push(data) : lost.push(data));
      connect.call(this, tap);
      connect.call(tap, context.destination);
    });
    return target;
  };
})();
"""
# The clock stands still while the page works, and moves on by less than the page plans ahead.
STEPPED = """
(() => {
  const STEP_SECONDS = 0.02, MOST_SECONDS = 90;
  window.tapped = [];
  window.lost = [];
  window.AudioContext = class extends OfflineAudioContext {
    constructor({ sampleRate }) {
      super(1, MOST_SECONDS * sampleRate, sampleRate);
      this.next = STEP_SECONDS;
      super.suspend(this.next).then(() => this.rest());
      super.startRendering().then((buffer) => {
        tapped.push([0, buffer.getChannelData(0)]);
      });
      window.finishRendering = () => { this.last = true; };
    }
    rest() {
      setTimeout(() => {
        if (!this.last) {
          this.next += STEP_SECONDS;
          super.suspend(this.next).then(() => this.rest());
        }
        super.resume();
      }, 1000 * STEP_SECONDS);
    }
    get state() { return "running"; }
    set onstatechange(_) {}
    resume() { return Promise.resolve(); }
  };
})();
"""
COLLECT_STEPPED = """
async () => {
  finishRendering();
  while (!tapped.length) await new Promise((resolve) => setTimeout(resolve, 50));
  const bytes = new Uint8Array(tapped[0][1].buffer);
  let text = "";
  for (let k = 0; k < bytes.length; k += 32768)
    text += String.fromCharCode(...bytes.subarray(k, k + 32768));
  return [0, btoa(text)];
}
"""
COLLECT = """
() => {
  const first = tapped[0][0], last = tapped[tapped.length - 1][0];
  const wave = new Float32Array(last - first + 2048);
  for (const [frame, data] of tapped) wave.set(data, frame - first);
  const bytes = new Uint8Array(wave.buffer);
  let text = "";
  for (let k = 0; k < bytes.length; k += 32768)
    text += String.fromCharCode(...bytes.subarray(k, k + 32768));
  return [first, btoa(text)];
}
"""


def record(
    browser: Any, server: Any, act: Callable[[Any], None], *, stepped: bool
) -> tuple[Wave, Wave, list[Any]]:
    """Recorded and ideal output of one MUSHRA page on which ``act`` presses keys, and what says
    that the machine was too busy: moments scheduled too late, numbers of samples never computed."""
    context = browser.new_context(bypass_csp=True, locale="en")
    context.add_init_script(STEPPED if stepped else TAP)
    page = context.new_page()
    listener = VirtualListener(page, server)
    listener.begin()
    listener.questionnaire()
    page.locator(".play").first.wait_for()
    if not stepped:
        page.wait_for_function("window.tapped.length > 0")
    act(page)
    playing = page.locator(".play[aria-pressed=true]")
    while playing.count():
        page.keyboard.press(" ")
        page.wait_for_timeout(300)
    page.wait_for_timeout(300)
    first, text = page.evaluate(COLLECT_STEPPED if stepped else COLLECT)
    lost = page.evaluate("window.lost")
    page.evaluate("window.dispatchEvent(new Event('pagehide'))")
    wait_for_log(page, server)
    recorded = np.frombuffer(base64.b64decode(text), "<f4").astype(np.float64)
    session = server.session
    trial = server.key.block(session.block).pages[2]
    waves = {
        position: soundfile.read(server.folder.clip_path(server.key.stimuli[name]))[0]
        for position, name in enumerate((trial.reference, *trial.stimuli), start=REFERENCE)
    }
    context.close()
    ideal = ideal_output(session.events, waves, server.key.sample_rate, first, recorded.size)
    late = [event.data for event in session.events if event.type == "late"]
    return recorded, ideal, lost + late


def wait_for_log(page: Any, server: Any) -> None:
    """The log has arrived when everything that was started was stopped."""
    for _ in range(100):
        types = Counter(event.type for event in server.events)
        if types["play"] and types["play"] == types["pause"] + types["ended"]:
            return
        page.wait_for_timeout(100)
    raise AssertionError(types)


def ideal_output(
    events: list[Any], waves: dict[int, Wave], rate: int, first: int, samples: int
) -> Wave:
    """The sum over all runs: clip x switch fades x fades at loop ends x start and stop fades."""
    frames = np.arange(first, first + samples)
    output = np.zeros(samples)
    steps = [event for event in events if event.type in ("play", "switch", "pause", "ended")]
    for index, event in enumerate(steps):
        if event.type != "play":
            continue
        following = [other.type for other in steps[index + 1 :]]
        length = next(k for k, name in enumerate(following) if name in ("pause", "ended"))
        run = steps[index : index + 2 + length]
        output += one_run(run, waves, rate, frames)
    return output


def one_run(run: list[Any], waves: dict[int, Wave], rate: int, frames: NDArray[np.int64]) -> Wave:
    start, end = run[0].data, run[-1]
    when = round(start["when"] * rate)
    time = (frames - when) / rate
    length = math.ceil(0.005 * rate) / rate
    offset = round(start["offset"] * rate)
    total = waves[REFERENCE].size
    position = offset + frames - when
    edges = np.ones(frames.size)
    if start["loop_end"] is None:
        inside = (position >= 0) & (position < total)
        edges *= fade(-(time - (total - offset - 1) / rate), length)
    else:
        low, high = round(start["loop_start"] * rate), round(start["loop_end"] * rate)
        around = (high - offset) + (high - low) * np.arange(200)
        for edge in around[around < frames[-1] - when + rate]:
            after = time - edge / rate
            edges *= fade(np.abs(after), length)
        position = np.where(position >= high, low + (position - high) % (high - low), position)
        inside = np.ones(frames.size, bool)
    gate = fade(time, length)
    if end.type == "pause" and not end.data["ended"]:
        gate *= 1 - fade(frames / rate - end.data["when"], length)
    output = np.zeros(frames.size)
    switches = [step.data for step in run[1:-1]]
    for index, part in enumerate([start, *switches]):
        gain = np.ones(frames.size)
        if index:
            gain = fade(frames / rate - part["when"] - length, length)
        if index < len(switches):
            gain = gain - fade(frames / rate - switches[index]["when"], length)
        wave = waves[int(part["position"])]
        sound = np.where(inside, wave[np.clip(position, 0, total - 1)], 0.0)
        output += sound * gain
    return output * gate * edges


def fade(seconds: Wave, length: float) -> Wave:
    """0 before, 1 after, half a cosine over the ``length`` (in seconds) between."""
    x = np.clip(seconds / length, 0, 1)
    return np.asarray(0.5 * (1 - np.cos(np.pi * x)))


def switch_about(page: Any) -> None:
    page.keyboard.press("r")
    for key in "12341r2":
        page.wait_for_timeout(170)
        page.keyboard.press(key)
    page.wait_for_timeout(300)


def press_too_fast(page: Any) -> None:
    page.keyboard.press("1")
    page.wait_for_timeout(100)
    for key in "234123412341r" * 3:
        page.keyboard.press(key)
    page.wait_for_timeout(300)
    page.keyboard.press(" ")
    page.keyboard.press(" ")
    page.wait_for_timeout(200)


def repeat_a_part(page: Any) -> None:
    box = page.locator("canvas").bounding_box()
    page.mouse.move(box["x"] + 0.2 * box["width"], box["y"] + 10)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.75 * box["width"], box["y"] + 10, steps=4)
    page.mouse.up()
    page.keyboard.press("2")
    page.wait_for_timeout(1500)
    page.keyboard.press("3")
    page.wait_for_timeout(700)


def run_to_the_end(page: Any) -> None:
    page.locator(".tools input").uncheck()
    page.keyboard.press("4")
    page.wait_for_timeout(1400)
    page.keyboard.press("2")
    page.wait_for_timeout(500)


@pytest.mark.slow
@pytest.mark.parametrize("clock", ["stepped", "live"])
@pytest.mark.parametrize(
    ("act", "sample_rate"),
    [
        (switch_about, 16000),
        (switch_about, 44100),
        (press_too_fast, 16000),
        (press_too_fast, 48000),
        (repeat_a_part, 16000),
        (repeat_a_part, 24000),
        (repeat_a_part, 44100),
        (run_to_the_end, 16000),
        (run_to_the_end, 48000),
    ],
)
def test_the_output_is_the_ideal_signal(
    browser: Any,
    study_by_hand: Callable[..., StudyFolder],
    serve: Any,
    act: Callable[[Any], None],
    sample_rate: int,
    clock: str,
) -> None:
    folder = study_by_hand(sample_rate=sample_rate, sound_test=False)
    server = serve(folder)
    stepped = clock == "stepped"
    for _ in range(1 if stepped else 4):
        recorded, ideal, troubles = record(browser, server, act, stepped=stepped)
        if not troubles:
            break
    else:
        assert not stepped, f"the clock waits for the page, and yet: {troubles}"
        pytest.skip(f"this machine is too busy to play in time: {troubles}")
    assert np.abs(ideal).max() > 0.25
    assert np.abs(recorded - ideal).max() < 1e-6
    # No click: no step is larger than the steepest tone's own slope and that of a fade.
    slope = 0.3 * (2 * np.pi * 600 + np.pi / 2 / 0.005) / sample_rate
    assert np.abs(np.diff(recorded)).max() < slope
