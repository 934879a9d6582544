"""How much each loss asks of the decoder's output, measured or given.

The gradient of each loss at the output (B, bins, F) is taken on its own, which leaves parameters
and their hooks alone; what comes of them goes backward through the network once.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from synbench_codecs._mdct_training.configuration import Losses, Shares

# The terms of the loss that ask something of the decoder's output, and what they make up together.
ON_OUTPUT = {
    "mdct": ("mdct",),
    "mel": ("mel_l1", "mel_mse"),
    "periodicity": ("periodicity",),
    "adversarial": ("adversarial",),
    "matching": ("matching",),
}
# A crop's gradient is raised to the batch's mean from a tenth of it at most: silence stays silent.
QUIETEST_SHARE = 0.1

__all__ = ["balanced", "gradient_shares", "weighed"]


def weighed(
    terms: Mapping[str, Tensor], output: Tensor, settings: Losses, *, measure: bool
) -> tuple[Tensor, dict[str, Tensor]]:
    """The loss to descend, and, where it was measured, each part's share of the gradient.

    Args:
        terms: the losses before their weights.
        output: what the decoder gave, (B, bins, F).
        settings: weights and shares.
        measure: whether to take the gradients apart where the shares are not given.
    """
    weights = {name: getattr(settings, name) * term for name, term in terms.items()}
    parts = {
        name: torch.stack([weights[member] for member in members]).sum()
        for name, members in ON_OUTPUT.items()
        if members[0] in terms and (settings.shares is None or getattr(settings.shares, name) > 0)
    }
    asked: dict[str, Tensor] = {}
    if measure or settings.shares is not None:
        asked = {
            name: torch.autograd.grad(loss, output, retain_graph=True)[0]
            for name, loss in parts.items()
        }
    if settings.shares is None:
        return torch.stack(list(weights.values())).sum(), gradient_shares(asked)
    asked = balanced(asked, settings.shares)
    elsewhere = [weights[name] for name in ("codebook", "commitment") if name in weights]
    wanted = torch.stack(list(asked.values())).sum(0)
    return torch.stack([(output * wanted).sum(), *elsewhere]).sum(), gradient_shares(asked)


def gradient_shares(gradients: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Norms of gradients, as shares of their sum; nothing of nothing."""
    if not gradients:
        return {}
    norms = {name: one.norm() for name, one in gradients.items()}
    total = torch.stack(list(norms.values())).sum().clamp(min=1e-20)
    return {f"gradient_{name}": norm / total for name, norm in norms.items()}


def balanced(gradients: Mapping[str, Tensor], shares: Shares) -> dict[str, Tensor]:
    """Gradients (B, bins, F) scaled so that each has its share and every crop counts alike.

    The scale of all together is that of the gradient with the largest share.
    """
    wanted = {name: getattr(shares, name) for name in gradients}
    norms = {name: one.flatten(1).norm(dim=1) for name, one in gradients.items()}
    scale = norms[max(wanted, key=lambda name: wanted[name])].mean() / sum(wanted.values())
    scaled = {}
    for name, one in gradients.items():
        norm = torch.maximum(norms[name], QUIETEST_SHARE * norms[name].mean()).clamp(min=1e-20)
        scaled[name] = scale * wanted[name] * one / norm[:, None, None]
    return scaled
