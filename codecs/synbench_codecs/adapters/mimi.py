"""Mimi at 24 kHz: a causal codec with transformers, 12.5 frames per second, 137.5 bit/s per book.

The released model holds 32 codebooks of 2048 codes; 8 (1.1 kbit/s) are what speech models use, and
the default here. The first codebook is quantized apart from the others, so one alone is possible.

As in the authors' package the wave is filled up to whole frames before anything else. transformers
fills up inside each convolution, which gives other tokens in the last frame.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from synbench_base.weights import Checkpoint, WeightsSource
from synbench_codecs._spec import Options
from synbench_codecs.support.adapting import check_range
from synbench_codecs.support.hub import HubCodec
from synbench_codecs.support.tensors import Tensors, renamed, selected

if TYPE_CHECKING:
    from torch import Tensor

MOST_CODEBOOKS = 32

# Later versions of transformers split the model in two; the checkpoint has the names from before.
SPLIT_NAMES = (
    (r"^(encoder|decoder)\.layers\.", r"\1.\1_seanet.layers."),
    (r"^(encoder|decoder)_transformer\.", r"\1.\1_transformer."),
    (r"^downsample\.", "encoder.downsample."),
    (r"^upsample\.", "decoder.upsample."),
)
# The names of the authors' own file, applied in this order, each to the outcome of the one before.
AUTHORS = (
    (r"^(encoder|decoder)\.model\.", r"\1.layers."),
    (r"^(encoder|decoder)_transformer\.transformer\.", r"\1_transformer."),
    (r"\.(conv|convtr)\.\1\.\1\.", ".conv."),
    (r"\.(conv|convtr)\.\1\.", ".conv."),
    (r"\.self_attn\.out_proj(?:s\.0)?\.", ".self_attn.o_proj."),
    (r"\.linear([12])\.", r".mlp.fc\1."),
    (r"\.norm1\.", ".input_layernorm."),
    (r"\.norm2\.", ".post_attention_layernorm."),
    (r"\.layer_scale_1\.", ".self_attn_layer_scale."),
    (r"\.layer_scale_2\.", ".mlp_layer_scale."),
    (r"^quantizer\.rvq_first\.", "quantizer.semantic_residual_vector_quantizer."),
    (r"^quantizer\.rvq_rest\.", "quantizer.acoustic_residual_vector_quantizer."),
    (r"\.vq\.layers\.(\d+)\._codebook\._?", r".layers.\1.codebook."),
    (r"\.embedding_sum$", ".embed_sum"),
)
# Query, key and value in one matrix, as two versions of the authors' package name it.
FUSED_PROJECTION = re.compile(r"\.self_attn\.in_proj(?:_weight|s\.0\.weight)$")

RELEASED = Checkpoint(
    name="mimi",
    files=(
        WeightsSource(
            repository="huggingface.co/kyutai/mimi",
            revision="89091b3e466eb6a9d11e537bf26b144f194978f7",
            file="model.safetensors",
            sha256="bac7e85083dcded655d24eaadde7e6eea34c0da1b35fa2d284e641bd2b942a5e",
            bytes=384_649_828,
        ),
    ),
    licence="CC-BY-4.0",
)

__all__ = ["CODECS", "Mimi"]


class Mimi(HubCodec):
    """Mimi.

    Args:
        codebooks: 1 to 32, of 137.5 bit/s each.
        weights: file of the user's own.
    """

    points: ClassVar[tuple[Options, ...]] = tuple({"codebooks": count} for count in (4, 8, 32))
    checkpoints: ClassVar[tuple[Checkpoint, ...]] = (RELEASED,)
    name = "mimi"
    title = "Mimi"
    sample_rate = 24000
    output_rate = 24000
    hop = 1920
    bits = 11
    model_class = "MimiModel"
    config_class = "MimiConfig"
    checkpoint = RELEASED
    reduced = {
        "num_filters": 4,
        "hidden_size": 32,
        "upsample_groups": 32,
        "vector_quantization_hidden_dimension": 16,
        "codebook_dim": 16,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "num_key_value_heads": 2,
        "head_dim": 16,
        "intermediate_size": 64,
    }

    def __init__(self, *, codebooks: int = 8, weights: str = "") -> None:
        self._load({"codebooks": codebooks, "weights": weights})

    def _facts(self) -> dict[str, Any]:
        check_range("mimi", "codebooks", self.options["codebooks"], 1, MOST_CODEBOOKS)
        return {
            "adapter_version": 2,
            "causal": True,
            "lookahead_samples": 0,
            "context": "unbounded",
            "batch_policy": "equal_length",
            "source": "Défossez et al., Moshi: a speech-text foundation model, 2024",
        }

    def _rename(self, tensors: Tensors, wanted: Mapping[str, Tensor]) -> Tensors:
        if set(tensors) <= set(wanted):
            return tensors
        if any(name.startswith("encoder.model.") for name in tensors):
            tensors = _separate(renamed(tensors, _hub_name), self.config.num_attention_heads)
        return renamed(tensors, _split_name)

    def tokenise(self, waves: Tensor) -> Tensor:
        """Tokens (B, Q, L) of waves (B, T)."""
        whole = self._filled(waves)[:, None]
        count = len(self.info.codebook_sizes)
        codes: Tensor = self.model.encode(whole, num_quantizers=count).audio_codes
        return codes


def _hub_name(name: str) -> str:
    for pattern, replacement in AUTHORS:
        name = re.sub(pattern, replacement, name)
    return name


def _split_name(name: str) -> str:
    for pattern, replacement in SPLIT_NAMES:
        name = re.sub(pattern, replacement, name)
    return name


def _separate(tensors: Tensors, n_heads: int) -> Tensors:
    """Query, key and value apart from each other.

    The authors rotate neighbouring components of queries and keys, transformers those half a head
    apart, so their rows change places.
    """
    apart = selected(tensors, lambda name: not FUSED_PROJECTION.search(name))
    for name in (name for name in tensors if FUSED_PROJECTION.search(name)):
        stem = FUSED_PROJECTION.sub(".self_attn.", name)
        query, key, value = tensors[name].chunk(3)
        parts = {"q": _half_apart(query, n_heads), "k": _half_apart(key, n_heads), "v": value}
        for letter, part in parts.items():
            apart[f"{stem}{letter}_proj.weight"] = part
            apart.origins[f"{stem}{letter}_proj.weight"] = tensors.origins[name]
    return apart


def _half_apart(rows: Tensor, n_heads: int) -> Tensor:
    pairs = rows.reshape(n_heads, -1, 2, rows.shape[1])
    return pairs.transpose(1, 2).reshape(rows.shape)


CODECS = {"mimi": Mimi}
