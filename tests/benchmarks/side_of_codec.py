"""One side of the comparison of a network with a plain eager one, in a process of its own.

``python side_of_codec.py SPEC SIDE SECONDS`` with the side ``ours`` or ``eager`` prints JSON: CPU
seconds per second of audio of encoder and decoder, for the first wave and for the next one, and
what came out. A process of its own, because what another network has left of memory changes both.
"""

from __future__ import annotations

import hashlib
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

for folder in (".", "../codecs"):
    sys.path.insert(0, str(Path(__file__).parent / folder))

import torch  # noqa: E402
from eager_networks import eager_bigcodec, eager_wavtokenizer  # noqa: E402
from untrained import calibrate  # noqa: E402

import synbench_codecs  # noqa: E402
from synbench_codecs.support.torch_models import inference  # noqa: E402

EAGER = {"bigcodec": eager_bigcodec, "wavtokenizer": eager_wavtokenizer}


def main(spec: str, side: str, seconds: float) -> None:
    """Measure and print."""
    name, options = synbench_codecs.parse_spec(spec)
    torch.manual_seed(1)
    codec = synbench_codecs.codec_class(name).untrained(**options)
    calibrate(codec)
    # Drawn first: making the other network draws random numbers too.
    wave = 0.1 * torch.randn(1, round(seconds * codec.info.sample_rate))
    network: Any = EAGER[name](codec.model) if side == "eager" else codec.model
    passes = []
    with inference():
        for _ in range(2):
            encoder, tokens = _timed(lambda: network.encode(wave), seconds)
            decoder, decoded = _timed(lambda tokens=tokens: network.decode(tokens), seconds)
            passes.append({"encoder": encoder, "decoder": decoder})
    measured = {
        "first": passes[0],
        "next": passes[1],
        "tokens": hashlib.sha256(tokens.numpy().tobytes()).hexdigest(),
        "different": tokens.unique().numel(),
        "samples": decoded[0, ::997].tolist(),
    }
    print(json.dumps(measured))


def _timed(run: Callable[[], Any], seconds: float) -> tuple[float, Any]:
    start = time.process_time()
    out = run()
    return (time.process_time() - start) / seconds, out


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], float(sys.argv[3]))
