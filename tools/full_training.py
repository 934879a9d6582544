"""Train the published 16 kHz teacher and its predictors on a GPU that is there for some minutes.

    python tools/full_training.py --data SPEECH --validation DEV --out RUN --seconds 480

trains for 480 s and ends with everything saved; the same command goes on, first with the teacher,
then with the predictors. RUN/parts then holds what the next slice needs in files below 16 MB, to be
carried over a narrow link: copy it back as RUN/parts on a fresh machine, and the same command goes
on from it (the predictors need RUN/parts/teacher as well). RUN/log.txt holds every line;
RUN/teacher and RUN/pseudo are runs as of ``synbench train``, so its ``curves`` and ``export`` work
on them.

On CUDA the networks are compiled and run in bfloat16, crops are drawn one step ahead by a thread,
and the share of time that the GPU was busy is written down every few seconds (RUN/gpu.csv).
Not run on a GPU by us so far; the tests run it on a CPU with tiny networks.
"""

from __future__ import annotations

import argparse
import contextlib
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from synbench.cache import cache_folder
from synbench.commands.train import find_pitch, validation_score
from synbench_codecs import training

KEPT_FILES = ("state.pt", "model.safetensors", "company.pt", "curves.csv", "config.json")
STAGES = ("teacher", "pseudo")
# A stage that has less time left than this would only start.
LEAST_SECONDS = 20.0
SECONDS_BETWEEN_SAMPLES = 5.0


def main() -> None:
    """Both stages, as far as the time goes."""
    chosen = arguments()
    changes = on_this_device()
    ends = time.monotonic() + chosen.seconds
    chosen.out.mkdir(parents=True, exist_ok=True)
    with (chosen.out / "log.txt").open("a", encoding="utf-8") as log:

        def report(line: str) -> None:
            print(line, flush=True)
            print(time.strftime("%FT%TZ", time.gmtime()), line, file=log, flush=True)

        with gpu_watch(chosen.out / "gpu.csv"):
            run(chosen, changes, ends, report)


def run(
    chosen: argparse.Namespace, changes: dict[str, Any], ends: float, report: Callable[[str], None]
) -> None:
    """The teacher to its last step, then the predictors."""
    common: dict[str, Any] = {
        "data": chosen.data,
        "validation": chosen.validation,
        "cache": cache_folder() / "training",
        "report": report,
    }
    for stage, kind in (("teacher", training.TeacherConfig), ("pseudo", training.PseudoConfig)):
        folder, parts = chosen.out / stage, chosen.out / "parts" / stage
        if stage not in chosen.stages:
            continue
        left = ends - time.monotonic()
        if left < LEAST_SECONDS:
            report(f"{stage}: {left:.0f} s are left; the same command goes on")
            return
        if parts.is_dir() and not (folder / "state.pt").exists():
            report(f"joined {', '.join(path.name for path in training.join_parts(parts, folder))}")
        steps = getattr(chosen, f"{stage}_steps")
        wanted = changes | ({} if steps is None else {"steps": steps})
        config = training.configure(getattr(chosen, stage), kind, **wanted)
        score = validation_score(config.sample_rate)
        if isinstance(config, training.TeacherConfig):
            training.train_teacher(
                config, folder=folder, score=score, find_pitch=find_pitch, seconds=left, **common
            )
        else:
            teacher = chosen.out / "teacher" / "model.safetensors"
            if not teacher.exists():
                training.join_parts(chosen.out / "parts" / "teacher", teacher.parent)
            training.train_pseudo(
                config, folder=folder, score=score, teacher=teacher, seconds=left, **common
            )
        written = training.split_into_parts(folder, parts, names=KEPT_FILES)
        report(f"{stage}: {len(written)} parts in {parts}")
        if training.steps_done(folder) < config.steps:
            report(f"{stage} is not done yet; the same command goes on")
            return
    report(f"done: {' and '.join(chosen.stages)}")


def on_this_device() -> dict[str, Any]:
    """What a GPU wants changed in a configuration; nothing on a CPU."""
    import torch

    if not torch.cuda.is_available():
        return {}
    torch.set_float32_matmul_precision("high")
    return {"precision": "bf16", "compile": True}


@contextlib.contextmanager
def gpu_watch(path: Path) -> Iterator[None]:
    """Note now and then how busy the GPU is, where ``nvidia-smi`` can say so."""
    command = [
        "nvidia-smi",
        "--query-gpu=timestamp,utilization.gpu,memory.used",
        "--format=csv,noheader",
    ]
    if shutil.which(command[0]) is None:
        yield
        return
    over = threading.Event()

    def watch() -> None:
        while not over.wait(SECONDS_BETWEEN_SAMPLES):
            line = subprocess.run(command, capture_output=True, text=True, check=False)
            with path.open("a", encoding="utf-8") as file:
                file.write(line.stdout)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    yield
    over.set()
    thread.join()


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of speech")
    parser.add_argument("--validation", type=Path, required=True, help="folder of held-out speech")
    parser.add_argument("--out", type=Path, required=True, help="folder of the run")
    parser.add_argument("--seconds", type=float, default=480.0, help="how long this slice may take")
    parser.add_argument("--teacher", default="libritts-16k", help="configuration of stage 1")
    parser.add_argument("--pseudo", default="libritts-16k", help="configuration of stage 2")
    parser.add_argument("--teacher-steps", type=int, help="instead of the configuration's")
    parser.add_argument("--pseudo-steps", type=int, help="instead of the configuration's")
    parser.add_argument("--stages", nargs="+", default=STAGES, choices=STAGES, help="both, or one")
    return parser.parse_args()


if __name__ == "__main__":
    main()
