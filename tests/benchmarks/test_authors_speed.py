"""Our networks against their authors' own packages: same random weights, one thread, in turns.

The packages lie beside ours for this comparison alone, WavTokenizer as a clone of its repository::

    pip install --no-deps descript-audio-codec==1.0.0 bigcodec==0.0.3 einops argbind
    git clone https://github.com/jishengpeng/WavTokenizer && export PYTHONPATH=$PWD/WavTokenizer
"""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from measured import Measured

torch = pytest.importorskip("torch", reason="pip install 'synbench[torch]'")
pytest.importorskip("transformers", reason="pip install 'synbench[hf]'")

from authors import calibrated, descript_audio_codec, imported, noise  # noqa: E402

import synbench_codecs  # noqa: E402
from synbench_codecs.support.torch_models import inference  # noqa: E402

SECONDS, ROUNDS = 2, 5

pytestmark = [
    pytest.mark.benchmark,
    pytest.mark.timeout(3600),
    pytest.mark.filterwarnings("ignore"),
]
Pass = Callable[[], Any]


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield
    torch.set_num_threads(threads)


def race(
    name: str,
    measured: Measured,
    *,
    ours: tuple[Pass, Callable[[Any], Any]],
    theirs: tuple[Pass, Callable[[Any], Any]],
) -> None:
    """CPU seconds of encoder and decoder of both sides, the least of some rounds in turns."""
    least: dict[str, float] = {}
    outputs = {}
    for _ in range(ROUNDS):
        for side, (encode, decode) in (("ours", ours), ("theirs", theirs)):
            start = time.process_time()
            tokens = encode()
            middle = time.process_time()
            outputs[side] = tokens, decode(tokens)
            end = time.process_time()
            for part, spent in (("encoder", middle - start), ("decoder", end - middle)):
                key = f"{side} {part}"
                least[key] = min(least.get(key, np.inf), spent)
    tokens = {side: np.asarray(each[0]).reshape(-1) for side, each in outputs.items()}
    np.testing.assert_array_equal(tokens["ours"], tokens["theirs"])
    waves = {side: np.asarray(each[1]).reshape(-1) for side, each in outputs.items()}
    size = min(wave.size for wave in waves.values())
    loudest = np.abs(waves["theirs"]).max()
    np.testing.assert_allclose(
        waves["ours"][:size] / loudest, waves["theirs"][:size] / loudest, rtol=0, atol=1e-4
    )
    totals = {s: least[f"{s} encoder"] + least[f"{s} decoder"] for s in ("ours", "theirs")}
    print(f"\n{name}: {least}")
    measured.add_ratio(f"{name}: its authors' package", totals["theirs"] / totals["ours"])


@pytest.mark.parametrize("name", ["16k", "24k", "44k"])
def test_dac(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, measured: Measured, name: str
) -> None:
    from synbench_codecs.adapters.dac import SAMPLE_RATES, SHAPES

    package = descript_audio_codec(monkeypatch)
    shape, rate = SHAPES[name], SAMPLE_RATES[name]
    model = package.DAC(
        encoder_rates=list(shape.strides),
        decoder_rates=list(reversed(shape.strides)),
        latent_dim=shape.latent,
        n_codebooks=shape.codebooks,
        sample_rate=rate,
    )

    def encode(wave: Any) -> Any:
        return model.encode(model.preprocess(wave, rate))[1]

    def decode(codes: Any) -> Any:
        return model.decode(model.quantizer.from_codes(codes)[0])

    model = calibrated(model, lambda wave: decode(encode(wave)), 16 * shape.hop)
    path = tmp_path / "weights.pth"
    torch.save(
        {"state_dict": model.state_dict(), "metadata": {"kwargs": {"sample_rate": rate}}}, path
    )
    codec = synbench_codecs.load("dac", weights=str(path))
    wave = noise(SECONDS * rate // shape.hop * shape.hop)
    tensor = torch.from_numpy(wave)[None]
    with inference():
        race(
            f"DAC {name}",
            measured,
            ours=(
                lambda: codec.model.encode(tensor[None]).audio_codes,
                lambda tokens: codec.model.decode(audio_codes=tokens).audio_values,
            ),
            theirs=(lambda: encode(tensor[None]), decode),
        )


def test_bigcodec(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, measured: Measured) -> None:
    package = imported(
        monkeypatch, "bigcodec", package="bigcodec==0.0.3 einops", absent=("torchaudio",)
    )
    model = package.BigCodec(
        ngf=48,
        use_rnn=True,
        rnn_bidirectional=False,
        rnn_num_layers=2,
        up_ratios=(2, 2, 2, 5, 5),
        dilations=(1, 3, 9),
        out_channels=1024,
        codebook_size=8192,
        vq_num_quantizers=1,
        codebook_dim=8,
    )

    def encode(wave: Any) -> Any:
        # Their script appends a frame to whole frames, as ours does.
        padded = torch.nn.functional.pad(wave, (0, 200 - wave.shape[-1] % 200))
        return model.encode(padded)[0]

    def decode(tokens: Any) -> Any:
        return model.decode(tokens[:, None])

    model = calibrated(model, lambda wave: decode(encode(wave)), 3200)
    names = {"encoder.": "CodecEnc.", "decoder.": "generator."}
    tensors = {names[key[:8]] + key[8:]: value for key, value in model.state_dict().items()}
    torch.save(tensors, tmp_path / "weights.pt")
    codec = synbench_codecs.load("bigcodec", weights=str(tmp_path / "weights.pt"))
    tensor = torch.from_numpy(noise(SECONDS * 16000))[None]
    with inference():
        race(
            "BigCodec",
            measured,
            ours=(lambda: codec.model.encode(tensor), codec.model.decode),
            theirs=(lambda: encode(tensor[None]), decode),
        )


@pytest.mark.parametrize("rate", [40, 75])
def test_wavtokenizer(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, measured: Measured, rate: int
) -> None:
    if importlib.util.find_spec("decoder") is None:
        pytest.skip("no clone of github.com/jishengpeng/WavTokenizer in PYTHONPATH")
    audio = "torchaudio.functional"
    absent = ("torchaudio", audio, f"{audio}.functional")
    modules = [
        imported(monkeypatch, f"decoder.{name}", package="the clone", absent=absent)
        for name in ("pretrained", "feature_extractors", "models", "heads")
    ]
    pretrained, features, models, heads = modules
    strides, n_fft = {40: ([6, 5, 5, 4], 2400), 75: ([8, 5, 4, 2], 1280)}[rate]
    model = pretrained.WavTokenizer(
        features.EncodecFeatures(
            bandwidths=[6.6] * 4, dowmsamples=strides, vq_bins=4096, vq_kmeans=200
        ),
        models.VocosBackbone(512, 768, 2304, 12, adanorm_num_embeddings=4),
        heads.ISTFTHead(768, n_fft, n_fft // len(strides), padding="same"),
    )
    condition = torch.tensor([0])

    def encode(wave: Any) -> Any:
        return model.encode_infer(wave, bandwidth_id=condition)[1]

    def decode(codes: Any) -> Any:
        return model.decode(model.codes_to_features(codes), bandwidth_id=condition)

    model = calibrated(model.eval(), lambda wave: decode(encode(wave[:, 0])), 4800)
    used = {k: v for k, v in model.state_dict().items() if ".encodec.decoder." not in k}
    torch.save({"state_dict": used}, tmp_path / "weights.ckpt")
    variant = {40: "small-speech-40token", 75: "large-speech-75token"}[rate]
    path = str(tmp_path / "weights.ckpt")
    codec = synbench_codecs.load("wavtokenizer", variant=variant, weights=path)
    tensor = torch.from_numpy(noise(SECONDS * 24000))[None]
    with inference():
        race(
            f"WavTokenizer {rate}",
            measured,
            ours=(lambda: codec.model.encode(tensor), codec.model.decode),
            theirs=(lambda: encode(tensor), decode),
        )
