"""CPU seconds per second of audio of our networks at published size, against plain eager ones.

Both sides have the same random weights and run on one thread, one after the other, in turns. They
must agree, or the ratio means nothing; the ratios are printed and asserted by no one.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="pip install 'synbench[torch]'")

for folder in (".", "../codecs"):
    sys.path.insert(0, str(Path(__file__).parent / folder))

from eager_networks import eager_bigcodec, eager_wavtokenizer  # noqa: E402
from untrained import calibrate  # noqa: E402

import synbench_codecs  # noqa: E402
from synbench_codecs._torch import inference  # noqa: E402

SECONDS, ROUNDS = 2, 2

# Minutes on a busy machine: the largest network has 159 million weights.
pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(1800)]


@pytest.mark.parametrize(
    ("spec", "eager"),
    [
        ("bigcodec", eager_bigcodec),
        ("wavtokenizer:variant=large-unify-40token", eager_wavtokenizer),
        ("wavtokenizer:variant=large-speech-75token", eager_wavtokenizer),
    ],
)
def test_against_an_eager_module(
    spec: str, eager: Callable[[Any], Any], capsys: pytest.CaptureFixture[str]
) -> None:
    name, options = synbench_codecs.parse_spec(spec)
    torch.manual_seed(1)
    codec = synbench_codecs.codec_class(name).untrained(**options)
    calibrate(codec)
    ours, theirs = codec.model, eager(codec.model)
    rate = codec.info.sample_rate
    wave = 0.1 * torch.randn(1, SECONDS * rate)
    with inference():
        tokens = ours.encode(wave)
        assert torch.equal(theirs.encode(wave), tokens)
        torch.testing.assert_close(theirs.decode(tokens), ours.decode(tokens), rtol=0, atol=1e-3)
        encoder = _race(lambda: ours.encode(wave), lambda: theirs.encode(wave))
        decoder = _race(lambda: ours.decode(tokens), lambda: theirs.decode(tokens))
    with capsys.disabled():
        print(f"\n{spec}, {SECONDS} s, CPU seconds per second, ours / eager:")
        for side, (fast, slow) in (("encoder", encoder), ("decoder", decoder)):
            print(f"  {side} {fast:.3f} / {slow:.3f}, ratio {slow / fast:.2f}")
        both = (encoder[1] + decoder[1]) / (encoder[0] + decoder[0])
        print(f"  both    ratio {both:.2f}; {tokens.unique().numel()} different tokens")


def _race(*sides: Callable[[], object]) -> list[float]:
    """The smallest CPU time of each side, per second of audio; they take turns."""
    spent: list[list[float]] = [[] for _ in sides]
    for _ in range(ROUNDS):
        for times, run in zip(spent, sides, strict=True):
            start = time.process_time()
            run()
            times.append((time.process_time() - start) / SECONDS)
    return [min(times) for times in spent]
