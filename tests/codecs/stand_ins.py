"""What the authors' packages offer to the scripts of examples/codecs, without their networks.

The names, arguments, shapes and types are those that each package documents or that its source
shows; how many tokens a wave gives is as there, too. What is coded is how loud a frame is. A call
with other arguments, shapes or types than the package takes fails.

Shape letters: B batch, T samples, Q codebooks, L frames.
"""

from __future__ import annotations

import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import soundfile
import torch
from torch import Tensor, nn

# By the module that a script imports: what it imports from it, and what stands in its place.
MODULES = {
    "dualcodec": ("get_model", "Inference"),
    "flexicodec/infer": ("prepare_model", "encode_flexicodec"),
    "focalcodec": ("FocalCodec",),
    "sparktts/models/audio_tokenizer": ("BiCodecTokenizer",),
    "Amphion/models/codec/ns3_codec": ("FACodecEncoder", "FACodecDecoder"),
    "semanticodec": ("SemantiCodec",),
    "xy_tokenizer/model": ("XY_Tokenizer",),
    "nemo/collections/tts/models": ("AudioCodecModel",),
    "qwen_tts": ("Qwen3TTSTokenizer",),
}


def write_modules(folder: Path) -> None:
    """Modules of the packages' names that give what stands here in their place."""
    for name, given in MODULES.items():
        path = folder / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"from stand_ins import {', '.join(given)}\n", encoding="utf-8")


def tokens_of(wave: Tensor, *, hop: int, sizes: list[int], count: int) -> Tensor:
    """Tokens (Q, count) of a wave (T,): each frame's loudness, another digit in every book."""
    assert wave.dtype == torch.float32
    missing = max(0, count * hop - wave.numel())
    frames = nn.functional.pad(wave, (0, missing))[: count * hop].reshape(count, hop)
    level = frames.abs().mean(dim=1).clamp(max=0.999)
    return torch.stack([((level + 0.1 * q) % 1 * size).long() for q, size in enumerate(sizes)])


def wave_of(tokens: Tensor, *, hop: int, sizes: list[int], gain: float = 1.0) -> Tensor:
    """A wave (L * hop,) of tokens (Q, L)."""
    assert tokens.dtype == torch.int64
    assert tokens.shape[0] == len(sizes)
    assert all(
        0 <= int(row.min()) <= int(row.max()) < n for row, n in zip(tokens, sizes, strict=True)
    )
    books = enumerate(zip(tokens, sizes, strict=True))
    level = sum((row / size - 0.1 * q) % 1 for q, (row, size) in books)
    return (gain * level / len(sizes)).repeat_interleave(hop).float()


def get_model(model_id: str = "12hz_v1", pretrained_model_path: str = "") -> Any:
    hop, size = {"12hz_v1": (1920, 4096), "25hz_v1": (960, 1024)}[model_id]
    assert Path(pretrained_model_path).is_dir()
    return SimpleNamespace(hop=hop, sizes=[16384, *[size] * 11])


class Inference:
    """Of dualcodec."""

    def __init__(
        self, dualcodec_model: Any, dualcodec_path: str, w2v_path: str, device: str, autocast: bool
    ) -> None:
        assert Path(dualcodec_path).is_dir()
        assert Path(w2v_path).is_dir()
        self.model, self.device = dualcodec_model, device

    def encode(self, audio: Tensor, n_quantizers: int = 8) -> tuple[Tensor, Tensor | None]:
        assert audio.ndim == 3
        # w2v-BERT has frames of 20 ms out of features of 10 ms, at 16 kHz; then they are averaged.
        features = 1 + (audio.shape[-1] * 2 // 3 - 400) // 160
        count = math.ceil(features / 2) // (self.model.hop // 480)
        assert count <= math.ceil(audio.shape[-1] / self.model.hop)
        sizes = self.model.sizes[:n_quantizers]
        codes = tokens_of(audio[0, 0], hop=self.model.hop, sizes=sizes, count=count)[None]
        return codes[:, :1], codes[:, 1:] if n_quantizers > 1 else None

    def decode(self, semantic_codes: Tensor, acoustic_codes: Tensor | None) -> Tensor:
        books = [semantic_codes] if acoustic_codes is None else [semantic_codes, acoustic_codes]
        codes = torch.cat(books, dim=1)[0]
        sizes = self.model.sizes[: codes.shape[0]]
        # Its transposed convolutions of odd stride leave out a few samples at the end.
        return wave_of(codes, hop=self.model.hop, sizes=sizes)[None, None, :-8]


FLEXI_SIZES = [32768, *[4096] * 23]


def prepare_model(
    sensevoice_small_path: str, device: str, ckpt_path: str, config_path: str
) -> dict[str, Any]:
    assert Path(sensevoice_small_path).is_dir()
    assert Path(ckpt_path).is_file()
    assert Path(config_path).is_file()

    def decode_from_codes(
        semantic_codes: Tensor, acoustic_codes: Tensor | None, token_lengths: Tensor
    ) -> Tensor:
        books = [semantic_codes] if acoustic_codes is None else [semantic_codes, acoustic_codes]
        codes = torch.cat(books, dim=1)[0]
        assert token_lengths.dtype == torch.int64
        assert token_lengths.shape == (1, codes.shape[1])
        whole = codes.repeat_interleave(token_lengths[0], dim=1)
        return wave_of(whole, hop=1280, sizes=FLEXI_SIZES[: codes.shape[0]])[None, None, :-8]

    return {"model": SimpleNamespace(decode_from_codes=decode_from_codes)}


def encode_flexicodec(
    audio: Tensor,
    model: dict[str, Any],
    sample_rate: int = 16000,
    num_quantizers: int = 8,
    merging_threshold: float = 0.91,
) -> dict[str, Any]:
    assert audio.ndim == 2
    assert sample_rate == 16000
    # Features of 60 ms out of windows of 25 ms every 10 ms, then four for three.
    features = math.ceil((1 + (audio.shape[-1] - 400) // 160) / 6)
    count = min(math.ceil(audio.shape[-1] / 1280), int(features / 1.33333))
    sizes = FLEXI_SIZES[:num_quantizers]
    codes = tokens_of(audio[0], hop=1280, sizes=sizes, count=count)
    lengths = [1] * count if merging_threshold == 1 else [1, 3, 8, 2, 1] * count
    while sum(lengths) > count:
        lengths.pop()
    lengths += [1] * (count - sum(lengths))
    first = np.cumsum([0, *lengths[:-1]])
    return {
        "semantic_codes": codes[None, :1, first],
        "acoustic_codes": codes[None, 1:, first] if num_quantizers > 1 else None,
        "token_lengths": torch.tensor([lengths]),
    }


class FocalCodec(nn.Module):
    def __init__(self, name: str) -> None:
        super().__init__()
        self.causal = name.endswith("causal")
        self.ratio = {"50hz": 1, "25hz": 2, "12": 4}[name.split("_")[1]]
        self.size = {"65k": 65536, "4k": 4096, "2k": 2048}.get(name.split("_")[-2], 8192)

    @classmethod
    def from_pretrained(cls, config: str) -> FocalCodec:
        assert Path(config).is_file()
        assert Path(config).with_suffix(".safetensors").is_file()
        return cls(Path(config).stem)

    def sig_to_toks(self, sig: Tensor) -> Tensor:
        assert sig.ndim == 2
        n_samples = sig.shape[1]
        frames = math.ceil(n_samples / 320) if self.causal else (n_samples - 400) // 320 + 1
        count = math.ceil(frames / self.ratio)
        return tokens_of(sig[0], hop=320 * self.ratio, sizes=[self.size], count=count)

    def toks_to_sig(self, toks: Tensor) -> Tensor:
        hop = 480 if self.causal else 320 * self.ratio
        return wave_of(toks, hop=hop, sizes=[self.size])[None]


class BiCodecTokenizer:
    def __init__(self, model_dir: Path, device: torch.device) -> None:
        assert (Path(model_dir) / "config.yaml").is_file()

    def tokenize(self, audio_path: str) -> tuple[Tensor, Tensor]:
        samples, rate = soundfile.read(audio_path, dtype="float32")
        assert rate == 16000
        wave, count = torch.from_numpy(samples), (len(samples) - 400) // 320 + 1
        loudest = min(int(wave.abs().max() * 4095), 4095)
        speaker = torch.full((1, 1, 32), loudest, dtype=torch.int32)
        return speaker, tokens_of(wave, hop=320, sizes=[8192], count=count)

    def detokenize(self, global_tokens: Tensor, semantic_tokens: Tensor) -> Any:
        assert global_tokens.shape == (1, 32)
        gain = float(global_tokens[0, 0]) / 4095
        return wave_of(semantic_tokens, hop=320, sizes=[8192], gain=gain).numpy()


class FACodecEncoder(nn.Module):
    def __init__(self, ngf: int, up_ratios: list[int], out_channels: int) -> None:
        super().__init__()
        self.hop, self.out_channels = math.prod(up_ratios), out_channels

    def forward(self, x: Tensor) -> Tensor:
        assert x.ndim == 3
        frames = x[0, 0][: x.shape[-1] // self.hop * self.hop].reshape(-1, self.hop)
        return frames.abs().mean(dim=1).expand(1, self.out_channels, -1)


class FACodecDecoder(nn.Module):
    def __init__(self, in_channels: int, up_ratios: list[int], **rest: Any) -> None:
        super().__init__()
        self.hop = math.prod(up_ratios)
        bits = [rest[f"codebook_size_{kind}"] for kind in ("prosody", "content", "residual")]
        counts = [rest[f"vq_num_q_{kind}"] for kind in "pcr"]
        self.sizes = [2**n for n, count in zip(bits, counts, strict=True) for _ in range(count)]

    def forward(self, x: Tensor, vq: bool, eval_vq: bool) -> tuple[Any, ...]:
        assert vq
        assert not eval_vq
        codes = tokens_of(x[0, 0].float(), hop=1, sizes=self.sizes, count=x.shape[-1])
        return x, codes[:, None], None, None, x.mean(dim=2) + 0.5

    def vq2emb(self, vq: Tensor) -> Tensor:
        assert vq.shape[:2] == (len(self.sizes), 1)
        return wave_of(vq[:, 0], hop=1, sizes=self.sizes).expand(1, 256, -1)

    def inference(self, x: Tensor, speaker_embedding: Tensor) -> Tensor:
        assert speaker_embedding.shape == (1, 256)
        assert speaker_embedding.dtype == torch.float32
        return (speaker_embedding[0, 0] * x[0, 0]).repeat_interleave(self.hop)[None, None]


class SemantiCodec(nn.Module):
    def __init__(
        self,
        token_rate: int,
        semantic_vocab_size: int,
        ddim_sample_step: int = 50,
        cfg_scale: float = 2.0,
        checkpoint_path: str | None = None,
    ) -> None:
        super().__init__()
        assert checkpoint_path is not None
        assert (Path(checkpoint_path) / "decoder.ckpt").is_file()
        self.device = torch.device("cpu")
        self.hop, self.sizes = 32000 // token_rate, [semantic_vocab_size, 8192]
        # As where weights are drawn before they are read.
        torch.rand(token_rate)

    def encode(self, filepath: str) -> Tensor:
        samples, rate = soundfile.read(filepath, dtype="float32")
        assert rate == 16000
        seconds = len(samples) / 16000
        seconds += 0.16 - seconds % 0.16
        count = math.ceil(seconds * 16000 / self.hop - 1e-9)
        wave = torch.from_numpy(samples)
        return tokens_of(wave, hop=self.hop, sizes=self.sizes, count=count).T[None]

    def decode(self, tokens: Tensor) -> Any:
        wave = wave_of(tokens[0].T, hop=self.hop, sizes=self.sizes)
        return (wave + 0.01 * torch.randn(wave.shape))[None, None].numpy()


class XY_Tokenizer(nn.Module):  # noqa: N801 - its name there
    @classmethod
    def load_from_checkpoint(cls, config_path: str, ckpt_path: str) -> XY_Tokenizer:
        assert Path(config_path).is_file()
        assert Path(ckpt_path).is_file()
        return cls()

    def encode(
        self, wav_list: list[Tensor], overlap_seconds: int, device: torch.device
    ) -> dict[str, list[Tensor]]:
        assert wav_list[0].ndim == 1
        count = len(wav_list[0]) // 1280
        return {"codes_list": [tokens_of(wav_list[0], hop=1280, sizes=[1024] * 8, count=count)]}

    def decode(
        self, codes_list: list[Tensor], overlap_seconds: int, device: torch.device
    ) -> dict[str, list[Tensor]]:
        return {"syn_wav_list": [wave_of(codes_list[0], hop=1280, sizes=[1024] * 8)]}


class AudioCodecModel(nn.Module):
    def __init__(self, name: str) -> None:
        super().__init__()
        self.hop, self.sizes = {
            "1.78kbps-12.5fps": (1764, [2016] * 13),
            "1.89kbps-21.5fps": (1024, [2016] * 8),
            "0.6kbps-12.5fps": (1764, [4032] * 4),
        }[name]

    @classmethod
    def restore_from(cls, restore_path: str, map_location: str) -> AudioCodecModel:
        assert Path(restore_path).is_file()
        return cls(Path(restore_path).name.removeprefix("nemo-nano-codec-22khz-")[:-5])

    def encode(self, *, audio: Tensor, audio_len: Tensor) -> tuple[Tensor, Tensor]:
        assert audio_len.tolist() == [audio.shape[1]]
        count = math.ceil(audio.shape[1] / self.hop)
        assert count > 3, "the ends of its frames are mirrored by three"
        codes = tokens_of(audio[0], hop=self.hop, sizes=self.sizes, count=count)
        return codes[None].int(), torch.tensor([count])

    def decode(self, *, tokens: Tensor, tokens_len: Tensor) -> tuple[Tensor, Tensor]:
        assert tokens_len.tolist() == [tokens.shape[2]]
        assert tokens.shape[2] > 3, "the ends of its frames are mirrored by three"
        wave = wave_of(tokens[0], hop=self.hop, sizes=self.sizes)[None]
        return wave, torch.tensor([wave.shape[1]])


class Qwen3TTSTokenizer:
    @classmethod
    def from_pretrained(cls, folder: str, device_map: str) -> Qwen3TTSTokenizer:
        assert (Path(folder) / "model.safetensors").is_file()
        return cls()

    def encode(self, audios: Any, sr: int) -> Any:
        assert isinstance(audios, np.ndarray)
        assert sr == 24000
        count = math.ceil(len(audios) / 1920)
        codes = tokens_of(torch.from_numpy(audios), hop=1920, sizes=[2048] * 16, count=count)
        return SimpleNamespace(audio_codes=[codes.T])

    def decode(self, encoded: dict[str, Tensor]) -> tuple[list[Any], int]:
        codes = encoded["audio_codes"]
        return [wave_of(codes.T, hop=1920, sizes=[2048] * 16).numpy()], 24000
