"""What failed downloads leave in place of weights is named, and never ends in a traceback."""

from __future__ import annotations

from pathlib import Path

import pytest

from synbench_base.errors import WeightsError

pytest.importorskip("torch", reason="needs torch: pip install 'synbench[torch]'")

from synbench_codecs.support.torch_models import read_tensors

POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a2146\nsize 12345\n"


@pytest.mark.parametrize("name", ["model.safetensors", "model.pt"])
@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"<!DOCTYPE html><html><body>Sign in</body></html>" * 9, "a web page"),
        (b"\n <html><head></head></html>", "a web page"),
        (POINTER, "a pointer of Git LFS"),
        (b"", "empty"),
        (b'{"error": "Repository not found"}', "model"),
        (bytes(5000), "model"),
    ],
)
def test_it_is_named(content: bytes, said: str, name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(WeightsError, match=said):
        read_tensors(path)
