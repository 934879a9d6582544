"""PESQ: perceptual evaluation of speech quality, wide band and narrow band.

Conventions
    reference, degraded   mono, ``(samples,)``, full scale at -1 and 1; both are divided by the
                          larger of their two peaks, so a common gain does not matter
    sample_rate           wide band 16 kHz only; narrow band 8 or 16 kHz
    value                 MOS-LQO; wide band 0.999 to 4.6439, narrow band 0.999 to 4.5487

``pesq_wb`` is P.862.2 as published in 2005, by the package ``pesq``: what nearly all papers print.
``pesq_wb_c2`` applies Corrigendum 2 of 2018, which moves the wide-band score by up to 1.3; it and
``pesq_nb_c2`` need the package ``pesqc2``, which declares numpy below 2 and is therefore installed
by hand::

    pip install cython setuptools
    pip install --no-deps --no-build-isolation pesqc2==0.0.4

Scores of the two versions must never share a column. The correction is one of the wide-band
filter: ``pesq_nb`` and ``pesq_nb_c2`` are the same number.

The narrow-band model filters to the telephone band itself and is defined at 8 and at 16 kHz.
16 kHz is preferred: recordings at 16, 24, 44.1 and 48 kHz are then all scored at one rate, and only
material that was recorded at 8 kHz is scored at 8 kHz.

The reference code has room for 50 utterances and does not check: a longer file overwrites its own
memory, which gives a wrong score or ends the process. An utterance and the pause after it take at
least 0.4 s, so up to 20 s nothing can happen. Beyond, the utterances are counted here first, and a
reference that may hold too many has no score. P.862.3 advises 8 to 30 s.

The lengths may differ here; :func:`synbench_metrics.score` insists on equal ones.

Pitfalls
    - It compares with the original, moment by moment. A generative codec that says the same words
      in its own way is marked down although listeners like it: compare codecs of one kind.
    - Near the floor (below about 1.5) the scale is compressed, and differences say little.
    - Print the column's whole name: narrow band and the corrected version are other numbers.

References:
    ITU-T P.862 (2001), P.862.1 (2003), P.862.2 (2005).
"""

from __future__ import annotations

import functools
import importlib
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from synbench_base.errors import NotApplicable
from synbench_base.packages import installed_version, pip_install, requires
from synbench_metrics._interface import Metric, MetricInfo, Wave
from synbench_metrics._packages import INSTALL

LICENCE = (
    "MIT wrapper around the ITU/OPTICOM reference code, which may be used to understand or "
    "evaluate PESQ, not otherwise commercially, and must not be changed"
)

INSTALL_C2 = pip_install("--no-deps --no-build-isolation pesqc2==0.0.4")

SAFE_SECONDS = 20.0
LONGEST_SECONDS = 1800.0  # takes a gigabyte
MOST_UTTERANCES = 40  # the reference code has room for 50, but hears a little differently

__all__ = ["METRICS", "count_utterances", "narrow_band", "wide_band"]


def wide_band(*, reference: Wave, degraded: Wave, sample_rate: int, package: str = "pesq") -> float:
    """MOS-LQO of P.862.2, ``sample_rate`` 16000; with Corrigendum 2 by the package ``pesqc2``.

    Raises:
        NotApplicable: no utterance was found in the reference, it may hold more than the
            reference code has room for, or a wave is shorter than 0.25 s.
    """
    return _mos("wb", package, reference=reference, degraded=degraded, sample_rate=sample_rate)


def narrow_band(
    *, reference: Wave, degraded: Wave, sample_rate: int, package: str = "pesq"
) -> float:
    """MOS-LQO of P.862 with the mapping of P.862.1, ``sample_rate`` 8000 or 16000.

    Raises:
        NotApplicable: no utterance was found in the reference, it may hold more than the
            reference code has room for, or a wave is shorter than 0.25 s.
    """
    return _mos("nb", package, reference=reference, degraded=degraded, sample_rate=sample_rate)


def _mos(
    mode: Literal["wb", "nb"],
    package: str,
    *,
    reference: Wave,
    degraded: Wave,
    sample_rate: int,
) -> float:
    library = importlib.import_module(package)
    if reference.size > SAFE_SECONDS * sample_rate:
        utterances = count_utterances(reference, sample_rate)
        if utterances > MOST_UTTERANCES:
            raise NotApplicable(
                f"the reference holds about {utterances} utterances, PESQ has room for 50: "
                f"cut it into shorter items"
            )
    try:
        # The positional order is the library's own: rate, reference, degraded, mode.
        return float(library.pesq(sample_rate, reference, degraded, mode))
    except library.NoUtterancesError as error:
        raise NotApplicable("PESQ found no utterance in the reference") from error
    except library.BufferTooShortError as error:
        raise NotApplicable("PESQ needs at least 0.25 s") from error


def count_utterances(wave: Wave, sample_rate: int) -> int:
    """The most utterances at any threshold of level: runs of 200 ms, pauses of 200 ms."""
    step = sample_rate // 250  # 4 ms
    levels = np.mean(wave[: wave.size // step * step].reshape(-1, step) ** 2, axis=1)
    audible = levels[levels > 0]
    if not audible.size:
        return 0
    return max(_runs(levels >= at) for at in np.geomspace(audible.min(), audible.max(), 60))


def _runs(active: NDArray[np.bool_], *, shortest: int = 50) -> int:
    """Runs of at least 50 frames, once pauses of up to 50 frames are bridged."""
    edges = np.flatnonzero(np.diff(active, prepend=False, append=False))
    starts, ends = edges[0::2], edges[1::2]
    if not starts.size:
        return 0
    pause = starts[1:] - ends[:-1] > shortest
    starts, ends = starts[np.r_[True, pause]], ends[np.r_[pause, True]]
    return int(np.count_nonzero(ends - starts >= shortest))


def _metric(mode: Literal["wb", "nb"], *, corrected: bool = False) -> Metric:
    """The column of one mode, by the code of 2005 or by that with Corrigendum 2."""
    wide, package = mode == "wb", "pesqc2" if corrected else "pesq"
    name, standard = (
        ("wide band", "ITU-T P.862.2 (2005)")
        if wide
        else ("narrow band", "ITU-T P.862 (2001), P.862.1 (2003)")
    )
    # Narrow band is the same in both: its name says nothing of the correction where there is none.
    correction = ", with Corrigendum 2" if corrected else ", without Corrigendum 2" if wide else ""
    return Metric(
        MetricInfo(
            column=f"pesq_{mode}" + ("_c2" if corrected else ""),
            label=f"PESQ-{mode.upper()}" + (" (Corr. 2)" if corrected else ""),
            unit="MOS",
            direction="up",
            minimum=0.999,
            maximum=4.6439 if wide else 4.5487,
            sample_rates=(16000,) if wide else (16000, 8000),
            minimum_seconds=0.25,
            longest_seconds=LONGEST_SECONDS,
            implementation=package,
            version=installed_version(package),
            mode=name + correction,
            licence=LICENCE,
            # Between .009 and .023 on the processors it was measured on; AVX2 takes a quarter off.
            cpu_seconds_per_audio_second=0.015 if wide else 0.017,
            source=standard + (", Corrigendum 2 (2018)" if corrected else ""),
        ),
        functools.partial(wide_band if wide else narrow_band, package=package),
        requires(**{package: package}, advice=INSTALL_C2 if corrected else INSTALL),
    )


METRICS = (
    _metric("wb"),
    _metric("nb"),
    _metric("wb", corrected=True),
    _metric("nb", corrected=True),
)
