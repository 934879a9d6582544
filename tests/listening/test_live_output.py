"""What really comes out of the page, sample by sample, against the signal that should.

The output is recorded by an AudioWorklet in front of the loudspeakers. The page's own log says when
it meant to start, switch and stop; from that and the files the ideal signal follows.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray
from virtual_listener import VirtualListener

from synbench_listening.folder import StudyFolder
from synbench_listening.plan import REFERENCE
from synbench_listening.study import Listening

Wave = NDArray[np.float64]
FADE_SECONDS = 0.005

# Stands between the page and its destination, from before the page's own script runs.
TAP = """
(() => {
  const code = `registerProcessor("tap", class extends AudioWorkletProcessor {
    process([input], [output]) {
      const wave = input[0] ?? new Float32Array(128);
      this.port.postMessage([currentFrame, wave.slice()]);
      for (const channel of output) channel.set(wave);
      return true;
    }
  })`;
  const url = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
  const connect = AudioNode.prototype.connect;
  window.tapped = [];
  AudioNode.prototype.connect = function (target, ...rest) {
    const context = this.context;
    if (target !== context.destination || this instanceof AudioWorkletNode)
      return connect.call(this, target, ...rest);
    context.audioWorklet.addModule(url).then(() => {
      const tap = new AudioWorkletNode(context, "tap");
      tap.port.onmessage = (event) => window.tapped.push(event.data);
      connect.call(this, tap);
      connect.call(tap, context.destination);
      window.tapReady = true;
    });
    return target;
  };
})();
"""
COLLECT = """
() => {
  const first = tapped[0][0], last = tapped[tapped.length - 1][0];
  const wave = new Float32Array(last - first + 128);
  for (const [frame, data] of tapped) wave.set(data, frame - first);
  const bytes = new Uint8Array(wave.buffer);
  let text = "";
  for (let k = 0; k < bytes.length; k += 32768)
    text += String.fromCharCode(...bytes.subarray(k, k + 32768));
  return [first, btoa(text)];
}
"""


def record(browser: Any, server: Any, act: Callable[[Any], None]) -> tuple[Wave, Wave]:
    """Recorded and ideal output of one MUSHRA page on which ``act`` presses keys."""
    context = browser.new_context(bypass_csp=True, locale="en")
    context.add_init_script(TAP)
    page = context.new_page()
    listener = VirtualListener(page, server)
    listener.begin()
    listener.questionnaire()
    page.locator(".play").first.wait_for()
    act(page)
    page.wait_for_timeout(400)
    first, text = page.evaluate(COLLECT)
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    page.evaluate("window.dispatchEvent(new Event('pagehide'))")
    page.wait_for_timeout(300)
    recorded = np.frombuffer(base64.b64decode(text), "<f4").astype(np.float64)
    session = server.session
    trial = server.key.block(session.block).pages[2]
    waves = {
        position: soundfile.read(server.folder.clip_path(server.key.stimuli[name]))[0]
        for position, name in enumerate((trial.reference, *trial.stimuli), start=REFERENCE)
    }
    context.close()
    ideal = ideal_output(session.events, waves, server.key.sample_rate, first, recorded.size)
    return recorded, ideal


def ideal_output(
    events: list[Any], waves: dict[int, Wave], rate: int, first: int, samples: int
) -> Wave:
    """The sum over all runs: clip x switch fades x fades at loop ends x start and stop fades."""
    frames = np.arange(first, first + samples)
    output = np.zeros(samples)
    steps = [event for event in events if event.type in ("play", "switch", "pause", "ended")]
    for place, event in enumerate(steps):
        if event.type != "play":
            continue
        following = [other.type for other in steps[place + 1 :]]
        length = next(k for k, name in enumerate(following) if name in ("pause", "ended"))
        run = steps[place : place + 2 + length]
        output += one_run(run, waves, rate, frames)
    return output


def one_run(run: list[Any], waves: dict[int, Wave], rate: int, frames: NDArray[np.int64]) -> Wave:
    start, end = run[0].data, run[-1]
    when = round(start["when"] * rate)
    time = (frames - when) / rate
    offset = round(start["offset"] * rate)
    total = waves[REFERENCE].size
    position = offset + frames - when
    edges = np.ones(frames.size)
    if start["loop_end"] is None:
        inside = (position >= 0) & (position < total)
        edges *= fade(-(time - (total - offset - 1) / rate))
    else:
        low, high = round(start["loop_start"] * rate), round(start["loop_end"] * rate)
        around = (high - offset) + (high - low) * np.arange(200)
        for edge in around[around < frames[-1] - when + rate]:
            after = time - edge / rate
            edges *= fade(np.abs(after))
        position = np.where(position >= high, low + (position - high) % (high - low), position)
        inside = np.ones(frames.size, bool)
    gate = fade(time) * (time >= 0)
    if end.type == "pause" and not end.data["ended"]:
        gate *= 1 - fade(frames / rate - end.data["when"])
    output = np.zeros(frames.size)
    switches = [step.data for step in run[1:-1]]
    for place, part in enumerate([start, *switches]):
        gain = np.ones(frames.size)
        if place:
            gain = fade(frames / rate - part["when"] - FADE_SECONDS)
        if place < len(switches):
            gain = gain - fade(frames / rate - switches[place]["when"])
        wave = waves[int(part["position"])]
        sound = np.where(inside, wave[np.clip(position, 0, total - 1)], 0.0)
        output += sound * gain
    return output * gate * edges


def fade(seconds: Wave) -> Wave:
    """0 before, 1 after, half a cosine over the 5 ms between."""
    x = np.clip(seconds / FADE_SECONDS, 0, 1)
    return np.asarray(0.5 * (1 - np.cos(np.pi * x)))


def switch_about(page: Any) -> None:
    page.keyboard.press("r")
    for key in "12341r2":
        page.wait_for_timeout(170)
        page.keyboard.press(key)
    page.wait_for_timeout(300)
    page.keyboard.press(" ")


def press_too_fast(page: Any) -> None:
    page.keyboard.press("1")
    page.wait_for_timeout(100)
    for key in "234123412341r" * 3:
        page.keyboard.press(key)
    page.wait_for_timeout(300)
    page.keyboard.press(" ")
    page.keyboard.press(" ")
    page.wait_for_timeout(200)
    page.keyboard.press(" ")


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
    page.keyboard.press(" ")


def run_to_the_end(page: Any) -> None:
    page.locator(".tools input").uncheck()
    page.keyboard.press("4")
    page.wait_for_timeout(1400)
    page.keyboard.press("2")
    page.wait_for_timeout(500)
    page.keyboard.press(" ")


@pytest.mark.slow
@pytest.mark.parametrize("act", [switch_about, press_too_fast, repeat_a_part, run_to_the_end])
def test_the_output_is_the_ideal_signal(
    browser: Any, study_by_hand: Callable[..., StudyFolder], serve: Any, act: Callable[[Any], None]
) -> None:
    recorded, ideal = record(browser, serve(study_by_hand(listening=Listening())), act)
    assert np.abs(ideal).max() > 0.25
    assert np.abs(recorded - ideal).max() < 1e-6
    # No click: no step is larger than the steepest tone's own slope and that of a fade.
    slope = 0.3 * (2 * np.pi * 600 / 16000 + np.pi / 2 / (FADE_SECONDS * 16000))
    assert np.abs(np.diff(recorded)).max() < slope
