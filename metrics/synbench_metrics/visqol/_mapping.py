"""From ViSQOL's similarities to a mean opinion score: exponential, support vectors, lattice.

Two of the mappings are models that were trained by the authors of ViSQOL. Their files come with the
distribution ``visqol-python``, which is not imported: only the two files in it are read, once per
process, and refused when their digest is not the one that every published score rests on.

References:
    google/visqol 3.3.3, ``speech_similarity_to_quality_mapper.cc``,
    ``svr_similarity_to_quality_mapper.cc``, ``tflite_quality_mapper.cc``.
"""

from __future__ import annotations

import functools
import math
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synbench_base.packages import package_content
from synbench_metrics._packages import INSTALL

Array = NDArray[np.float64]

SCALE_TO_5 = 1.245063
SUPPORT_VECTORS = "libsvm_nu_svr_model.txt"
SUPPORT_VECTORS_SHA256 = "1e8246ed33bf36dc5c859351f7110f2cd31f98661989715c0fcf974ec48d3e2e"
LATTICE = "lattice_tcditugenmeetpackhref_ls2_nl60_lr12_bs2048_learn.005_ep2400_train1_7_raw.tflite"
LATTICE_SHA256 = "4bd031d6c95594ae2cd1d471aa6611bff26b3bbf816528431ff1741bcd798dc6"

__all__ = [
    "LATTICE",
    "LATTICE_SHA256",
    "SCALE_TO_5",
    "SUPPORT_VECTORS",
    "SUPPORT_VECTORS_SHA256",
    "exponential",
    "has_model",
    "lattice",
    "support_vectors",
]


def exponential(similarity: Array, *, scale: float = SCALE_TO_5) -> float:
    """MOS of mean similarities per band ``(21,)``; clipped to 1 and 5."""
    mean = float(np.mean(similarity))
    mos = -262.847869 + math.exp(0.0154302525 * (mean + 361.063949))
    return min(max(mos * scale, 1.0), 5.0)


def support_vectors(similarity: Array) -> float:
    """MOS of mean similarities per band ``(32,)`` by nu-SVR with a radial kernel."""
    vectors, weights, gamma, rho = _support_vector_model()
    distance = np.sum((vectors - similarity) ** 2, axis=1)
    return min(max(float(weights @ np.exp(-gamma * distance)) - rho, 1.0), 5.0)


def lattice(means: Array, lowest: Array, deviations: Array, energy: Array) -> float:
    """MOS by the deep lattice network, single precision; four features per band, ``(21,)`` each.

    Args:
        means: similarity, mean over patches.
        lowest: similarity, mean over the lowest tenth of the patches.
        deviations: pooled standard deviation of the similarity.
        energy: mean level of the degraded patches, dB above the floor.
    """
    features = {"fvnsim": means, "fvnsim10_": lowest, "fstdnsim": deviations, "fvdegenergy": energy}
    inputs = {
        f"{name}{band}": np.array([value], dtype=np.float32)
        for name, values in features.items()
        for band, value in enumerate(values)
    }
    inputs["tau"] = np.array([0.5], dtype=np.float32)
    return float(_lattice_runner()(**inputs)["predictions"].ravel()[0])


def has_model(name: str, sha256: str) -> Callable[[], None]:
    """A check that a model file is there; it raises :class:`Unavailable`."""

    def check() -> None:
        _model_bytes(name, sha256)

    return check


def _model_bytes(name: str, sha256: str) -> bytes:
    """Content of a model file of ``visqol-python``."""
    return package_content("visqol", f"model/{name}", sha256, advice=INSTALL)


@functools.cache
def _support_vector_model() -> tuple[Array, Array, float, float]:
    """Vectors ``(317, 32)``, their weights ``(317,)``, gamma and rho, from libsvm's text form."""
    lines = _model_bytes(SUPPORT_VECTORS, SUPPORT_VECTORS_SHA256).decode("ascii").splitlines()
    start = lines.index("SV") + 1
    header = dict(line.split(maxsplit=1) for line in lines[: start - 1])
    rows = [line.split() for line in lines[start:]]
    vectors = np.zeros((len(rows), 32))  # what a line leaves out is zero
    for row, (_, *entries) in enumerate(rows):
        for entry in entries:
            index, value = entry.split(":")
            vectors[row, int(index) - 1] = float(value)
    weights = np.array([float(row[0]) for row in rows])
    return vectors, weights, float(header["gamma"]), float(header["rho"])


@functools.cache
def _lattice_runner() -> Any:
    """The network, loaded once per process, on one thread."""
    content = _model_bytes(LATTICE, LATTICE_SHA256)
    from ai_edge_litert.interpreter import Interpreter

    with _without_native_log():
        interpreter = Interpreter(model_content=content, num_threads=1)
        interpreter.allocate_tensors()
    # The runner keeps no reference to the interpreter whose memory it uses.
    return functools.partial(_run, interpreter, interpreter.get_signature_runner("predict"))


@contextmanager
def _without_native_log() -> Iterator[None]:
    """Keep off the terminal what native code prints; the runtime greets each process on stderr.

    Its errors are Python exceptions and are not affected.
    """
    sys.stderr.flush()
    saved = os.dup(2)
    try:
        with open(os.devnull, "wb") as nowhere:  # noqa: PTH123 - a device, not a path
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)


def _run(interpreter: Any, runner: Any, **inputs: NDArray[np.float32]) -> dict[str, Any]:
    """Call the runner while the interpreter is alive."""
    result: dict[str, Any] = runner(**inputs)
    return result
