"""The adversary in training: when it joins, how fast it learns, what it tells the codec."""

from __future__ import annotations

import torch
from torch import Tensor

from synbench_codecs._mdct_training.configuration import Discriminator
from synbench_codecs._mdct_training.discriminator import discriminator_loss, generator_losses
from synbench_codecs._mdct_training.helper import Helper

__all__ = ["Critic"]


class Critic:
    """A discriminator with its schedule."""

    def __init__(self, settings: Discriminator, helper: Helper) -> None:
        self.settings, self.helper = settings, helper

    def learns(self, step: int) -> bool:
        """Whether the discriminator trains at a step."""
        return self.settings.channels > 0 and step >= self.settings.from_step

    def is_heard(self, step: int) -> bool:
        """Whether the codec trains against it at a step."""
        return self.learns(step) and step >= self.settings.from_step + self.settings.alone_steps

    def set_rate(self, step: int, codec_rate: float) -> None:
        """Its own learning rate, or the codec's where it has none."""
        own = self.settings.learning_rate
        if own is None:
            return self.helper.set_rate(codec_rate)
        since = step - self.settings.from_step + 1
        warmth = min(max(since, 0) / max(self.settings.warm_up_steps, 1), 1.0)
        return self.helper.set_rate(own * warmth)

    def learn(self, wave: Tensor, decoded: Tensor) -> Tensor:
        """One step of the discriminator on waves (B, T), the decoded ones detached; its loss."""
        both = self.helper.prepared(torch.cat([wave, decoded]))
        real = [[features[: len(wave)] for features in branch] for branch in both]
        fake = [[features[len(wave) :] for features in branch] for branch in both]
        loss = discriminator_loss(real, fake)
        self.helper.descend(loss)
        return loss.detach()

    def judge(self, wave: Tensor, decoded: Tensor) -> dict[str, Tensor]:
        """The codec's two losses against it."""
        # Unwrapped: its gradients are not wanted here, so no process waits for them.
        discriminator = self.helper.module
        discriminator.requires_grad_(False)
        with torch.no_grad():
            real = discriminator(wave)
        adversarial, matching = generator_losses(real, discriminator(decoded))
        discriminator.requires_grad_(True)
        return {"adversarial": adversarial, "matching": matching}
