"""Whisper and WavLM from local directories: tiny models of random weights, made here."""

import json

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="pip install 'synbench[torch]'")
transformers = pytest.importorskip("transformers", reason="pip install 'synbench[hf]'")

from synbench_metrics import _hubert, _recognise, _remember, _wavlm, load, score, score_batch  # noqa: E402
from synbench_metrics.errors import Unavailable  # noqa: E402


@pytest.fixture(autouse=True)
def fresh():
    for loader in (_hubert._network, _wavlm._network, _recognise._network):
        loader.cache_clear()
    _remember.forget()
    yield
    for loader in (_hubert._network, _wavlm._network, _recognise._network):
        loader.cache_clear()


@pytest.fixture
def waves() -> np.ndarray:
    generator = np.random.default_rng(3)
    return (0.2 * generator.standard_normal((3, 8000))).clip(-1, 1)


@pytest.fixture
def wavlm(tmp_path, monkeypatch):
    """A directory as the hub has it: configuration, preprocessor, weights."""
    torch.manual_seed(0)
    config = transformers.WavLMConfig(
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=48,
        conv_dim=(16,) * 7,
        num_conv_pos_embeddings=16,
        num_conv_pos_embedding_groups=2,
        tdnn_dim=(16, 16, 16, 16, 24),
        xvector_output_dim=20,
        num_buckets=32,
        apply_spec_augment=False,
    )
    model = transformers.WavLMForXVector(config)
    model.save_pretrained(tmp_path)
    torch.save(model.state_dict(), tmp_path / "pytorch_model.bin")
    (tmp_path / "model.safetensors").unlink()
    extractor = transformers.Wav2Vec2FeatureExtractor(do_normalize=True, return_attention_mask=True)
    extractor.save_pretrained(tmp_path)
    monkeypatch.setenv("SYNBENCH_WEIGHTS_WAVLM_BASE_PLUS_SV", str(tmp_path))
    return model.eval(), extractor


def test_wavlm_is_that_of_transformers(wavlm, waves):
    model, extractor = wavlm
    inputs = extractor(list(waves), sampling_rate=16000, return_tensors="pt")
    with torch.no_grad():
        vectors = model(inputs.input_values).embeddings
    expected = torch.nn.functional.cosine_similarity(vectors[:1], vectors[1:]).numpy()
    metric = load("sim_wavlm_base_plus_sv")
    metric.check()
    single = [
        score(metric, reference=waves[0], degraded=wave, sample_rate=16000).value
        for wave in waves[1:]
    ]
    assert single == pytest.approx(expected, abs=1e-5)
    assert abs(single[0] - single[1]) > 1e-7
    _remember.forget()
    together = score_batch(metric, reference=waves[0], degraded=list(waves), sample_rate=16000)
    assert [each.value for each in together] == pytest.approx([1.0, *single], abs=1e-5)


def test_the_frechet_column_keeps_both_embeddings(wavlm, waves):
    metric = load("frechet_wavlm_base_plus_sv")
    outcome = score(metric, reference=waves[0], degraded=waves[1], sample_rate=16000)
    first, second = np.split(np.array(outcome.vector), 2)
    assert first.size == 20
    assert outcome.value == pytest.approx(np.sum((first - second) ** 2))


def test_a_directory_without_its_weights_is_unavailable(wavlm, tmp_path):
    (tmp_path / "pytorch_model.bin").unlink()
    with pytest.raises(Unavailable, match=r"pytorch_model.bin .*lacks it"):
        load("sim_wavlm_base_plus_sv").check()


def test_a_file_that_is_no_checkpoint_is_a_failure_with_its_reason(wavlm, tmp_path, waves):
    (tmp_path / "pytorch_model.bin").write_bytes(b"nothing")
    outcome = score(
        load("sim_wavlm_base_plus_sv"), reference=waves[0], degraded=waves[1], sample_rate=16000
    )
    assert outcome.status == "failed"
    assert outcome.reason


@pytest.fixture
def hubert(tmp_path, monkeypatch):
    """A directory of a small HuBERT that hears letters."""
    torch.manual_seed(2)
    letters = ["<pad>", "<s>", "</s>", "<unk>", "|", *"ABCDEFGH"]
    (tmp_path / "vocab.json").write_text(json.dumps({each: n for n, each in enumerate(letters)}))
    tokenizer = transformers.Wav2Vec2CTCTokenizer(tmp_path / "vocab.json")
    tokenizer.save_pretrained(tmp_path)
    (tmp_path / "special_tokens_map.json").touch()
    (tmp_path / "special_tokens_map.json").write_text("{}")
    config = transformers.HubertConfig(
        vocab_size=len(letters),
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=48,
        conv_dim=(16,) * 7,
        num_conv_pos_embeddings=16,
        num_conv_pos_embedding_groups=2,
        feat_extract_norm="layer",
        do_stable_layer_norm=True,
        apply_spec_augment=False,
        pad_token_id=0,
    )
    model = transformers.HubertForCTC(config)
    model.lm_head.weight.data.mul_(20)
    model.save_pretrained(tmp_path)
    torch.save(model.state_dict(), tmp_path / "pytorch_model.bin")
    (tmp_path / "model.safetensors").unlink()
    extractor = transformers.Wav2Vec2FeatureExtractor(do_normalize=True, return_attention_mask=True)
    extractor.save_pretrained(tmp_path)
    monkeypatch.setenv("SYNBENCH_WEIGHTS_HUBERT_LARGE", str(tmp_path))
    return model.eval(), extractor, tokenizer


def test_hubert_hears_what_the_pipeline_of_transformers_hears(hubert, waves):
    model, extractor, tokenizer = hubert
    pipeline = transformers.pipeline(
        "automatic-speech-recognition",
        model=model,
        feature_extractor=extractor,
        tokenizer=tokenizer,
        device="cpu",
    )
    waves = np.repeat(waves, 2, axis=1) * [[1.0], [0.3], [0.05]]
    expected = [
        pipeline({"raw": wave.astype(np.float32), "sampling_rate": 16000}) for wave in waves
    ]
    metric = load("wer_hubert_large_english")
    metric.check()
    texts = _recognise.transcripts("hubert_large", waves)
    assert [each["text"].strip() for each in expected] == texts
    assert all(texts)
    single = [_hubert.transcribe(wave[None])[0] for wave in waves]
    assert single == texts


@pytest.fixture
def whisper(tmp_path, monkeypatch):
    """A directory of an English-only Whisper with a vocabulary of bytes."""
    from transformers.models.gpt2.tokenization_gpt2 import GPT2Tokenizer  # noqa: F401

    torch.manual_seed(1)
    alphabet = sorted(tokenizers_alphabet())
    special = ["<|endoftext|>", "<|startoftranscript|>", "<|notimestamps|>"]
    vocabulary = {token: code for code, token in enumerate([*alphabet, *special])}
    tokenizer_files(tmp_path, vocabulary, special)
    config = transformers.WhisperConfig(
        vocab_size=len(vocabulary),
        d_model=32,
        encoder_layers=1,
        decoder_layers=1,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        encoder_ffn_dim=32,
        decoder_ffn_dim=32,
        max_target_positions=24,
        num_mel_bins=80,
        decoder_start_token_id=vocabulary["<|startoftranscript|>"],
        eos_token_id=vocabulary["<|endoftext|>"],
        pad_token_id=vocabulary["<|endoftext|>"],
        bos_token_id=vocabulary["<|endoftext|>"],
        suppress_tokens=None,
        begin_suppress_tokens=None,
    )
    model = transformers.WhisperForConditionalGeneration(config)
    with torch.no_grad():
        for value in model.parameters():
            value.mul_(4.0)  # so that waves matter
    model.generation_config = transformers.GenerationConfig(
        max_length=20,
        is_multilingual=False,
        no_timestamps_token_id=vocabulary["<|notimestamps|>"],
        decoder_start_token_id=vocabulary["<|startoftranscript|>"],
        eos_token_id=vocabulary["<|endoftext|>"],
        pad_token_id=vocabulary["<|endoftext|>"],
    )
    model.save_pretrained(tmp_path)
    transformers.WhisperFeatureExtractor(feature_size=80).save_pretrained(tmp_path)
    monkeypatch.setenv("SYNBENCH_WEIGHTS_WHISPER_SMALL", str(tmp_path))
    return model.eval()


def tokenizers_alphabet() -> list[str]:
    from tokenizers.pre_tokenizers import ByteLevel

    return ByteLevel.alphabet()


def tokenizer_files(folder, vocabulary, special) -> None:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(special)
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text(
        json.dumps({"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": special[0]})
    )


def test_whisper_hears_alike_alone_and_side_by_side(whisper, waves):
    metric = load("wer_whisper_small_english")
    metric.check()
    assert len(metric.info.weights_sha256) == 64
    single = [_recognise.transcripts("whisper_small", wave[None])[0] for wave in waves]
    assert any(single)
    _remember.forget()
    assert _recognise.transcripts("whisper_small", waves) == single


def test_whisper_says_what_transformers_says(whisper, waves):
    extractor = transformers.WhisperFeatureExtractor(feature_size=80)
    features = extractor(waves[0], sampling_rate=16000, return_tensors="pt").input_features
    with torch.no_grad():
        tokens = whisper.generate(features, do_sample=False, num_beams=1)[0]
    letters = [token for token in tokens.tolist() if token < 256]
    alphabet = sorted(tokenizers_alphabet())
    from tokenizers import decoders

    expected = decoders.ByteLevel().decode([alphabet[token] for token in letters])
    assert _recognise.transcripts("whisper_small", waves[:1]) == [expected.strip()]


def test_whisper_refuses_a_language_that_it_does_not_know(whisper, waves):
    """The model of these tests knows English alone, as its settings say."""
    given = {"degraded": waves[0], "sample_rate": 16000, "transcript": "ord"}
    outcome = score(load("wer_whisper_small_multilingual"), **given, language="sv")
    assert outcome.status == "not_applicable"
    assert "whisper_small does not know the language 'sv'" in outcome.reason
    assert score(load("wer_whisper_small_multilingual"), **given, language="en").status == "ok"


def test_more_than_thirty_seconds_are_not_heard(whisper):
    outcome = score(
        load("wer_whisper_small_english"),
        degraded=np.full(31 * 16000, 0.1),
        sample_rate=16000,
        transcript="words",
    )
    assert outcome.status == "not_applicable"
    assert "30 s" in outcome.reason
