"""What to type for the packages that metrics need."""

from synbench_base.packages import install

INSTALL = install("metrics")
TORCH = install("torch")
TRANSFORMERS = install("hf")

__all__ = ["INSTALL", "TORCH", "TRANSFORMERS"]
