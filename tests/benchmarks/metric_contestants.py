"""One side of a comparison, as a process of its own on one core: ``python FILE CONTESTANT AUDIO``.

AUDIO is an ``.npz``: ``reference_0`` and so on, shape ``(samples,)``, and ``degraded_0`` and so on,
shape ``(codecs, samples)``, at 48 kHz for ViSQOL's audio mode, else at 16 kHz. Printed is JSON:

``start``    wall seconds from the start to the first score: imports, compilation, tables
``seconds``  CPU seconds to score everything once, the best of the rounds
``values``   the scores, per pair the columns side by side
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator

import numpy as np

Scorer = Callable[[np.ndarray, np.ndarray], list[float]]


def ours(*columns: str, rate: int = 16000) -> Scorer:
    """Through the one door, as a run does it."""
    import synbench_metrics

    metrics = [synbench_metrics.load(column) for column in columns]

    def score(reference: np.ndarray, degraded: np.ndarray) -> list[float]:
        outcomes = [
            synbench_metrics.score(metric, reference=reference, degraded=degraded, sample_rate=rate)
            for metric in metrics
        ]
        return [outcome.value for outcome in outcomes]

    return score


def visqol_python(*, accelerated: bool, mode: str = "speech") -> Scorer:
    """The package with its optional compiler, or as it is without."""
    rate = 48000 if mode == "audio" else 16000
    if not accelerated:
        sys.modules["numba"] = None  # type: ignore[assignment]
    from visqol import VisqolApi, numba_accel

    assert numba_accel.has_numba() == accelerated
    listener = VisqolApi()
    listener.create(mode=mode, use_lattice_model=False)
    return lambda reference, degraded: [
        listener.measure_from_arrays(reference, degraded, rate).moslqo
    ]


def pystoi() -> Scorer:
    from pystoi import stoi

    return lambda reference, degraded: [
        stoi(reference, degraded, 16000, extended=extended) for extended in (False, True)
    ]


def packages(*, accelerated: bool) -> Scorer:
    """A plain loop: every package on every pair."""
    from pesq import pesq

    listen, understand = visqol_python(accelerated=accelerated), pystoi()
    return lambda reference, degraded: [
        pesq(16000, reference, degraded, "wb"),
        *understand(reference, degraded),
        *listen(reference, degraded),
    ]


CONTESTANTS: dict[str, Callable[[], Scorer]] = {
    "visqol: synbench": lambda: ours("visqol_speech_exp"),
    "visqol: accelerated": lambda: visqol_python(accelerated=True),
    "visqol: core": lambda: visqol_python(accelerated=False),
    "audio: synbench": lambda: ours("visqol_audio", rate=48000),
    "audio: accelerated": lambda: visqol_python(accelerated=True, mode="audio"),
    "audio: core": lambda: visqol_python(accelerated=False, mode="audio"),
    "stoi: synbench": lambda: ours("stoi", "estoi"),
    "stoi: pystoi": pystoi,
    "stage: synbench": lambda: ours("pesq_wb", "stoi", "estoi", "visqol_speech_exp"),
    "stage: accelerated": lambda: packages(accelerated=True),
    "stage: core": lambda: packages(accelerated=False),
}


def pairs(audio: dict[str, np.ndarray]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    for name in audio:
        if name.startswith("reference"):
            for degraded in audio[name.replace("reference", "degraded")]:
                yield audio[name], degraded


def main(contestant: str, path: str, rounds: int) -> None:
    started = time.perf_counter()
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    with np.load(path) as file:
        audio = {name: file[name] for name in file.files}
    score = CONTESTANTS[contestant]()
    score(*next(pairs(audio)))
    report = {"start": time.perf_counter() - started, "seconds": np.inf}
    for _ in range(rounds):
        _forget()
        before = time.process_time()
        values = [score(*pair) for pair in pairs(audio)]
        report["seconds"] = min(report["seconds"], time.process_time() - before)
    print(json.dumps(report | {"values": values}))


def _forget() -> None:
    """No round profits from the one before."""
    if "synbench_metrics" in sys.modules:
        from synbench_metrics import _remember

        _remember.forget()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
