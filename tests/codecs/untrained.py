"""Small checkpoints with random weights for the contract test, one per torch codec and point.

Plain random weights would prove little: tokens collapse to one value. So a pass over a synthetic
wave shifts and rescales what every layer gives, channel by channel, and tokens follow the wave.
"""

from __future__ import annotations

import atexit
import functools
import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

import synbench_codecs
from synbench_codecs.support.random_weights import calibrate

__all__ = ["is_trainable", "weights"]


def is_trainable(name: str) -> bool:
    """Whether the codec's weights have to be made up: it has a network, and none comes with it."""
    codec = synbench_codecs.codec_class(name)
    files = (file for one in getattr(codec, "checkpoints", ()) for file in one.files)
    packaged = any(file.repository.startswith("package:") for file in files)
    return hasattr(codec, "untrained") and not packaged


def weights(name: str, options: dict[str, Any]) -> str:
    """Path of a checkpoint that ``weights=`` takes, made once per process."""
    return _written(name, json.dumps(options, sort_keys=True))


@functools.cache
def _folder() -> Path:
    folder = tempfile.mkdtemp(prefix="synbench-untrained-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)


@functools.cache
def _written(name: str, options: str) -> str:
    import torch
    from safetensors.torch import save_file

    folder = _folder() / f"{len(list(_folder().iterdir()))}-{name}"
    folder.mkdir()
    with torch.random.fork_rng():
        torch.manual_seed(1)
        codec = synbench_codecs.codec_class(name).untrained(reduced=True, **json.loads(options))
        calibrate(codec)
    tensors = {key: value.contiguous() for key, value in codec.model.state_dict().items()}
    save_file(tensors, folder / "model.safetensors")
    config = getattr(codec, "config", None)
    if hasattr(config, "to_json_file"):
        config.to_json_file(folder / "config.json", use_diff=False)
    elif isinstance(config, dict):
        (folder / "config.json").write_text(json.dumps(config))
    return str(folder / "model.safetensors")
