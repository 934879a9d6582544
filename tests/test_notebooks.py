"""The notebooks run from top to bottom and give as much as they show."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = sorted((ROOT / "examples").glob("*.ipynb"))


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def notebook(request: pytest.FixtureRequest) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(request.param.read_text(encoding="utf-8"))
    return content


def code_of(notebook: dict[str, Any]) -> list[str]:
    return ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]


def kinds(cell: dict[str, Any]) -> list[str]:
    """Of what a cell gives: a text, a value, a figure."""
    return [output["output_type"] for output in cell.get("outputs", ())]


def test_a_rate_quality_curve_takes_ten_lines() -> None:
    (curve,) = (
        code
        for code in code_of(json.loads((ROOT / "examples/first_hour.ipynb").read_text("utf-8")))
        if code.startswith("points = []")
    )
    assert len([line for line in curve.splitlines() if line.strip()]) <= 10


@pytest.mark.filterwarnings("default")
def test_every_cell_runs(
    notebook: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for package in ("av", "espeakng_loader", "matplotlib", "pesq", "pycodec2", "pystoi"):
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"{package} is absent: pip install 'synbench[all]'")
    monkeypatch.setenv("SYNBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    spec = importlib.util.spec_from_file_location("run_notebook", ROOT / "tools/run_notebook.py")
    assert spec is not None and spec.loader is not None
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    shown = list(map(kinds, notebook["cells"]))
    names: dict[str, Any] = {"__name__": "notebook"}
    tool.run_cells(notebook, names)
    assert list(map(kinds, notebook["cells"])) == shown
    assert (names["scored"]["status"] == "ok").all()
