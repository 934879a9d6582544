"""Runs in somebody else's Python: loads a script with a codec and answers requests about it.

Only the standard library and numpy are imported here, nothing of synbench, and the syntax is that
of Python 3.8. Requests are lines of JSON on the standard input, answers lines of JSON on what was
the standard output; whatever the script prints goes to the standard error. Waves, codes and bytes
travel as files.
"""

import importlib.util
import json
import os
import random
import sys
import traceback
from pathlib import Path
from typing import Any

import numpy as np


def main() -> None:
    """Answer until the standard input ends, which it does when the asking process dies."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1)
    os.dup2(2, 1)
    # The folder of this file comes first in the path, and its names would hide those of packages.
    sys.path[:] = [folder for folder in sys.path if folder != str(Path(__file__).parent)]
    script = Script(sys.argv[1], json.loads(sys.argv[2]))
    for line in sys.stdin:
        try:
            answer = script.answer(json.loads(line))
        except Exception as error:  # noqa: BLE001 - the asking side decides what it means
            traceback.print_exc()
            answer = {"error": type(error).__name__ + ": " + str(error)}
        answers.write(json.dumps(answer) + "\n")


class Script:
    """A script of the user's own and what has happened to it.

    Args:
        path: of the script.
        settings: what its function ``configure`` is called with; it may lack one where empty.
    """

    def __init__(self, path: str, settings: "dict[str, Any]") -> None:
        self.module = _load(path)
        self.loaded = False
        if settings:
            self.module.configure(**settings)

    def answer(self, request: "dict[str, Any]") -> "dict[str, Any]":
        """What the script says to one request; whatever it raises is raised here."""
        if request["do"] == "describe":
            return {"description": self.module.describe(), "python": sys.version.split()[0]}
        if request["do"] == "frames":
            return {"frames": int(self.module.n_frames(request["samples"]))}
        self._prepare(request.get("seed"))
        if request["do"] == "encode":
            return {"kind": self._encode(request["source"], request["target"])}
        self._decode(request)
        return {}

    def _prepare(self, seed: "int | None") -> None:
        if not self.loaded:
            getattr(self.module, "load", lambda: None)()
            self.loaded = True
        # After loading, which may draw random numbers itself, so that every wave is the first one.
        if seed is not None:
            _seed(seed)

    def _encode(self, source: str, target: str) -> str:
        codes = self.module.encode(np.load(source, allow_pickle=False))
        if isinstance(codes, (bytes, bytearray)):
            Path(target).write_bytes(codes)
            return "bytes"
        kind = "parts" if isinstance(codes, dict) else "codes"
        parts = codes if isinstance(codes, dict) else {"tokens": codes}
        with open(target, "wb") as file:  # noqa: PTH123 - a name would get .npz behind it
            np.savez(file, **{name: _array(part).astype(np.int64) for name, part in parts.items()})
        return kind

    def _decode(self, request: "dict[str, Any]") -> None:
        codes = _codes(request["source"], request["kind"])
        wave = self.module.decode(codes, request["samples"])
        with open(request["target"], "wb") as file:  # noqa: PTH123 - as above
            np.save(file, _array(wave).astype(np.float32).reshape(-1), allow_pickle=False)


def _codes(source: str, kind: str) -> Any:
    if kind == "bytes":
        return Path(source).read_bytes()
    with np.load(source, allow_pickle=False) as stored:
        parts = {name: stored[name] for name in stored.files}
    return parts if kind == "parts" else parts["tokens"]


def _load(path: str) -> Any:
    sys.path.insert(0, str(Path(path).parent))
    spec = importlib.util.spec_from_file_location("isolated_codec", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _seed(seed: int) -> None:
    random.seed(seed)
    np.random.seed(seed)
    if importlib.util.find_spec("torch") is not None:
        import torch

        torch.manual_seed(seed)


def _array(value: Any) -> Any:
    """An array of what may be a torch tensor on any device."""
    if hasattr(value, "detach") and hasattr(value, "cpu"):
        value = value.detach().cpu()
        value = (value.float() if value.is_floating_point() else value).numpy()
    return np.asarray(value)


if __name__ == "__main__":
    main()
