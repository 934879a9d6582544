"""Small studies: one made by hand, two trials of four tones; others built from a made run."""

from __future__ import annotations

import hashlib
import io
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from synbench.audio import write_audio
from synbench.corpora import Corpus, Item
from synbench.corpora.whereabouts import remember_recordings
from synbench.results.store import FORMAT, RunFolder
from synbench_listening.design.build_study import build_study
from synbench_listening.design.study import Headphones, Listening, Question, StudyDesign
from synbench_listening.design.study_folder import (
    Block,
    BlockPage,
    Key,
    PublicStudy,
    Stimulus,
    StudyFolder,
)

sys.path.insert(0, str(Path(__file__).parent))

RATE = 16000
PAGES = ["consent", "training", "trials", "finish"]
CONDITIONS = {
    "reference": "hidden_reference",
    "anchor35": "low_anchor",
    "anchor70": "mid_anchor",
    "SecretCodec": "system",
}


def tone_file(frequency: float, sample_rate: int) -> bytes:
    """One second."""
    wave = 0.3 * np.sin(2 * np.pi * frequency * np.arange(sample_rate) / sample_rate)
    buffer = io.BytesIO()
    soundfile.write(buffer, wave, sample_rate, format="WAV", subtype="PCM_24")
    return buffer.getvalue()


@pytest.fixture
def study_by_hand(tmp_path: Path) -> Callable[..., StudyFolder]:
    """Writes a built MUSHRA study with two blocks; keyword arguments replace public fields."""

    def write(*, sample_rate: int = RATE, **changes: Any) -> StudyFolder:
        folder = StudyFolder(tmp_path / "study")
        stimuli: dict[str, Stimulus] = {}
        (folder.path / "clips").mkdir(parents=True)
        frequency = 200.0
        for item in ("item-a", "item-b"):
            for condition, role in {"open": "reference", **CONDITIONS}.items():
                frequency += 40
                data = tone_file(frequency, sample_rate)
                name = hashlib.sha256(f"{item} {condition}".encode()).hexdigest()[:32]
                stimuli[name] = Stimulus(
                    id=name,
                    role=role,  # type: ignore[arg-type]
                    condition="reference" if condition == "open" else condition,
                    item=item,
                    samples=sample_rate,
                    sha256=hashlib.sha256(data).hexdigest(),
                )
                folder.clip_path(stimuli[name]).write_bytes(data)
        blocks = tuple(_block(name, turn, stimuli) for turn, name in enumerate("AB"))
        key = Key(
            study="by-hand",
            made="2026-01-01T00:00:00Z",
            run="runs/made",
            run_started="2026-01-01T00:00:00Z",
            sample_rate=sample_rate,
            seed=1,
            design={"name": "by-hand", "test": "mushra"},
            systems=("SecretCodec",),
            stimuli=stimuli,
            blocks=blocks,
            peaks={s.id: (-50, 50) * 4 for s in stimuli.values() if s.role == "reference"},
            completion_code="C0DE",
        )
        values: dict[str, Any] = {
            "name": "by-hand",
            "version": hashlib.sha256(key.encode()).hexdigest(),
            "test": "mushra",
            "title": {"en": "By hand"},
            "languages": ("en",),
            "sample_rate": sample_rate,
            "consent": {"en": "You may stop at any time."},
            "consent_version": "0" * 16,
            "instructions": {"en": ""},
            "questionnaire": (
                Question(name="age", label="Age", type="number", minimum=18, maximum=120),
                Question(name="remark", label="Remark", type="long_text", optional=True),
            ),
            "headphones": Headphones(),
            "listening": Listening(),
            "no_preference": True,
            "comments": True,
            "scale": (0, 100),
            "scale_step": 1,
            "asks_consent": True,
        }
        folder.write(key, PublicStudy(**values | changes))
        return folder

    return write


def _block(name: str, turn: int, stimuli: dict[str, Stimulus]) -> Block:
    pages = [BlockPage(kind="consent"), BlockPage(kind="questionnaire")]
    for item in ("item-a", "item-b"):
        here = [s.id for s in stimuli.values() if s.item == item]
        rated = here[1:]
        pages.append(
            BlockPage(
                kind="mushra",
                item=item,
                reference=here[0],
                stimuli=(*rated[turn:], *rated[:turn]),
            )
        )
    return Block(name=name, pages=(*pages, BlockPage(kind="finish")))


@pytest.fixture(scope="session")
def cache_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a machine remembers of the recordings of these runs is not the user's."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module", autouse=True)
def own_cache(cache_folder: Path) -> Iterator[None]:
    """File by file, so that the tests of other folders find what the user has fetched."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SYNBENCH_CACHE", str(cache_folder))
        yield


@pytest.fixture(scope="session")
def common_run(tmp_path_factory: pytest.TempPathFactory, cache_folder: Path) -> Path:
    """A run with three systems that nobody changes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SYNBENCH_CACHE", str(cache_folder))
        return write_run(tmp_path_factory.mktemp("made") / "run")


@pytest.fixture
def made_run(tmp_path: Path, common_run: Path) -> Callable[..., Path]:
    """The run of :func:`write_run`: the common one, or with arguments one of its own."""
    return lambda **changes: write_run(tmp_path / "run", **changes) if changes else common_run


def write_run(folder: Path, systems: int = 3, sample_rate: int = 16000, **changes: Any) -> Path:
    """A finished run: ten items of three speakers, and systems that add noise."""
    run = RunFolder(folder)
    digest = hashlib.sha256(str(folder).encode()).hexdigest()
    names = [f"codec-{chr(97 + k)}" for k in range(systems)]
    items = [(f"item-{k}", f"speaker-{k % 3}", 1.0 + 0.1 * k) for k in range(10)]
    codecs = [
        {"label": name.title(), "spec": name, "codec_id": name, "kind": "neural"} for name in names
    ]
    codecs.append({"label": "Reference", "spec": "p", "codec_id": "p", "kind": "anchor"})
    manifest = {
        "format": FORMAT,
        "started": "2026-01-01T00:00:00Z",
        "policy_id": "today",
        "codecs": codecs,
        "metrics": [{"column": "mos", "metric_id": "mos"}],
        "corpora": [{"name": "speech", "digest": digest}],
    }
    rows, decodes, scores, recordings = [], [], [], []
    for item_index, (item, speaker, seconds) in enumerate(items):
        wave = speech_like(item_index, round(seconds * sample_rate), sample_rate)
        path = folder / "corpus" / f"{item}.wav"
        write_audio(path, wave, sample_rate=sample_rate)
        recordings.append(
            Item(id=item, path=path, sha256="", seconds=seconds, sample_rate=0, channels=1)
        )
        here = {"corpus": "speech", "item": item, "item_digest": f"digest {item}"}
        rows.append(
            here
            | {"path": path.name, "seconds": seconds, "sample_rate": sample_rate}
            | {"channels": 1, "target_rate": None, "speaker": speaker, "problem": ""}
            | {
                "transcript": f"Sentence {item_index} isn't long, "
                f"with {'very ' * (item_index % 3)}few words."
            }
        )
        for level, name in enumerate(names, start=1):
            noise = np.random.default_rng([item_index, level]).standard_normal(wave.size)
            degraded = changes.get("make", lambda w, n, k: w + 0.01 * k * n)(wave, noise, level)
            target = Path("reconstructions") / name / f"{item}.flac"
            write_audio(folder / target, degraded, sample_rate=sample_rate)
            cell = here | {"codec": name, "codec_id": name, "policy_id": "today"}
            cell |= {"status": "ok", "reason": "", "transient": False, "written": 1.0}
            decodes.append(cell | {"reconstruction": target.as_posix()})
            scores.append(
                cell | {"metric": "mos", "metric_id": "mos", "value": item_index + level / 10}
            )
    remember_recordings(Corpus(name="speech", spec="", items=tuple(recordings), digest=digest))
    run.begin(manifest, rows)
    run.add("decodes", decodes)
    run.add("scores", scores)
    return folder


def speech_like(seed: int, samples: int, sample_rate: int) -> Any:
    """Noise in syllables, wide-band, some silence between."""
    generator = np.random.default_rng(seed)
    envelope = np.abs(np.sin(np.arange(samples) * (3 + seed % 5) / sample_rate * np.pi))
    return 0.05 * (1 + seed % 3) * generator.standard_normal(samples).clip(-3, 3) * envelope


@pytest.fixture
def made_speech() -> Callable[[int, int], Any]:
    """Seed and number of samples to a wave at 16 kHz with syllables."""
    return lambda seed, samples: speech_like(seed, samples, RATE)


@pytest.fixture
def build(made_run: Callable[..., Path], tmp_path: Path) -> Callable[..., StudyFolder]:
    """Builds a study from a made run; keyword arguments are keys of the design."""

    def make(run: Path | None = None, **design: Any) -> StudyFolder:
        values = {"name": "made", "test": "mushra", "items": {"count": 4}, "pages": PAGES} | design
        return build_study(
            run or made_run(), StudyDesign.model_validate(values), tmp_path / "studies" / "made"
        )

    return make


@pytest.fixture(scope="session")
def browser(launch_chromium: Callable[..., Any]) -> Any:
    """One Chromium for all tests of the page."""
    return launch_chromium()


@pytest.fixture
def serve() -> Iterator[Callable[..., Any]]:
    """Serves a study folder until the test is over, in a process of its own if asked to."""
    from watched_server import WatchedServer

    servers: list[WatchedServer] = []

    def start(folder: StudyFolder, *, process: bool = False, lab: bool = False) -> WatchedServer:
        servers.append(WatchedServer(folder, process=process, lab=lab))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()
