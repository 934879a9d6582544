"""Where the cache is without a home folder, and which device networks run on."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import synbench_codecs
import synbench_metrics
from synbench_base.cache import cache_folder
from synbench_base.device import check_device, device
from synbench_base.errors import EnvironmentFault, UsageError

USER = os.getuid()


@pytest.fixture
def nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """No cache is named, and the temporary folder is ours."""
    for name in ("SYNBENCH_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path / f"synbench-{USER}"


def test_a_user_without_an_entry_and_without_home(
    nowhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HOME")
    monkeypatch.setattr("pwd.getpwuid", lambda number: (_ for _ in ()).throw(KeyError(number)))
    assert cache_folder() == nowhere


def test_a_home_folder_that_is_not_there_or_not_to_be_written(
    nowhere: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert cache_folder() == tmp_path / "home" / ".cache" / "synbench"
    monkeypatch.setattr("os.access", lambda path, mode: False)
    assert cache_folder() == nowhere
    (tmp_path / "home" / ".cache" / "synbench").mkdir(parents=True)
    assert cache_folder() == tmp_path / "home" / ".cache" / "synbench"


@pytest.mark.skipif(USER != 0, reason="only the administrator can become another user")
def test_codecs_and_metrics_load_for_an_unknown_user() -> None:
    program = (
        "import os, synbench_codecs, synbench_metrics\n"
        "def load_all():\n"
        "    for name in synbench_codecs.names():\n"
        "        for point in synbench_codecs.codec_class(name).points:\n"
        "            try: synbench_codecs.load(name, **point)\n"
        "            except synbench_codecs.errors.SynbenchError: pass\n"
        "    for name in synbench_metrics.names(): synbench_metrics.load(name)\n"
        "load_all()\n"  # what is imported may lie where another user cannot look
        "os.setgid(54321); os.setuid(54321)\n"
        "load_all()\n"
        "print('all loaded')\n"
    )
    kept = {"PATH", "PYTHONPATH", "LD_LIBRARY_PATH"}
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        env={name: value for name, value in os.environ.items() if name in kept},
    )
    assert done.stdout.strip() == "all loaded", done.stderr


def test_the_default_is_the_cpu_for_codecs_and_metrics(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SYNBENCH_DEVICE", raising=False)
    assert device() == check_device() == "cpu"
    pytest.importorskip("torch", reason="pip install 'synbench[torch]'")
    from synbench_codecs.support.torch_models import from_wave
    from synbench_metrics._torch import device as metrics_device

    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    assert metrics_device().type == "cpu"
    assert from_wave(__import__("numpy").zeros(3, "float32")).device.type == "cpu"
    assert synbench_codecs.device is synbench_metrics.device is device


@pytest.mark.parametrize("name", ["gpu", "cuda:", "cuda:x", "cpu:0:1"])
def test_a_name_that_is_no_device_is_refused(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYNBENCH_DEVICE", name)
    with pytest.raises(UsageError, match="expected cpu, cuda, cuda:1 or mps"):
        check_device()


def test_a_device_that_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    torch = pytest.importorskip("torch", reason="pip install 'synbench[torch]'")
    beyond = torch.cuda.device_count() + 7
    monkeypatch.setenv("SYNBENCH_DEVICE", f"cuda:{beyond}")
    with pytest.raises(EnvironmentFault, match=f"SYNBENCH_DEVICE=cuda:{beyond}: .* unset"):
        check_device()
