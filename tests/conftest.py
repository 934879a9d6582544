"""What all tests share: one thread for every numeric library, and one Playwright.

The tests run beside others, and sums stay the same on one thread. A second synchronous Playwright
in the same process is refused, so the folders launch their browsers through the one here.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests of a file in one process, since they share what is costly to make."""
    for item in items:
        if item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group(item.path.name))


@pytest.fixture(scope="session")
def launch_chromium() -> Iterator[Callable[..., Any]]:
    """Launches Chromium with the options that are named; browser tests skip where there is none."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("no chromium on this machine: apt-get install chromium")
    playwright = pytest.importorskip("playwright.sync_api", reason="no playwright")
    with playwright.sync_playwright() as started:
        launched = []

        def launch(*options: str) -> Any:
            arguments = ["--no-sandbox", *options]
            launched.append(started.chromium.launch(executable_path=chromium, args=arguments))
            return launched[-1]

        yield launch
        for browser in launched:
            browser.close()
