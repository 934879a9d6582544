"""Runs in somebody else's Python: loads a script with a codec and answers requests about it.

Only the standard library and numpy are imported here, nothing of synbench, and the syntax is that
of Python 3.8. Requests are lines of JSON on the standard input, answers lines of JSON on what was
the standard output; whatever the script prints goes to the standard error. Waves, codes and bytes
travel as files.
"""

import importlib.util
import json
import os
import sys
import traceback
from pathlib import Path
from typing import Any

import numpy as np


def main() -> None:
    """Answer until the standard input ends, which it does when the asking process dies."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1)
    os.dup2(2, 1)
    script = _load(sys.argv[1])
    for line in sys.stdin:
        try:
            answer = _answer(script, json.loads(line))
        except Exception as error:  # noqa: BLE001 - the asking side decides what it means
            traceback.print_exc()
            answer = {"error": type(error).__name__ + ": " + str(error)}
        answers.write(json.dumps(answer) + "\n")


def _load(path: str) -> Any:
    sys.path.insert(0, str(Path(path).parent))
    spec = importlib.util.spec_from_file_location("isolated_codec", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _answer(script: Any, request: dict[str, Any]) -> dict[str, Any]:
    if request["do"] == "describe":
        return {"description": script.describe(), "python": sys.version.split()[0]}
    if request["do"] == "frames":
        return {"frames": int(script.n_frames(request["samples"]))}
    source, target = request["source"], request["target"]
    if request["do"] == "encode":
        codes = script.encode(np.load(source, allow_pickle=False))
        if isinstance(codes, (bytes, bytearray)):
            Path(target).write_bytes(codes)
            return {"kind": "bytes"}
        np.save(target, _array(codes).astype(np.int64), allow_pickle=False)
        return {"kind": "codes"}
    if request["kind"] == "bytes":
        wave = script.decode(Path(source).read_bytes(), request["samples"])
    else:
        wave = script.decode(np.load(source, allow_pickle=False), request["samples"])
    np.save(target, _array(wave).astype(np.float32).reshape(-1), allow_pickle=False)
    return {}


def _array(value: Any) -> Any:
    """An array of what may be a torch tensor on any device."""
    if hasattr(value, "detach") and hasattr(value, "cpu"):
        value = value.detach().cpu()
        value = (value.float() if value.is_floating_point() else value).numpy()
    return np.asarray(value)


if __name__ == "__main__":
    main()
