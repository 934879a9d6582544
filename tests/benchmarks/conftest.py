"""Gives benchmarks the figures that they add to; a whole run writes the page at its end."""

from __future__ import annotations

import os
import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

sys.path += [str(Path(__file__).parent), str(Path(__file__).parents[1] / "codecs")]

from measured import Measured

# Set by `make benchmark`: what is measured in parts is printed and held against the last time.
WRITES_PAGE = bool(os.environ.get("SYNBENCH_BENCHMARK_PAGE"))
_figures = Measured()


@pytest.fixture(scope="session")
def measured() -> Measured:
    return _figures


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, Any]:
    """Note which benchmarks were skipped or failed, for the page to say so."""
    report = yield
    if report.outcome != "passed" and item.get_closest_marker("benchmark"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else "failed"
        _figures.absent[item.name] = str(reason).removeprefix("Skipped: ")
    return report


def pytest_sessionfinish() -> None:
    if WRITES_PAGE:
        _figures.save()
