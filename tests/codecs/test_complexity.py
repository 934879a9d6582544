"""Counted operations against what papers print, against thop, and against torch's own counter."""

from __future__ import annotations

from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="pip install 'synbench[torch]'")

import synbench_codecs  # noqa: E402
from synbench_codecs._complexity import count  # noqa: E402
from synbench_codecs._costs import complexity  # noqa: E402
from synbench_codecs._mdct.model import CodecConfig, MDCTModel  # noqa: E402
from synbench_codecs._mdct.predictor import Predictor, PredictorConfig  # noqa: E402
from synbench_codecs.adapters.bigcodec import BigCodec, BigCodecConfig  # noqa: E402
from synbench_codecs.adapters.wavtokenizer import WavTokenizer  # noqa: E402
from synbench_codecs.errors import UsageError  # noqa: E402
from synbench_codecs.networks.bigcodec import BigCodecNetwork as BigCodecNetwork  # noqa: E402

SECOND = 16000


def on_meta(build: Any) -> Any:
    with torch.device("meta"):
        return build().eval()


def zeros(*shape: int) -> Any:
    return torch.zeros(*shape, device="meta")


class TestPublishedNumbers:
    def test_p2psyncodec(self) -> None:
        """Table I of its paper: 22.99 M and 3.31 G with three pseudo quantizers."""
        codec = on_meta(lambda: MDCTModel(CodecConfig(codebooks=1)))
        predictors = [on_meta(lambda: Predictor(PredictorConfig())) for _ in range(3)]

        def run() -> None:
            vectors = codec.quantizer.lookup(codec.encode(zeros(1, SECOND)))
            for predictor in predictors:
                predictor(vectors.transpose(1, 2))
            codec.decode(vectors)

        counted = count(torch.nn.ModuleList([codec, *predictors]), run)
        assert counted.thop_parameters == 22_986_512
        assert counted.thop_macs == 3_307_174_400
        # The proper count, which the paper does not print, recounted by hand as about 3.05 G.
        assert counted.macs == pytest.approx(3.06e9, rel=0.005)

    def test_dac_with_one_book(self) -> None:
        """The paper prints 55.53 G for strides 2, 4, 5, 8 and one book."""
        pytest.importorskip("transformers", reason="pip install 'synbench[hf]'")
        from synbench_codecs.adapters.dac import PAPER
        from synbench_codecs.networks import dac as _dac

        model = on_meta(lambda: _dac.build(PAPER))

        def run() -> None:
            model.decode(audio_codes=model.encode(zeros(1, 1, SECOND)).audio_codes)

        counted = count(model, run)
        assert counted.thop_macs == 55_526_497_024
        assert counted.macs == pytest.approx(40.1e9, rel=0.005)

    def test_bigcodec(self) -> None:
        """The paper prints 159.32 M and 61.03 G: the released strides on an unpadded second."""
        network = on_meta(lambda: BigCodecNetwork(BigCodecConfig()))
        gains = 27_449  # weight norm, folded here

        def run() -> None:
            latent = network.encoder(zeros(1, 1, SECOND))
            tokens = network.quantizer.tokens(latent)
            network.decoder(network.quantizer.lookup(tokens))

        counted = count(network, run)
        assert (counted.thop_parameters + gains) / 1e6 == pytest.approx(159.32, abs=0.005)
        assert counted.thop_macs / 1e9 == pytest.approx(61.03, abs=0.02)

    def test_wavtokenizer(self) -> None:
        """The paper prints 71.65 M and 4.21 G; 50 frames give 4.20 G."""
        codec = on_meta_codec(WavTokenizer, variant="paper-16k")
        counted = complexity(codec)
        gains, adaptive = 2_704, 13 * 2 * 768  # folded here, embeddings there
        assert (counted.thop_parameters + gains - adaptive) / 1e6 == pytest.approx(71.65, abs=0.005)
        assert counted.thop_macs_per_second / 1e9 == pytest.approx(4.21, abs=0.015)


def on_meta_codec(codec_class: Any, **options: Any) -> Any:
    with torch.device("meta"):
        return codec_class.untrained(**options)


class TestRules:
    def test_a_transposed_convolution_counts_input_positions(self) -> None:
        layer = on_meta(lambda: torch.nn.ConvTranspose1d(3, 5, 8, stride=4, padding=2))
        counted = count(layer, lambda: layer(zeros(1, 3, 10)))
        assert counted.macs == 10 * 3 * 5 * 8
        assert counted.thop_macs == 40 * 3 * 5 * 8

    @pytest.mark.parametrize("kind", ["LSTM", "GRU"])
    def test_recurrent_layers_count_every_gate(self, kind: str) -> None:
        gates = {"LSTM": 4, "GRU": 3}[kind]
        layer = on_meta(lambda: getattr(torch.nn, kind)(6, 7, 2, bidirectional=True))
        counted = count(layer, lambda: layer(zeros(11, 1, 6)))
        assert counted.macs == 11 * 2 * gates * 7 * ((6 + 7) + (14 + 7))

    def test_attention_counts_both_products(self) -> None:
        layer = on_meta(lambda: torch.nn.MultiheadAttention(8, 2, batch_first=True))
        x = zeros(1, 9, 8)
        counted = count(layer, lambda: layer(x, x, x, need_weights=False))
        assert counted.macs == 4 * 9 * 8 * 8 + 2 * 9 * 9 * 8
        assert counted.thop_macs == counted.thop_parameters == 0

    def test_the_layers_are_left_as_they_were(self) -> None:
        layer = torch.nn.LSTM(3, 4)
        count(layer, lambda: layer(torch.zeros(5, 1, 3)))
        output, state = layer(torch.ones(5, 1, 3))
        assert output.abs().sum() > 0
        assert state is not None


class TestOtherCounters:
    def test_thop_itself_says_the_same(self) -> None:
        thop = pytest.importorskip("thop", reason="pip install thop")
        torch.manual_seed(0)
        network = torch.nn.Sequential(
            torch.nn.Conv1d(1, 8, 7, stride=2, padding=3, groups=1),
            torch.nn.BatchNorm1d(8),
            torch.nn.SiLU(),
            torch.nn.Conv1d(8, 8, 5, groups=4),
            torch.nn.ConvTranspose1d(8, 6, 6, stride=3),
            torch.nn.Linear(141, 10),
            torch.nn.LayerNorm(10),
            torch.nn.LSTM(10, 5, 2, bidirectional=True, batch_first=True),
        ).eval()
        x = torch.zeros(2, 1, 100)
        macs, parameters = thop.profile(network, inputs=(x,), verbose=False)
        for layer in network.modules():
            for name in ("total_ops", "total_params"):
                layer._buffers.pop(name, None)
        counted = count(network, lambda: network(x))
        assert (counted.thop_macs, counted.thop_parameters) == (macs, parameters)

    def test_torch_counts_the_same_products(self) -> None:
        """Its counter knows no recurrent layers, so those of the encoder are left out."""
        from torch.utils.flop_counter import FlopCounterMode

        model = WavTokenizer.untrained(reduced=True).model
        vectors = torch.zeros(1, model.config.latent, 20)
        counted = count(model, lambda: model.head(model.backbone(vectors)))
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            model.head(model.backbone(vectors))
        assert 2 * counted.macs == counter.get_total_flops()

    @pytest.mark.parametrize("codec_class", [BigCodec, WavTokenizer])
    def test_the_meta_device_counts_what_the_cpu_does(self, codec_class: Any) -> None:
        on_cpu = complexity(codec_class.untrained(reduced=True), seconds=0.2)
        assert complexity(on_meta_codec(codec_class, reduced=True), seconds=0.2) == on_cpu


class TestCosts:
    def test_a_codec_is_counted_without_weights(self) -> None:
        costs = synbench_codecs.count_costs("bigcodec")
        assert costs.parameters == 159_408_841
        assert costs.encoder_macs_per_second == pytest.approx(26.4e9, rel=0.01)

    def test_a_network_that_looks_at_values_is_run(self) -> None:
        """EnCodec's paddings are tensors; its size is the one that its authors' model has."""
        pytest.importorskip("transformers", reason="pip install 'synbench[hf]'")
        costs = synbench_codecs.count_costs("encodec:codebooks=2", seconds=0.1)
        assert costs.parameters / 1e6 == pytest.approx(14.85, abs=0.02)
        assert costs.encoder_macs_per_second > 1e9

    def test_a_codec_without_a_network_is_refused(self) -> None:
        with pytest.raises(UsageError, match="opus has no network"):
            synbench_codecs.count_costs("opus")

    def test_speed_is_measured_in_a_process_of_its_own(self) -> None:
        speed = synbench_codecs.measure_speed("wavtokenizer", seconds=0.2, repetitions=1)
        assert speed.encoder_cpu_per_second > 0
        assert speed.peak_memory_bytes > speed.idle_memory_bytes + 4 * 74_146_258
