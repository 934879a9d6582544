"""Small corpora, suites and codecs that the bench tests share."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import yaml
from numpy.typing import NDArray

from synbench.__main__ import main
from synbench.corpora import _registry as _corpora
from synbench_codecs import _registry as _codecs
from synbench_metrics import _registry as _metrics

sys.path.insert(0, str(Path(__file__).parent))

SHARED = Path(__file__).resolve().parents[3] / "shared"
RATE = 16000

Command = Callable[..., subprocess.CompletedProcess[str]]

PLUGIN = """
    import os, time
    import numpy as np
    from synbench_codecs import CodecInfo, Encoded

    class _Base:
        points = ({},)
        name = ""

        def __init__(self):
            self.info = CodecInfo(
                spec=self.name, label=self.name, kind="neural", adapter_version=1,
                implementation="test", sample_rate=None, output_sample_rate=None,
                nominal_bitrate_bps=None, source="tests")

        def encode(self, wave, sample_rate):
            self.before(wave)
            payload = np.asarray(wave, "<f4").tobytes()
            return Encoded(spec=self.name, payload=payload, payload_bits=8 * len(payload),
                           n_samples=wave.size, sample_rate=sample_rate)

        def decode(self, encoded):
            return np.frombuffer(encoded.payload, "<f4") * np.float32(0.5) + np.float32(1e-3)

        def before(self, wave):
            pass

    class Slow(_Base):
        name = "slow"
        def before(self, wave):
            time.sleep(0.08)

    class Deadly(_Base):
        '''Kills its process on any wave of 3000 samples, as a crash in C code would.'''
        name = "deadly"
        def before(self, wave):
            if wave.size == 3000:
                os.kill(os.getpid(), 9)

    class Endless(_Base):
        '''Sleeps far too long over any wave of 4000 samples.'''
        name = "endless"
        def before(self, wave):
            if wave.size == 4000:
                time.sleep(3000)

    class Buggy(_Base):
        name = "buggy"
        def decode(self, encoded):
            raise ZeroDivisionError("planted")
"""


def noise_bursts(seed: int, samples: int = RATE) -> NDArray[np.float64]:
    """Noise in syllables: cheap, loud enough, and no two seeds alike."""
    generator = np.random.default_rng(seed)
    envelope = np.abs(np.sin(np.arange(samples) * (3 + seed % 5) / RATE * np.pi)) + 0.05
    return 0.2 * generator.standard_normal(samples).clip(-3, 3) * envelope / envelope.max()


@pytest.fixture
def speech_folder(tmp_path: Path) -> Path:
    """Three short waves called a, b and c."""
    folder = tmp_path / "speech"
    folder.mkdir()
    for seed, name in enumerate("abc"):
        soundfile.write(folder / f"{name}.wav", noise_bursts(seed), RATE, subtype="PCM_16")
    return folder


@pytest.fixture
def write_suite(tmp_path: Path) -> Callable[..., Path]:
    """Writes a suite over a folder; keyword arguments replace its keys."""

    def write(folder: Path, **changes: Any) -> Path:
        suite: dict[str, Any] = {
            "name": "small",
            "corpora": [f"folder:path={folder}"],
            "codecs": ["lowpass-3k5"],
            "metrics": ["si_sdr", "log_spectral_distance"],
        } | changes
        path = tmp_path / "suite.yaml"
        path.write_text(yaml.safe_dump(suite))
        return path

    return write


@pytest.fixture
def environment(tmp_path: Path) -> Callable[..., dict[str, str]]:
    """The variables of a child process: own cache, no network, further import paths."""

    def make(*paths: Path) -> dict[str, str]:
        search = [*map(str, paths), os.environ.get("PYTHONPATH", "")]
        return os.environ | {
            "PYTHONPATH": os.pathsep.join(filter(None, search)),
            "SYNBENCH_CACHE": str(tmp_path / "cache"),
            "SYNBENCH_OFFLINE": "1",
            "COLUMNS": "160",
        }

    return make


@pytest.fixture
def install(tmp_path: Path) -> Callable[..., Path]:
    """Lays a module and its entry points into a folder, as an installer would leave them."""

    def lay(module: str, entry_points: Mapping[str, Mapping[str, str]]) -> Path:
        folder = tmp_path / "installed"
        metadata = folder / "outsider-1.0.dist-info"
        metadata.mkdir(parents=True)
        (folder / "outsider.py").write_text(textwrap.dedent(module))
        (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: outsider\nVersion: 1.0\n")
        lines = []
        for group, names in entry_points.items():
            lines += [f"[{group}]", *(f"{name} = outsider:{made}" for name, made in names.items())]
        (metadata / "entry_points.txt").write_text("\n".join(lines) + "\n")
        return folder

    return lay


@contextlib.contextmanager
def importable(paths: tuple[Path, ...], patch: pytest.MonkeyPatch) -> Iterator[None]:
    """What lies in these folders is there as if it had been installed, and forgotten afterwards."""
    if not paths:
        yield
        return
    imported = set(sys.modules)
    # A module may be written anew within the second that its compiled form is told apart by.
    patch.setattr(sys, "dont_write_bytecode", True)
    for path in paths:
        patch.syspath_prepend(path)
    try:
        forget_entry_points()
        yield
    finally:
        forget_entry_points()
        for name in set(sys.modules) - imported:
            file = getattr(sys.modules[name], "__file__", None)
            if file and any(Path(file).is_relative_to(path) for path in paths):
                del sys.modules[name]


def forget_entry_points() -> None:
    for registry in (_corpora.registry, _codecs.registry, _metrics.registry):
        registry.__dict__.pop("entry_points", None)


@pytest.fixture
def synbench(
    tmp_path: Path, environment: Callable[..., dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> Command:
    """Runs the command line and returns its output and exit code.

    In this process, which has imported everything already; in one of its own (``alone``) where
    that is the point, or where workers are to find packages outside synbench (``paths``).
    """

    def run(*arguments: str | Path, paths: tuple[Path, ...] = (), alone: bool = False) -> Any:
        words = list(map(str, arguments))
        workers = {"--workers", "--executor"} & set(words) and "0" not in words
        if alone or (paths and workers):
            return subprocess.run(
                [sys.executable, "-m", "synbench", *words],
                capture_output=True,
                text=True,
                check=False,
                cwd=tmp_path,
                timeout=120,
                env=environment(*paths),
            )
        if words[0] == "run" and "--workers" not in words:
            words += ["--workers", "0"]
        printed, said = io.StringIO(), io.StringIO()
        with (
            monkeypatch.context() as patch,
            importable(paths, patch),
            pytest.raises(SystemExit) as ended,
        ):
            for name, value in environment(*paths).items():
                patch.setenv(name, value)
            patch.chdir(tmp_path)
            patch.setattr(sys, "argv", ["synbench", *words])
            patch.setattr(sys, "stdout", printed)
            patch.setattr(sys, "stderr", said)
            main()
        code = ended.value.code
        return subprocess.CompletedProcess(words, code, printed.getvalue(), said.getvalue())

    return run


@pytest.fixture
def plugin(install: Callable[..., Path]) -> Path:
    """A package outside synbench with codecs that sleep, crash or fail."""
    return install(
        PLUGIN,
        {
            "synbench.codecs": {
                "slow": "Slow",
                "deadly": "Deadly",
                "endless": "Endless",
                "buggy": "Buggy",
            }
        },
    )
