"""What every codec on torch shares: importing it, reading tensors safely, loading them strictly.

Import this module anywhere: torch itself is imported by the functions. All models run in float32
and inference mode, because half precision changes codes.
"""

from __future__ import annotations

import contextlib
import pickle
import struct
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from synbench_base.arrays import as_array
from synbench_base.device import check_device, device
from synbench_base.packages import import_extra, installed_version, require
from synbench_codecs._interface import Wave
from synbench_codecs.errors import WeightsError
from synbench_codecs.support.safe_pickle import load_with_stand_ins
from synbench_codecs.support.tensors import Tensors, fold_weight_norm, without_prefix

if TYPE_CHECKING:
    from torch import Tensor, nn

# The header of a safetensors file is JSON behind its length, eight bytes, little-endian.
HEADER_LENGTH = struct.Struct("<Q")
SHOWN_NAMES = 3

__all__ = [
    "fold_weight_norm",
    "from_wave",
    "inference",
    "load_strictly",
    "read_checkpoint",
    "read_tensors",
    "seeded",
    "to_tokens",
    "to_wave",
    "torch_version",
    "without_prefix",
    "without_weight_norm",
]


def torch_version() -> str:
    """``torch 2.13.0``, with the device where it is not the CPU; for ``CodecInfo.implementation``.

    The build (``+cpu``) is left out: on the CPU all builds compute the same.
    """
    require("torch", extra="torch")
    version = installed_version("torch").partition("+")[0]
    return f"torch {version}" if device() == "cpu" else f"torch {version} on {device()}"


@contextlib.contextmanager
def inference() -> Iterator[None]:
    """No gradients, one thread, no TF32: the same numbers on any number of cores.

    The bench fills the cores with processes; a recurrent layer is slower on several threads.
    """
    torch = import_extra("torch", extra="torch")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        # The flags concern a GPU only.
        exact = torch.backends.cudnn.flags(enabled=True, deterministic=True, allow_tf32=False)
        with torch.inference_mode(), exact:
            yield
    finally:
        torch.set_num_threads(threads)


@contextlib.contextmanager
def seeded(seed: int) -> Iterator[None]:
    """A fixed seed for models that draw random numbers; the caller's state comes back after it."""
    torch = import_extra("torch", extra="torch")
    with torch.random.fork_rng(enabled=True):
        torch.manual_seed(seed)
        yield


def from_wave(wave: Wave) -> Tensor:
    """A wave, shape ``(samples,)``, as a tensor of shape ``(1, 1, samples)`` on the device."""
    torch = import_extra("torch", extra="torch")
    # A copy: the wave may be read-only, which torch has no notion of.
    tensor: Tensor = torch.tensor(wave, dtype=torch.float32, device=check_device())
    return tensor[None, None]


def to_wave(tensor: Tensor) -> Wave:
    """The wave, shape ``(samples,)``, of a tensor whose other dimensions have size 1."""
    return np.ascontiguousarray(tensor.detach().cpu().numpy().reshape(-1), dtype=np.float32)


def to_tokens(codes: Tensor) -> NDArray[np.int64]:
    """Codes of shape ``(codebooks, frames)`` as numpy integers."""
    return as_array(codes).astype(np.int64)


def read_tensors(path: Path) -> Tensors:
    """All tensors of a checkpoint file, on the CPU, whatever precision they are stored in.

    A safetensors file is recognised by its content. Everything else is read by ``torch.load`` with
    ``weights_only=True``: a pickle that wants to run code is refused, never opened another way.
    Nested dictionaries become names with dots (``state_dict.encoder.weight``); entries that are
    no tensors are left out. Half and double precision become float32.

    Raises:
        WeightsError: truncated, no checkpoint, or a pickle with more than tensors in it.
        Unavailable: torch or safetensors is not installed.
    """
    return read_checkpoint(path)[0]


def read_checkpoint(path: Path) -> tuple[Tensors, dict[str, Any]]:
    """The tensors as :func:`read_tensors` gives them, and the plain values beside them.

    Values have dotted names too: ``metadata.kwargs.sample_rate``.
    """
    torch = import_extra("torch", extra="torch")
    tensors, values = {}, {}
    for name, value in _entries(path):
        if not isinstance(value, torch.Tensor):
            values[name] = value
        else:
            tensors[name] = value.float() if value.is_floating_point() else value
    if not tensors:
        raise WeightsError(f"{path} holds no tensors")
    return Tensors.of_file(tensors, path), values


def _entries(path: Path) -> Iterator[tuple[str, Any]]:
    if _is_safetensors(path):
        return iter(_read_safetensors(path).items())
    if what := no_checkpoint(path):
        raise WeightsError(f"{path} is {what}; type: synbench weights fetch, or download it again")
    torch = import_extra("torch", extra="torch")
    try:
        # Opened here: torch believes the ending of a name, whatever the file holds.
        with path.open("rb") as file:
            content = torch.load(file, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError:
        content = load_with_stand_ins(torch, path)
    except (RuntimeError, EOFError, ValueError, KeyError, LookupError, OSError) as error:
        raise WeightsError(f"{path} is truncated or no checkpoint: {_first_line(error)}") from error
    return _flatten(content)


def no_checkpoint(path: Path) -> str:
    """What lies there in place of weights, as failed downloads leave it; empty where nothing does.

    Raises:
        WeightsError: the file cannot be read.
    """
    try:
        with path.open("rb") as file:
            start = file.read(200).lstrip().lower()
    except OSError as error:
        raise WeightsError(f"{path} cannot be read: {error.strerror}") from error
    if not start:
        return "empty"
    if start.startswith(b"version https://git-lfs"):
        return "a pointer of Git LFS, not the file that it stands for"
    if start.startswith((b"<!doctype", b"<html", b"<?xml")):
        return "a web page, not weights"
    return ""


def _is_safetensors(path: Path) -> bool:
    with path.open("rb") as file:
        start = file.read(HEADER_LENGTH.size + 1)
    if len(start) <= HEADER_LENGTH.size or start[-1:] != b"{":
        return False
    return bool(HEADER_LENGTH.unpack(start[:-1])[0] < 1 << 32)


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    load_file = import_extra("safetensors.torch", extra="torch").load_file
    error_type = import_extra("safetensors", extra="torch").SafetensorError
    try:
        tensors: dict[str, Tensor] = load_file(path)
    except (error_type, OSError) as error:
        raise WeightsError(f"{path} is no intact safetensors file: {error}") from error
    return tensors


def _flatten(content: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(content, Mapping):
        for name, value in content.items():
            yield from _flatten(value, f"{prefix}.{name}" if prefix else str(name))
    else:
        yield prefix, content


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


def without_weight_norm(module: nn.Module) -> nn.Module:
    """The module with plain weights in place of its weight norm: same output, less work."""
    parametrize = import_extra("torch.nn.utils.parametrize", extra="torch")
    for layer in list(module.modules()):
        for name in list(getattr(layer, "parametrizations", ())):
            parametrize.remove_parametrizations(layer, name)
    return module


def load_strictly(
    module: nn.Module, tensors: Mapping[str, Tensor], *, path: Path, unused: Collection[str] = ()
) -> nn.Module:
    """Put every tensor into the module, on the device and ready for inference.

    Args:
        unused: name prefixes of tensors that the checkpoint holds and the model does not use.

    Raises:
        WeightsError: a tensor is absent, unknown, of another shape, or not finite; the message
            shows the names of the file.
    """
    named = tensors if isinstance(tensors, Tensors) else Tensors(tensors)
    wanted = module.state_dict()
    given = {key: value for key, value in named.items() if not key.startswith(tuple(unused))}
    wrong = {key: "absent" for key in wanted if key not in given}
    wrong |= {key: "unknown" for key in given if key not in wanted}
    for key in wanted:
        if key in given and (problem := _misfit(given[key], wanted[key])):
            wrong[key] = problem
    if wrong:
        raise WeightsError(_what_is_wrong(wrong, named, path))
    given = {key: value.to(wanted[key].dtype) for key, value in given.items()}
    # Taking the tensors over instead of copying them halves the time and the memory.
    module.load_state_dict(given, strict=True, assign=True)
    module.requires_grad_(False)
    return module.to(check_device()).eval()


def _what_is_wrong(wrong: Mapping[str, str], tensors: Tensors, path: Path) -> str:
    """Which file does not fit, and the first of its tensors that do not, under the file's names."""
    # Of several files it is the one that holds, or would hold, the first such tensor.
    file = tensors.file_of(next(iter(wrong)), path)
    if tensors.n_files > 1:
        wrong = {key: text for key, text in wrong.items() if tensors.file_of(key, path) == file}
    shown = "; ".join(_one_problem(key, wrong[key], tensors) for key in list(wrong)[:SHOWN_NAMES])
    more = f"; and {len(wrong) - SHOWN_NAMES} more" if len(wrong) > SHOWN_NAMES else ""
    return f"{file} does not fit the model: {shown}{more}"


def _one_problem(key: str, problem: str, tensors: Tensors) -> str:
    if problem == "absent":
        nearest = tensors.called(tensors.nearest(key))
        foreign = nearest and nearest != tensors.nearest(key)
        return f"{key} is absent" + (f" (most similar in the file: {nearest})" if foreign else "")
    return f"{tensors.called(key)} {'is unknown' if problem == 'unknown' else problem}"


def _misfit(tensor: Tensor, expected: Tensor) -> str:
    """What is wrong with a tensor, empty for nothing."""
    if tensor.shape != expected.shape:
        return f"has shape {tuple(tensor.shape)}, expected {tuple(expected.shape)}"
    if expected.is_floating_point() and not tensor.is_floating_point():
        return f"holds {tensor.dtype}, expected {expected.dtype}"
    if not tensor.is_meta and tensor.is_floating_point() and not bool(tensor.isfinite().all()):
        return "holds NaN or infinity"
    return ""
