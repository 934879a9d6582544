"""What MDCTCodec and P2PSynCodec share: one length rule, and what runs their networks.

On the CPU that is torch with networks made for inference, on a GPU torch with the plain ones, and
without torch ONNX Runtime; tokens are equal.

Shape letters: B batch, T samples, Q codebooks, L tokens.
"""

from __future__ import annotations

import abc
import functools
from typing import TYPE_CHECKING, Any, Literal

from synbench_base.device import device
from synbench_base.packages import import_extra
from synbench_codecs._mdct.engine import engine
from synbench_codecs._mdct.sizes import CodecConfig
from synbench_codecs._packing import Tokens
from synbench_codecs.support.token_codec import TokenCodec
from synbench_codecs.support.torch_models import inference, to_tokens

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    from synbench_base.weights import WeightsFile
    from synbench_codecs._mdct.without_torch import PortableModel

__all__ = ["PortableCodec"]


class PortableCodec(TokenCodec):
    """A codec of MDCT coefficients that runs without torch too, with equal tokens.

    A subclass sets ``info``, ``config``, ``sent`` and the weights' files, and gives the abstract
    methods below.

    Attributes:
        config: rates and sizes of the network.
        sent: codebooks that travel.
    """

    config: CodecConfig
    sent: int
    _files: tuple[WeightsFile, ...]

    @property
    @abc.abstractmethod
    def model(self) -> Any:
        """The plain networks of torch, loaded at first use and kept."""

    @functools.cached_property
    def packed(self) -> Any:
        """The networks as the CPU runs them fastest; the plain ones decide what is close."""
        return self.pack(self.model)

    @functools.cached_property
    def portable(self) -> PortableModel:
        """The networks without torch, loaded at first use."""
        from synbench_codecs._mdct.without_torch import PortableModel

        return PortableModel(self._files[0].path, sent=self.sent)

    @abc.abstractmethod
    def quantized(self, tokens: Tokens) -> NDArray[np.float32]:
        """What the decoder without torch takes, of the tokens (B, Q, L) that were sent."""

    @abc.abstractmethod
    def pack(self, model: Any) -> Any:
        """The same networks for inference on the CPU."""

    @abc.abstractmethod
    def synthesise_by(self, model: Any, tokens: Tensor) -> Tensor:
        """Waves (B, 320 L) of the sent tokens (B, Q, L); the last 40 samples are zeros."""

    def tokenise(self, waves: Tensor) -> Tensor:
        """The tokens that are sent, (B, Q, L), of waves (B, T)."""
        tokens: Tensor = self.model.encode(waves)
        return tokens

    def synthesise(self, tokens: Tensor) -> Tensor:
        """Waves (B, 320 L) of the sent tokens (B, Q, L); the last 40 samples are zeros."""
        return self.synthesise_by(self.model, tokens)

    def n_frames(self, n_samples: int) -> int:
        """Tokens per codebook, by the model's length rule."""
        return self.config.n_tokens(n_samples)

    def warm_up(self) -> None:
        """Load the networks."""
        getattr(self, self._networks_in_use)

    def tokens_of(self, waves: NDArray[np.float32]) -> Tokens:
        """Tokens (B, Q, L) of waves (B, T)."""
        if self._networks_in_use == "portable":
            return self.portable.encode(waves)
        if self._networks_in_use == "model":
            return super().tokens_of(waves)
        torch = import_extra("torch", extra="torch")
        with inference():
            return to_tokens(self.packed.encode(torch.from_numpy(waves)))

    def waves_of(self, tokens: Tokens) -> NDArray[np.float32]:
        """Waves (B, 320 L) of tokens (B, Q, L)."""
        if self._networks_in_use == "portable":
            return self.portable.decode(self.quantized(tokens))
        if self._networks_in_use == "model":
            return super().waves_of(tokens)
        torch = import_extra("torch", extra="torch")
        with inference():
            waves: NDArray[np.float32] = self.synthesise_by(
                self.packed, torch.from_numpy(tokens)
            ).numpy()
        return waves

    @property
    def _networks_in_use(self) -> Literal["portable", "packed", "model"]:
        if engine() != "torch":
            return "portable"
        return "packed" if device() == "cpu" else "model"
