"""The tensor names of the released MDCTCodec checkpoint, and ours.

The released decoder carries a second output convolution, left over from an ancestor and never
used: it is accepted and left out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from torch import Tensor

from synbench_codecs.support.tensors import Tensors, renamed, selected

__all__ = ["from_released"]

UNUSED_PREFIX = "decoder.PHA_Decoder_output_I_conv."

# Applied in this order, each to the outcome of the one before.
RENAMES = (
    (r"^encoder\.quantizer\.quantizers\.", "quantizer.stages."),
    (r"\.embed_logamp\.", ".trunk.embed."),
    (r"\.norm_logamp\.", ".trunk.norm."),
    (r"\.convnext_logamp\.", ".trunk.blocks."),
    (r"\.final_layer_norm_logamp\.", ".trunk.final_norm."),
    (r"\.out_logamp\.", ".trunk.out."),
    (r"\.dwconv\.", ".depthwise."),
    (r"\.pwconv1\.", ".expand."),
    (r"\.pwconv2\.", ".project."),
    (r"\.grn\.", ".response."),
    (r"\.AMP_Encoder_downsample_output_conv\.", ".down."),
    (r"\.AMP_Decoder_upsample_input_conv\.", ".up."),
    (r"\.latent_(?:output|input)_conv\.", ".latent."),
    (r"\.PHA_Decoder_output_R_conv\.", ".out."),
    (r"\.weight_g$", ".parametrizations.weight.original0"),
    (r"\.weight_v$", ".parametrizations.weight.original1"),
)


def from_released(tensors: Mapping[str, Tensor]) -> Tensors:
    """Tensors under our names, ready for ``MDCTModel.load_state_dict``."""
    return renamed(selected(tensors, lambda name: not name.startswith(UNUSED_PREFIX)), _ours)


def _ours(name: str) -> str:
    for pattern, replacement in RENAMES:
        name = re.sub(pattern, replacement, name)
    return name
