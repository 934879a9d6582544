"""From weights files to a codec: what they say of themselves, and the networks ready to run.

Two layouts: one file that ``synbench train`` wrote, or the two files that MDCTCodec's authors
released. torch is imported when the networks are wanted.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from synbench_base.weights import WeightsFile
from synbench_codecs._mdct.header import Header, read_header
from synbench_codecs._mdct.sizes import CodecConfig
from synbench_codecs.support.tensors import joined
from synbench_codecs.support.torch_models import load_strictly, read_tensors

if TYPE_CHECKING:
    from synbench_codecs._mdct.model import MDCTModel
    from synbench_codecs._mdct.trained_model import TrainedModel

# The released weights are the published network at 48 kHz, trained on VCTK.
RELEASED_CONFIG = CodecConfig(sample_rate=48000, length_rule="padded")
RELEASED_NOTE = "the authors' released weights, trained on VCTK alone"

__all__ = ["RELEASED_CONFIG", "header_of", "load_model"]


def header_of(files: Sequence[WeightsFile]) -> Header:
    """What the weights say of themselves.

    Raises:
        WeightsError: one file, and none that ``synbench train`` wrote.
    """
    if len(files) > 1:
        return Header(codec=RELEASED_CONFIG, training={"note": RELEASED_NOTE})
    return read_header(files[0].path)


def load_model(files: Sequence[WeightsFile]) -> TrainedModel:
    """The networks, on the device, without weight normalisation.

    Raises:
        WeightsError: truncated, unsafe, or tensors of another network.
    """
    from synbench_codecs._mdct.model import fold_weight_norm
    from synbench_codecs._mdct.trained_model import TrainedModel, read_model

    released = len(files) > 1
    model = TrainedModel(codec=_released(files)) if released else read_model(files[0].path)
    fold_weight_norm(model.codec)
    return model


def _released(files: Sequence[WeightsFile]) -> MDCTModel:
    """The authors' two files, ``encoder`` with the quantizer and ``decoder``."""
    from synbench_codecs._mdct.layout import UNUSED_PREFIX, from_released
    from synbench_codecs._mdct.model import MDCTModel

    tensors = joined(read_tensors(file.path) for file in files)
    codec = MDCTModel(RELEASED_CONFIG)
    load_strictly(codec, from_released(tensors), path=files[-1].path, unused=(UNUSED_PREFIX,))
    return codec
