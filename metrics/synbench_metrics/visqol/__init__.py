"""ViSQOL in its three modes, equal to the reference program."""

from synbench_metrics.visqol.columns import METRICS

__all__ = ["METRICS"]
