"""The header of a model file, read without torch: what a codec tells of itself before it is used.

The header of a safetensors file is JSON behind its length, eight bytes, little-endian.
"""

from __future__ import annotations

import dataclasses
import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from synbench_codecs._mdct.sizes import CodecConfig, PredictorConfig
from synbench_codecs.errors import WeightsError

FORMAT = "synbench-mdct-1"
LENGTH = struct.Struct("<Q")
LONGEST_HEADER_BYTES = 1 << 26

__all__ = ["Header", "read_header"]


@dataclass(frozen=True, kw_only=True)
class Header:
    """What a model file says of itself.

    Attributes:
        codec: sizes of encoder, quantizer and decoder.
        predictors: sizes of the pseudo quantizers' predictors, ``None`` without any.
        pseudo: how many pseudo quantizers.
        training: what the training wrote down: hours, steps, device, note.
    """

    codec: CodecConfig
    predictors: PredictorConfig | None = None
    pseudo: int = 0
    training: Mapping[str, Any] = field(default_factory=dict)

    def metadata(self) -> dict[str, str]:
        """As the strings that a safetensors file keeps."""
        predictors = None if self.predictors is None else dataclasses.asdict(self.predictors)
        return {
            "format": FORMAT,
            "codec": json.dumps(self.codec.to_json()),
            "predictors": json.dumps(predictors),
            "pseudo": str(self.pseudo),
            "training": json.dumps(dict(self.training)),
        }


def read_header(path: Path) -> Header:
    """The header of a file that ``synbench train`` wrote.

    Raises:
        WeightsError: truncated, or another sort of file.
    """
    with path.open("rb") as file:
        start = file.read(LENGTH.size)
        length = LENGTH.unpack(start)[0] if len(start) == LENGTH.size else 0
        text = file.read(length) if 0 < length < LONGEST_HEADER_BYTES else b""
    try:
        metadata = json.loads(text)["__metadata__"]
        if metadata["format"] != FORMAT:
            raise WeightsError(
                f"{path} has the format {metadata['format']!r}, this synbench reads {FORMAT!r}"
            )
        predictors = json.loads(metadata["predictors"])
        return Header(
            codec=CodecConfig.from_json(json.loads(metadata["codec"])),
            predictors=None if predictors is None else PredictorConfig(**predictors),
            pseudo=int(metadata["pseudo"]),
            training=json.loads(metadata["training"]),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise WeightsError(f"{path} is no model file of `synbench train`") from error
