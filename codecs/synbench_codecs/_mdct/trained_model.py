"""A trained model as one file: tensors, and in the header what builds the network around them.

Half-precision tensors are widened when they are read, so the file decides every token alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from synbench_base.files import replacing
from synbench_codecs._mdct.header import Header, read_header
from synbench_codecs._mdct.model import MDCTModel
from synbench_codecs._mdct.predictor import PseudoQuantizers
from synbench_codecs.errors import UsageError
from synbench_codecs.support.torch_models import load_strictly, read_tensors, without_prefix

__all__ = ["TrainedModel", "read_model", "replace_teacher", "write_model"]

PSEUDO = "pseudo_quantizers."


@dataclass(frozen=True, kw_only=True)
class TrainedModel:
    """A codec and, for P2PSynCodec, its pseudo quantizers.

    Attributes:
        training: what the training wrote down: hours, steps, device, note.
    """

    codec: MDCTModel
    pseudo: PseudoQuantizers | None = None
    training: Mapping[str, Any] = field(default_factory=dict)

    @property
    def header(self) -> Header:
        """What the file will say of itself."""
        return Header(
            codec=self.codec.config,
            predictors=self.pseudo.config if self.pseudo else None,
            pseudo=len(self.pseudo.predictors) if self.pseudo else 0,
            training=self.training,
        )


def write_model(path: Path, model: TrainedModel, *, half: bool = False) -> None:
    """Write under a temporary name, flush, rename; ``half`` stores float16."""
    from safetensors.torch import save_file

    tensors = dict(model.codec.state_dict())
    if model.pseudo is not None:
        tensors |= {PSEUDO + key: value for key, value in model.pseudo.state_dict().items()}
    dtype = torch.float16 if half else torch.float32
    ready = {
        key: value.detach().cpu().to(dtype if value.is_floating_point() else value.dtype)
        for key, value in tensors.items()
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    contiguous = {key: value.contiguous() for key, value in ready.items()}
    with replacing(path) as temporary:
        save_file(contiguous, temporary, model.header.metadata())


def read_model(path: Path) -> TrainedModel:
    """Read what :func:`write_model` wrote, as float32, ready for inference.

    Raises:
        WeightsError: truncated, another sort of file, or tensors that do not fit the header.
    """
    header = read_header(path)
    tensors = {
        key: value.float() if value.is_floating_point() else value
        for key, value in read_tensors(path).items()
    }
    codec = MDCTModel(header.codec)
    load_strictly(codec, {k: v for k, v in tensors.items() if not k.startswith(PSEUDO)}, path=path)
    pseudo = None
    if header.predictors is not None:
        pseudo = PseudoQuantizers(header.predictors, header.pseudo)
        load_strictly(pseudo, without_prefix(tensors, PSEUDO), path=path)
    return TrainedModel(codec=codec, pseudo=pseudo, training=header.training)


def replace_teacher(model: TrainedModel, teacher: TrainedModel) -> TrainedModel:
    """Predictors behind another teacher that differs from theirs in its decoder alone.

    Raises:
        UsageError: there are no predictors, or the other teacher makes other tokens.
    """
    if model.pseudo is None:
        raise UsageError("expected a run with predictors, got a teacher alone")
    before, after = model.codec.state_dict(), teacher.codec.state_dict()
    if model.codec.config != teacher.codec.config or any(
        not torch.equal(value, after[name])
        for name, value in before.items()
        if not name.startswith("decoder.")
    ):
        raise UsageError(
            "the predictors know other tokens than this teacher makes: expected one that was "
            "trained further with decoder_only; train predictors on it with synbench train pseudo"
        )
    training = {**model.training, "teacher": dict(teacher.training)}
    return TrainedModel(codec=teacher.codec, pseudo=model.pseudo, training=training)
