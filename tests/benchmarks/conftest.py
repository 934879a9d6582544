"""Gives benchmarks the figures that they add to, and keeps them at the end."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path += [str(Path(__file__).parent), str(Path(__file__).parents[1] / "codecs")]

from measured import Measured


@pytest.fixture(scope="session")
def measured() -> Iterator[Measured]:
    figures = Measured()
    yield figures
    figures.save()
