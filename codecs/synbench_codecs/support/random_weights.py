"""Random weights that a network can be tried with."""

from __future__ import annotations

from typing import Any

from synbench_base.packages import import_extra

__all__ = ["calibrate"]


def calibrate(codec: Any) -> None:
    """Give every convolution and linear layer an output of mean 0 and standard deviation 1.

    Tokens of plain random weights collapse to one value; after this they follow the wave.
    """
    torch = import_extra("torch", extra="torch")
    nn = torch.nn

    def scale(layer: Any, _: Any, output: Any) -> Any:
        channels_last = isinstance(layer, nn.Linear)
        rows = output.movedim(-1 if channels_last else 1, 0).flatten(1)
        mean, spread = rows.mean(1), (rows - rows.mean(1, keepdim=True)).std() + 1e-6
        layer.weight.div_(spread)
        if layer.bias is not None:
            layer.bias.sub_(mean).div_(spread)
            output = output - (mean if channels_last else mean[:, None])
        return output / spread

    kinds = nn.Conv1d | nn.ConvTranspose1d | nn.Linear
    hooks = [
        module.register_forward_hook(scale)
        for module in codec.model.modules()
        if isinstance(module, kinds)
    ]
    rate = codec.info.sample_rate
    time = torch.arange(rate // 4) / rate
    tone = torch.sin(2 * torch.pi * (200 + 900 * time) * time) * torch.sin(40 * time)
    with torch.no_grad():
        codec.synthesise(codec.tokenise((tone + 0.1 * torch.randn(time.numel()))[None]))
    for hook in hooks:
        hook.remove()
