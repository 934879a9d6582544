"""What all tests share: one thread for every numeric library, and one Playwright.

The tests run beside others, and sums stay the same on one thread. A second synchronous Playwright
in the same process is refused, so the folders launch their browsers through the one here.
"""

from __future__ import annotations

import gc
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

# Before anything is frozen: it looks for what refers to the random generators that it is handed.
import hypothesis
import pytest

# A busy machine is no failure.
hypothesis.settings.register_profile("any machine", deadline=None)
hypothesis.settings.load_profile("any machine")

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

SHARED = Path(__file__).resolve().parents[2] / "shared"
READ_BY_FIXTURE = {
    "decoded_pairs": "decoded",
    "real": "truth",
    "speech": "speech16",
    "truth_folder": "truth",
}


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """One more than there are cores: many tests wait for a process, a browser or a deadline."""
    return (os.cpu_count() or 1) + 1


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the tests of a file in one process, and skip as one those whose data is not here.

    Tests of a file share what is costly to make. Larger sets of data lie beside the checkout where
    synbench is developed; a test names its set by ``@pytest.mark.shared(FOLDER)`` or by a fixture.
    Where it is absent, one test of each set stays and says how many it stands for.
    """
    waiting: dict[str, list[pytest.Item]] = {}
    for item in items:
        if item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group(item.path.name))
        folder = _shared_folder(item)
        if folder is not None and not (SHARED / folder).is_dir():
            waiting.setdefault(folder, []).append(item)
    for folder, tests in waiting.items():
        reason = (
            f"{len(tests)} tests need the folder ../shared/{folder}, which only developers have"
        )
        tests[0].add_marker(pytest.mark.skip(reason=reason))
    left_out = {item for tests in waiting.values() for item in tests[1:]}
    if left_out:
        config.hook.pytest_deselected(items=sorted(left_out, key=lambda item: item.nodeid))
        items[:] = [item for item in items if item not in left_out]


def pytest_collection_finish() -> None:
    """Leave all that was imported and collected out of what the garbage collector looks through.

    It stays to the end. Packages that collect garbage themselves (statsmodels after every
    correction) took 50 ms a time for it.
    """
    gc.freeze()


def pytest_sessionfinish() -> None:
    """Give it back: what hypothesis imports for its report looks through all of it."""
    gc.unfreeze()


def _shared_folder(item: pytest.Item) -> str | None:
    marker = item.get_closest_marker("shared")
    if marker is not None:
        return str(marker.args[0])
    fixtures = getattr(item, "fixturenames", ())
    return next((READ_BY_FIXTURE[name] for name in fixtures if name in READ_BY_FIXTURE), None)


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
