"""P2PSynCodec's predictors: sizes, attention over time, and the receiver's cascade."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="pip install 'synbench[torch]'")

from synbench_codecs._mdct.predictor import (  # noqa: E402
    Predictor,
    cascade,
    teacher_forced,
)
from synbench_codecs._mdct.sizes import PredictorConfig  # noqa: E402

TINY = PredictorConfig(latent=8, codes=16, channels=16, heads=2, blocks=1)


def test_parameters_are_the_published_ones() -> None:
    predictor = Predictor(PredictorConfig())
    assert sum(parameter.numel() for parameter in predictor.parameters()) == 6_248_448


def test_another_item_of_the_batch_changes_nothing() -> None:
    torch.manual_seed(0)
    predictor = Predictor(PredictorConfig()).eval()
    vectors = torch.randn(2, 40, 32)
    other = torch.stack([vectors[0], torch.randn(40, 32)])
    with torch.inference_mode():
        torch.testing.assert_close(predictor(vectors)[0], predictor(other)[0])


def test_attention_reaches_over_the_whole_time_axis() -> None:
    """Without BiLSTM and convolution, only attention can carry a change to a far token."""
    torch.manual_seed(0)
    block = Predictor(PredictorConfig(kernel=1)).blocks.eval()
    vectors = torch.randn(1, 60, 256)
    changed = vectors.clone()
    changed[0, 59] = torch.randn(256)
    with torch.inference_mode():
        assert not torch.allclose(block(vectors)[0, 0], block(changed)[0, 0])


@pytest.mark.parametrize("n_pseudo", [1, 3, 5, 7])
def test_cascade_is_teacher_forcing_on_its_own_tokens(n_pseudo: int) -> None:
    torch.manual_seed(n_pseudo)
    predictors = torch.nn.ModuleList(Predictor(TINY) for _ in range(n_pseudo)).eval()
    tables = torch.randn(n_pseudo + 1, 16, 8)
    tokens = cascade(predictors, tables, torch.randint(16, (2, 12)))
    assert tokens.shape == (2, n_pseudo + 1, 12)
    with torch.inference_mode():
        logits = teacher_forced(predictors, tables, tokens)
    for stage, one in enumerate(logits, start=1):
        assert torch.equal(one.argmax(-1), tokens[:, stage])
