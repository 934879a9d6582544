"""Writes ``warp_q.json``: what the authors' WARP-Q says of every patch of made speech.

    git clone https://github.com/wjassim/WARP-Q  # bdf8616
    pip install librosa pandas pyvad webrtcvad-wheels joblib tqdm soundfile
    python tests/data/make_warp_q.py WARP-Q

The waves are the ``made_*.flac`` beside it. Their program rounds to three decimals and computes its
features in single precision; the costs are taken before they are rounded.
"""

from __future__ import annotations

import json
import sys
import types
from pathlib import Path

import numpy as np
import soundfile

HERE = Path(__file__).parent


def main() -> None:
    sys.path.insert(0, sys.argv[1])
    np.lib.pad = np.pad  # gone from numpy 2
    # Only for figures.
    sys.modules.setdefault("seaborn", types.ModuleType("seaborn"))
    from warpq.core import warpqMetric

    program = warpqMetric(n_jobs=1)
    align = program.dtw_alignment_cost
    costs: list[float] = []

    def aligned(*arguments: object) -> object:
        result = align(*arguments)
        costs.append(float(result[0]))
        return result

    program.dtw_alignment_cost = aligned
    reference, rate = soundfile.read(HERE / "made_reference.flac")
    said = {}
    for name in ("reference", "noise", "coarse", "telephone"):
        costs.clear()
        result = program.evaluate(
            reference, soundfile.read(HERE / f"made_{name}.flac")[0], arr_sr=rate
        )
        said[name] = {
            "costs": [round(each, 8) for each in costs],
            "warp_q": float(result["raw_warpq_score"]),
            "warp_q_normalised": float(result["normalized_warpq_score"]),
        }
    text = json.dumps({"made_by": "WARP-Q 1.5.2 (bdf8616), librosa 0.11.0", "said": said})
    (HERE / "warp_q.json").write_text(f"{text}\n")


if __name__ == "__main__":
    main()
