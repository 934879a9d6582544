"""A codec whose payload is one grid of tokens: checking, packing and batches, done once for all.

Shape letters: B batch, T samples, Q codebooks, L frames.
"""

from __future__ import annotations

import abc
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from synbench_base.device import device
from synbench_base.packages import import_extra
from synbench_codecs._interface import CodecInfo, Encoded, Wave, check_encoded, check_wave
from synbench_codecs._packing import Tokens, pack_tokens, unpack_tokens
from synbench_codecs.errors import EncodeError
from synbench_codecs.support.torch_models import inference, to_tokens

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["TokenCodec"]


class TokenCodec(abc.ABC):
    """A codec whose payload is one grid of tokens (Q, L) and nothing else.

    A codec sets ``info`` and gives the three methods below; checking, packing and batches are done
    here. A class method ``untrained(reduced=False, **options)``, which returns the codec with a
    ``model`` of random weights on torch's default device (it may be ``meta``), lets its parameters
    and operations be counted and its contract be tested without a checkpoint. ``reduced`` asks for
    narrow layers; rates and lengths stay.
    """

    info: CodecInfo
    # A network of convolutions keeps some 6 MB of each second; it codes a wave in one piece.
    max_seconds: float | None = 1800.0

    @abc.abstractmethod
    def n_frames(self, n_samples: int) -> int:
        """Frames L of a wave of ``n_samples``."""

    @abc.abstractmethod
    def tokenise(self, waves: Tensor) -> Tensor:
        """Tokens (B, Q, L) of waves (B, T)."""

    @abc.abstractmethod
    def synthesise(self, tokens: Tensor) -> Tensor:
        """Raw waves (B, at least T) of tokens (B, Q, L)."""

    def encode(self, wave: Wave, sample_rate: int) -> Encoded:
        """Code a wave, shape ``(samples,)``.

        Raises:
            EncodeError: what :func:`check_wave` refuses, or the wave is too long.
        """
        return self.encode_batch([wave], sample_rate)[0]

    def encode_batch(self, waves: Sequence[Wave], sample_rate: int) -> list[Encoded]:
        """Code waves of equal length in one forward pass; the same streams as one by one.

        Raises:
            EncodeError: as for :meth:`encode`, or the lengths differ.
        """
        checked = [self._checked(wave, sample_rate) for wave in waves]
        lengths = {wave.size for wave in checked}
        if len(lengths) != 1:
            raise EncodeError(f"{self.info.spec}: a batch needs equal lengths, got {lengths}")
        tokens = self.tokens_of(np.stack(checked))
        return [self._packed(one, checked[0].size, sample_rate) for one in tokens]

    def decode(self, encoded: Encoded) -> Wave:
        """The decoder's raw wave, at least as long as the input.

        Raises:
            BitstreamError: the payload is not one that this codec writes.
        """
        return self.decode_batch([encoded])[0]

    def decode_batch(self, streams: Sequence[Encoded]) -> list[Wave]:
        """Decode streams of equally long waves in one forward pass.

        Raises:
            BitstreamError: as for :meth:`decode`.
        """
        waves = self.waves_of(np.stack([self._unpacked(encoded) for encoded in streams]))
        return [np.ascontiguousarray(wave, dtype=np.float32) for wave in waves]

    def warm_up(self) -> None:
        """Load what the first wave would wait for."""
        getattr(self, "model", None)

    def tokens_of(self, waves: NDArray[np.float32]) -> Tokens:
        """Tokens (B, Q, L) of waves (B, T), by torch on the device."""
        torch = import_extra("torch", extra="torch")
        with inference():
            return to_tokens(self.tokenise(torch.from_numpy(waves).to(device())))

    def waves_of(self, tokens: Tokens) -> NDArray[np.float32]:
        """Raw waves of tokens (B, Q, L), by torch on the device."""
        torch = import_extra("torch", extra="torch")
        with inference():
            made = self.synthesise(torch.from_numpy(tokens).to(device()))
        waves: NDArray[np.float32] = made.cpu().numpy()
        return waves

    def _checked(self, wave: Wave, sample_rate: int) -> Wave:
        checked = check_wave(wave, sample_rate, info=self.info)
        if self.max_seconds is not None and checked.size > self.max_seconds * sample_rate:
            raise EncodeError(
                f"{self.info.spec}: takes at most {self.max_seconds:g} s at a time, because the "
                f"network codes a wave in one piece; got {checked.size / sample_rate:.1f} s"
            )
        return checked

    def _packed(self, tokens: Tokens, n_samples: int, sample_rate: int) -> Encoded:
        payload, n_bits = pack_tokens(tokens, self.info.codebook_sizes)
        return Encoded(
            spec=self.info.published_spec,
            payload=payload,
            payload_bits=n_bits,
            n_samples=n_samples,
            sample_rate=sample_rate,
            model_digest=self.info.model_digest,
        )

    def _unpacked(self, encoded: Encoded) -> Tokens:
        check_encoded(encoded, info=self.info)
        n_frames = self.n_frames(encoded.n_samples)
        return unpack_tokens(encoded.payload, self.info.codebook_sizes, n_frames)
