"""The authors' own packages with random weights, for comparison; each is skipped where absent.

Some import torchaudio or a training's tools, which their networks do not need: stand-ins are put in
their place for the time of a test.
"""

from __future__ import annotations

import importlib
import importlib.machinery
import importlib.util
import sys
import types
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

__all__ = ["calibrated", "descript_audio_codec", "imported", "lengths", "noise", "stand_in"]


class _Absent(types.ModuleType):
    """A module whose every attribute exists and does nothing."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (), {})


def stand_in(monkeypatch: pytest.MonkeyPatch, name: str, **attributes: Any) -> None:
    """Put a module in place of an absent one that a network does not need."""
    module = _Absent(name)
    module.__spec__ = importlib.machinery.ModuleSpec(name, None)
    module.__path__ = []
    module.__dict__.update(attributes)
    monkeypatch.setitem(sys.modules, name, module)


def imported(
    monkeypatch: pytest.MonkeyPatch, module: str, *, package: str, absent: tuple[str, ...] = ()
) -> Any:
    """A module of an authors' package, with stand-ins for some that it imports."""
    if importlib.util.find_spec(module.partition(".")[0]) is None:
        pytest.skip(f"pip install --no-deps {package}")
    for name in absent:
        stand_in(monkeypatch, name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return importlib.import_module(module)


def descript_audio_codec(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The module of DAC's network; of its tools for audio it needs an empty base class."""
    from torch import nn

    base = type("BaseModel", (nn.Module,), {"INTERN": [], "EXTERN": []})
    stand_in(monkeypatch, "audiotools.ml", BaseModel=base)
    stand_in(monkeypatch, "audiotools", ml=sys.modules["audiotools.ml"])
    return imported(
        monkeypatch,
        "dac.model.dac",
        package="descript-audio-codec==1.0.0",
        absent=("tqdm", "dac.utils", "dac.model.discriminator"),
    )


def noise(n_samples: int, seed: int = 0) -> NDArray[np.float32]:
    generator = np.random.default_rng(seed)
    return (0.1 * generator.standard_normal(n_samples)).astype(np.float32)


def lengths(hop: int) -> tuple[int, ...]:
    """Whole frames, one sample more and less, and lengths between."""
    return (1, hop - 1, hop, hop + 1, 2 * hop + hop // 3, 5 * hop - 7, 5 * hop, 20 * hop + 1)


def calibrated(model: Any, run: Callable[[Any], Any], n_samples: int) -> Any:
    """The model with layers scaled so that every one gives a deviation of one.

    With plain random weights tokens collapse to one value, and a comparison would prove nothing.
    """
    import torch
    from torch import nn

    def scale(layer: Any, _: Any, output: Any) -> Any:
        rows = output.movedim(1, 0).flatten(1)
        spread = (rows - rows.mean(1, keepdim=True)).std() + 1e-6
        _length_of(layer).data.div_(spread)
        if layer.bias is not None:
            layer.bias.data.div_(spread)
        return output / spread

    with torch.no_grad():
        for name, buffer in model.named_buffers():
            if name.endswith(("_codebook.embed", "embedding_sum")):
                buffer.copy_(torch.randn(buffer.shape))
            elif name.endswith(("inited", "_initialized", "cluster_usage")):
                buffer.fill_(1)
        kinds = nn.Conv1d | nn.ConvTranspose1d
        hooks = [
            module.register_forward_hook(scale)
            for module in model.modules()
            if isinstance(module, kinds)
        ]
        run(torch.from_numpy(noise(n_samples))[None, None])
    for hook in hooks:
        hook.remove()
    return model.eval()


def _length_of(layer: Any) -> Any:
    """What scales a layer's output, with either of torch's weight norms or none."""
    if hasattr(layer, "weight_g"):
        return layer.weight_g
    if hasattr(layer, "parametrizations"):
        return layer.parametrizations.weight.original0
    return layer.weight
