"""Speech quality metrics behind one interface: a value, or a status with a reason.

>>> import numpy, synbench_metrics
>>> wave = numpy.sin(numpy.arange(16000) / 7) / 2
>>> metric = synbench_metrics.load("si_sdr")
>>> outcome = synbench_metrics.score(
...     metric, reference=wave, degraded=wave.round(2), sample_rate=16000)
>>> outcome.status
'ok'
"""

from synbench_base.device import device
from synbench_base.errors import NotApplicable
from synbench_base.weights import Checkpoint, WeightsSource
from synbench_metrics._interface import Measured, Metric, MetricInfo, Outcome, Wave
from synbench_metrics._languages import base_language
from synbench_metrics._registry import family, load, names
from synbench_metrics._score import score, score_batch
from synbench_metrics._written_text import other_scripts

__all__ = [
    "Checkpoint",
    "Measured",
    "Metric",
    "MetricInfo",
    "NotApplicable",
    "Outcome",
    "Wave",
    "WeightsSource",
    "base_language",
    "device",
    "family",
    "load",
    "names",
    "other_scripts",
    "score",
    "score_batch",
]
