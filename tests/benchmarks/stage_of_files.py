"""Score pairs of files as a user would: ``python FILE HOW PAIRS``, HOW being synbench or a loop.

PAIRS is JSON: a list of [reference, degraded]. Printed are the scores, a row per pair.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

COLUMNS = ("pesq_wb", "stoi", "estoi", "visqol_speech_exp")


def synbench(pairs: list[list[str]]) -> list[list[float]]:
    """The bench's own pool, one worker per core."""
    from synbench.execution.cores import default_workers
    from synbench.pairs import SoundPair, score_pairs

    work = [SoundPair(degraded, Path(reference), Path(degraded)) for reference, degraded in pairs]
    scored = score_pairs(work, COLUMNS, workers=default_workers())
    return [[row.outcomes[column].value for column in COLUMNS] for row in scored]


def loop(pairs: list[list[str]]) -> list[list[float]]:
    """Every package on every pair, one after the other; ViSQOL with its compiler where it is."""
    import soundfile
    from pesq import pesq
    from pystoi import stoi
    from visqol import VisqolApi

    listener = VisqolApi()
    listener.create(mode="speech", use_lattice_model=False)
    times = []
    for left, right in pairs:
        (reference, rate), (degraded, _) = soundfile.read(left), soundfile.read(right)
        times.append([
            pesq(rate, reference, degraded, "wb"),
            stoi(reference, degraded, rate),
            stoi(reference, degraded, rate, extended=True),
            listener.measure_from_arrays(reference, degraded, rate).moslqo,
        ])  # fmt: skip
    return times


if __name__ == "__main__":
    how = {"synbench": synbench, "loop": loop}[sys.argv[1]]
    print(json.dumps(how(json.loads(Path(sys.argv[2]).read_text()))))
