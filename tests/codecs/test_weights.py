"""Finding and reading checkpoints: pinned, packaged, one's own; wrong, truncated and malicious."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import pickle
from pathlib import Path
from typing import Any

import pytest

import synbench_codecs
from synbench_base.cache import cache_folder
from synbench_base.weights import (
    file_sha256,
    find_weights,
    remember_first_seen,
    weights_path,
)
from synbench_codecs import Checkpoint, WeightsSource
from synbench_codecs.errors import MissingWeights, Unavailable, UsageError, WeightsError

CONTENT = b"weights" * 1000
SHA256 = hashlib.sha256(CONTENT).hexdigest()
SOURCE = WeightsSource(
    repository="huggingface.co/somebody/model",
    revision="0123abc",
    file="folder/model.safetensors",
    sha256=SHA256,
    bytes=len(CONTENT),
)
PINNED = Checkpoint(name="model", files=(SOURCE,))
UNPINNED = Checkpoint(name="model", files=(dataclasses.replace(SOURCE, sha256="", bytes=None),))


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SYNBENCH_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def put(source: WeightsSource, content: bytes = CONTENT) -> Path:
    path = weights_path(source)
    assert path is not None
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


class TestFinding:
    def test_the_place_is_the_digest_and_the_file_name(self, cache: Path) -> None:
        assert cache_folder() == cache
        assert weights_path(SOURCE) == cache / "weights" / SHA256 / "model.safetensors"

    def test_an_absent_file_names_the_next_command(self) -> None:
        with pytest.raises(MissingWeights, match="type: synbench weights fetch model"):
            find_weights(PINNED)
        assert issubclass(MissingWeights, Unavailable)

    def test_the_error_comes_back_from_a_worker(self) -> None:
        error = MissingWeights("model", "model.safetensors")
        again = pickle.loads(pickle.dumps(error))
        assert (str(again), again.checkpoint, again.file) == (str(error), "model", error.file)

    def test_a_pinned_file_is_found(self) -> None:
        path = put(SOURCE)
        (weights_file,) = find_weights(PINNED)
        assert (weights_file.path, weights_file.source) == (path, SOURCE)

    def test_a_file_with_another_digest_is_refused(self) -> None:
        put(SOURCE, CONTENT[:-1])
        with pytest.raises(WeightsError, match=f"expected sha256 {SHA256}, got .*6999 bytes"):
            find_weights(PINNED)

    def test_a_file_changed_after_it_was_read_is_refused(self) -> None:
        path = put(SOURCE)
        long_ago = 1_600_000_000
        os.utime(path, (long_ago, long_ago))
        find_weights(PINNED)
        path.write_bytes(CONTENT[::-1])
        with pytest.raises(WeightsError, match="is not the pinned file"):
            find_weights(PINNED)

    def test_the_digest_is_remembered_between_processes(self, cache: Path) -> None:
        path = put(SOURCE)
        os.utime(path, (1_600_000_000, 1_600_000_000))
        assert file_sha256(path) == SHA256
        (note,) = (cache / "weights" / "digests").iterdir()
        stat = path.stat()
        assert note.read_text().split() == [SHA256, str(stat.st_size), str(stat.st_mtime_ns)]

    def test_a_file_without_published_digest_is_pinned_by_the_first(self) -> None:
        with pytest.raises(MissingWeights):
            find_weights(UNPINNED)
        remember_first_seen(UNPINNED.files[0], SHA256)
        put(UNPINNED.files[0])
        (weights_file,) = find_weights(UNPINNED)
        assert weights_file.source == SOURCE

    def test_a_packaged_file_is_found_and_checked(self) -> None:
        typed = Path(synbench_codecs.__file__).parent / "py.typed"
        source = WeightsSource(
            repository="package:synbench_codecs",
            revision="",
            file="py.typed",
            sha256=hashlib.sha256(typed.read_bytes()).hexdigest(),
        )
        (weights_file,) = find_weights(Checkpoint(name="packaged", files=(source,)))
        assert weights_file.path == typed
        wrong = dataclasses.replace(source, sha256=SHA256)
        with pytest.raises(WeightsError):
            find_weights(Checkpoint(name="packaged", files=(wrong,)))


class TestOwn:
    def test_the_digest_of_ones_own_file_takes_the_place_of_the_pinned(
        self, tmp_path: Path
    ) -> None:
        own = tmp_path / "mine.pt"
        own.write_bytes(b"mine")
        (weights_file,) = find_weights(PINNED, str(own))
        assert weights_file.path == own
        assert weights_file.source.sha256 == hashlib.sha256(b"mine").hexdigest()
        assert weights_file.source.repository == "local"

    def test_several_files_come_from_a_folder(self, tmp_path: Path) -> None:
        two = Checkpoint(name="two", files=(SOURCE, dataclasses.replace(SOURCE, file="b.bin")))
        (tmp_path / "model.safetensors").write_bytes(b"1")
        with pytest.raises(UsageError, match=r"a folder with model.safetensors, b.bin; no .*b.bin"):
            find_weights(two, str(tmp_path))
        (tmp_path / "b.bin").write_bytes(b"2")
        names = [weights_file.path.name for weights_file in find_weights(two, str(tmp_path))]
        assert names == ["model.safetensors", "b.bin"]

    def test_an_absent_file_is_an_error_of_use(self, tmp_path: Path) -> None:
        with pytest.raises(UsageError, match="expected a file"):
            find_weights(PINNED, str(tmp_path / "absent.pt"))

    def test_the_identity_holds_the_digest_and_not_the_path(self) -> None:
        info = synbench_codecs.load("passthrough").info
        here = dataclasses.replace(info, spec="dac:n=4,weights=/a/one.pt", weights=(SOURCE,))
        there = dataclasses.replace(info, spec="dac:n=4,weights=/b/two.pt", weights=(SOURCE,))
        other = dataclasses.replace(here, weights=(dataclasses.replace(SOURCE, sha256="f" * 64),))
        assert here.identity == there.identity
        assert here.identity != other.identity
        assert here.model_digest != other.model_digest


class _Malicious:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.path),)


class TestReading:
    @pytest.fixture(autouse=True)
    def torch(self) -> Any:
        return pytest.importorskip("torch", reason="torch is not installed")

    def test_nested_dictionaries_become_dotted_names(self, tmp_path: Path, torch: Any) -> None:
        from synbench_codecs.support.torch_models import read_tensors

        tensor = torch.arange(6.0).reshape(2, 3)
        content = {"state_dict": {"a.b": tensor}, "metadata": {"kwargs": {"rate": 16000}}, "e": 3}
        torch.save(content, tmp_path / "file.ckpt")
        read = read_tensors(tmp_path / "file.ckpt")
        assert list(read) == ["state_dict.a.b"]
        assert torch.equal(read["state_dict.a.b"], tensor)

    def test_safetensors_are_known_by_their_content(self, tmp_path: Path, torch: Any) -> None:
        from safetensors.torch import save_file

        from synbench_codecs.support.torch_models import read_tensors

        save_file({"a": torch.ones(3)}, tmp_path / "named_wrongly.pt")
        assert torch.equal(read_tensors(tmp_path / "named_wrongly.pt")["a"], torch.ones(3))

    @pytest.mark.parametrize("legacy", [False, True])
    def test_a_malicious_pickle_is_refused_and_not_run(
        self, tmp_path: Path, torch: Any, legacy: bool
    ) -> None:
        from synbench_codecs.support.torch_models import read_tensors

        trap = tmp_path / "trap"
        path = tmp_path / "bad.pt"
        content = {"state_dict": {"a": torch.ones(3)}, "more": _Malicious(trap)}
        torch.save(content, path, _use_new_zipfile_serialization=not legacy)
        with pytest.raises(WeightsError, match="could run code; it is not loaded"):
            read_tensors(path)
        assert not trap.exists()

    def test_a_plain_malicious_pickle_is_refused(self, tmp_path: Path) -> None:
        from synbench_codecs.support.torch_models import read_tensors

        trap = tmp_path / "trap"
        (tmp_path / "bad.pkl").write_bytes(pickle.dumps(_Malicious(trap), protocol=2))
        with pytest.raises(WeightsError):
            read_tensors(tmp_path / "bad.pkl")
        assert not trap.exists()

    @pytest.mark.parametrize("kind", ["pt", "legacy", "safetensors"])
    @pytest.mark.parametrize("keep", [0, 1, 9, 100, 0.5, 0.99])
    def test_truncated_files_are_refused(
        self, tmp_path: Path, torch: Any, kind: str, keep: float
    ) -> None:
        from safetensors.torch import save_file

        from synbench_codecs.support.torch_models import read_tensors

        path = tmp_path / kind
        tensors = {"a": torch.randn(100, 100), "b": torch.randn(50)}
        if kind == "safetensors":
            save_file(tensors, path)
        else:
            torch.save(tensors, path, _use_new_zipfile_serialization=kind == "pt")
        whole = path.read_bytes()
        path.write_bytes(whole[: keep if isinstance(keep, int) else int(keep * len(whole))])
        with pytest.raises(WeightsError, match=str(path)):
            read_tensors(path)

    def test_a_file_that_is_no_checkpoint_is_refused(self, tmp_path: Path) -> None:
        from synbench_codecs.support.torch_models import read_tensors

        for content in (b"<!DOCTYPE html>" * 50, b"version https://git-lfs.github.com/spec/v1\n"):
            (tmp_path / "page").write_bytes(content)
            with pytest.raises(WeightsError):
                read_tensors(tmp_path / "page")


class TestLoading:
    @pytest.fixture(autouse=True)
    def torch(self) -> Any:
        return pytest.importorskip("torch", reason="torch is not installed")

    def test_what_does_not_fit_is_named(self, torch: Any) -> None:
        from synbench_codecs.support.torch_models import load_strictly

        layer = torch.nn.Linear(3, 2)
        tensors = {"weight": torch.ones(2, 4), "scale": torch.ones(1), "old.x": torch.ones(1)}
        with pytest.raises(WeightsError) as caught:
            load_strictly(layer, tensors, path=Path("file.pt"), unused=("old.",))
        assert str(caught.value) == (
            "file.pt does not fit the model: bias is absent; scale is unknown; "
            "weight has shape (2, 4), expected (2, 3)"
        )

    @pytest.mark.parametrize("legacy", [True, False])
    @pytest.mark.parametrize("kind", ["Conv1d", "ConvTranspose1d", "Linear"])
    def test_folded_weight_norm_is_bit_identical(self, torch: Any, kind: str, legacy: bool) -> None:
        from torch.nn.utils.parametrizations import weight_norm

        from synbench_codecs.support.torch_models import fold_weight_norm, load_strictly

        torch.manual_seed(0)
        arguments = (6, 4) if kind == "Linear" else (6, 4, 5)
        make = getattr(torch.nn, kind)
        normed = weight_norm(make(*arguments))
        with torch.no_grad():
            normed.parametrizations.weight.original0.mul_(1.7)
        tensors = dict(normed.state_dict())
        if legacy:
            tensors["weight_g"] = tensors.pop("parametrizations.weight.original0")
            tensors["weight_v"] = tensors.pop("parametrizations.weight.original1")
        plain = load_strictly(make(*arguments), fold_weight_norm(tensors), path=Path("x"))
        x = torch.randn(2, 5, 6) if kind == "Linear" else torch.randn(2, 6, 20)
        with torch.no_grad():
            assert torch.equal(plain(x), normed(x))
