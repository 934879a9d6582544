"""Nothing that may be published names the home folder of whoever made it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from synbench.published import published_path, relative_spec

USER = "jane.q.doe"


@pytest.mark.parametrize(
    ("path", "base", "published"),
    [
        ("/home/jane/exp/speech", "/home/jane/exp", "speech"),
        ("/home/jane/speech", "/home/jane/exp/a", "../../speech"),
        ("/home/jane/speech", "/data/exp", "speech"),
        ("/home/jane/speech", "/home/bob/exp", "speech"),
        ("/Users/jane/speech", "/tmp", "speech"),
        ("/data/speech", "/home/jane/exp", "../../../data/speech"),
    ],
)
def test_paths_are_relative_unless_they_name_a_user(path: str, base: str, published: str) -> None:
    assert published_path(path, Path(base)) == published


def test_specs_of_corpora_are_relative_to_the_suite() -> None:
    spec = "folder:path=/home/jane/my speech"
    assert relative_spec(spec, Path("/home/jane/suites")) == "folder:path=../my speech"
    assert relative_spec(spec, Path("/data")) == "folder:path=my speech"
    assert relative_spec("synthetic:items=3", Path("/data")) == "synthetic:items=3"


def test_no_output_of_a_run_names_the_home_folder(
    speech_folder: Path, tmp_path: Path, environment: Callable[..., dict[str, str]]
) -> None:
    """A run in a home folder, with failures, programs and recordings; every file is searched."""
    home = tmp_path / "home" / USER
    (home / "exp").mkdir(parents=True)
    shutil.copytree(speech_folder, home / "speech")
    (home / "speech" / "bad.wav").write_bytes(b"no audio")
    shutil.copytree(speech_folder, home / "decoded")
    (home / "decoded" / "c.wav").unlink()
    copy = f"{shutil.which('cp')} {{input}} {{output}}"
    broken = f"{sys.executable} {home}/absent.py {{input}} {{output}}"
    commands = [
        {"codec": "command", "options": {"encoder": copy, "decoder": copy, "sample_rate": 16000}},
        {
            "codec": "command",
            "options": {"encoder": broken, "decoder": copy, "sample_rate": 16000},
            "label": "Broken",
        },
        {"codec": "recordings", "options": {"folder": str(home / "decoded"), "label": "Mine"}},
    ]
    suite = {
        "name": "blind",
        "corpora": [f"folder:path={home}/speech"],
        "codecs": commands,
        "metrics": ["log_spectral_distance"],
        "failure_budget": "100%",
    }
    (home / "exp" / "suite.yaml").write_text(yaml.safe_dump(suite))
    variables = environment() | {"HOME": str(home), "USER": USER, "LOGNAME": USER}

    def synbench(*arguments: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-m", "synbench", *arguments],
            cwd=home / "exp",
            env=variables,
            capture_output=True,
            text=True,
            check=False,
            timeout=240,
        )
        assert done.returncode == 0, done.stderr
        return done

    synbench("run", "suite.yaml", "--out", "run", "--workers", "0", "--quiet")
    for form in ("csv", "latex", "markdown"):
        synbench("export", "run", "--format", form, "--out", f"out.{form}")
    synbench("export", "run", "--format", "csv", "--rows", "--out", "rows.csv")
    pytest.importorskip("matplotlib", reason="no matplotlib: pip install 'synbench[reports]'")
    synbench("report", "run", "--out", str(tmp_path / "report.html"))
    assert "absent.py" in (home / "exp" / "rows.csv").read_text()
    files = [path for path in (home / "exp").rglob("*") if path.name != "suite.yaml"]
    files.append(tmp_path / "report.html")
    assert any(path.suffix == ".syn" for path in files)
    for path in files:
        assert USER not in str(path.relative_to(tmp_path)).removeprefix(f"home/{USER}"), path
        if path.is_file():
            assert USER.encode() not in _plain(path), path


def _plain(path: Path) -> bytes:
    """The content; that of Parquet is compressed."""
    if path.suffix != ".parquet":
        return path.read_bytes()
    import pyarrow.parquet

    return str(pyarrow.parquet.read_table(path).to_pylist()).encode() + path.read_bytes()
