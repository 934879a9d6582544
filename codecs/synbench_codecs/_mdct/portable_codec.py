"""What MDCTCodec and P2PSynCodec share: one length rule, and networks of torch or ONNX Runtime.

Shape letters: B batch, T samples, Q codebooks, L tokens.
"""

from __future__ import annotations

import abc
import functools
from typing import TYPE_CHECKING

from synbench_codecs._mdct.engine import engine
from synbench_codecs._mdct.sizes import CodecConfig
from synbench_codecs._packing import Tokens
from synbench_codecs.support.token_codec import TokenCodec

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from synbench_base.weights import WeightsFile
    from synbench_codecs._mdct.without_torch import PortableModel

__all__ = ["PortableCodec"]


class PortableCodec(TokenCodec):
    """A codec of MDCT coefficients that runs without torch too, with equal tokens.

    A subclass sets ``info``, ``config``, ``sent`` and the weights' files, and gives ``model``,
    ``tokenise`` and ``synthesise`` for torch and :meth:`quantized` for ONNX Runtime.

    Attributes:
        config: rates and sizes of the network.
        sent: codebooks that travel.
    """

    config: CodecConfig
    sent: int
    _files: tuple[WeightsFile, ...]

    @functools.cached_property
    def portable(self) -> PortableModel:
        """The networks without torch, loaded at first use."""
        from synbench_codecs._mdct.without_torch import PortableModel

        return PortableModel(self._files[0].path, sent=self.sent)

    @abc.abstractmethod
    def quantized(self, tokens: Tokens) -> NDArray[np.float32]:
        """What the decoder without torch takes, of the tokens (B, Q, L) that were sent."""

    def n_frames(self, n_samples: int) -> int:
        """Tokens per codebook, by the model's length rule."""
        return self.config.n_tokens(n_samples)

    def warm_up(self) -> None:
        """Load the networks."""
        getattr(self, "model" if self._by_torch else "portable")

    def tokens_of(self, waves: NDArray[np.float32]) -> Tokens:
        """Tokens (B, Q, L) of waves (B, T)."""
        return super().tokens_of(waves) if self._by_torch else self.portable.encode(waves)

    def waves_of(self, tokens: Tokens) -> NDArray[np.float32]:
        """Waves (B, 320 L) of tokens (B, Q, L)."""
        if self._by_torch:
            return super().waves_of(tokens)
        return self.portable.decode(self.quantized(tokens))

    @property
    def _by_torch(self) -> bool:
        return engine() == "torch"
