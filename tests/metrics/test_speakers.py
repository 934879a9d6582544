"""Speaker similarity by Resemblyzer's weights, against numbers of the package itself."""

import numpy as np
import pytest

from synbench_metrics import load, score
from synbench_metrics import speaker_similarity as speakers

pytest.importorskip("torch", reason="pip install 'synbench[torch]'")

# Resemblyzer 0.1.4: VoiceEncoder("cpu").embed_utterance of the speech of the PESQ repository at a
# gain, after audio.normalize_volume(wave, -30, increase_only=True); its mel spectrum by torch.stft.
PACKAGE = {
    (48000, 1.0): {109: 0.334582, 0: 0.306406, 243: 0.263429, 133: 0.204485},
    (20000, 0.02): {0: 0.364153, 109: 0.231942, 239: 0.20602, 251: 0.191881},
}


@pytest.mark.parametrize(("samples", "gain"), PACKAGE)
def test_the_embedding_is_the_packages(available, real, samples, gain):
    available("sim_resemblyzer")
    from synbench_metrics._voice_encoder import embed

    vector = embed(gain * real.reference[:samples])
    assert vector.shape == (256,)
    assert np.linalg.norm(vector) == pytest.approx(1.0)
    largest = np.argsort(vector)[::-1][:4]
    components = {int(index): round(float(vector[index]), 6) for index in largest}
    assert components == pytest.approx(PACKAGE[samples, gain], abs=2e-6)


def test_a_voice_is_more_like_itself_than_like_another(available, truth_folder):
    import soundfile

    metric = available("sim_resemblyzer")
    names = ("speech__noise20", "ca01__noise20", "speech__reference")
    folder = truth_folder / "audio" / "synthetic"
    waves = [soundfile.read(folder / f"{name}.flac")[0][:40000] for name in names]
    same, other = (
        score(metric, reference=waves[2], degraded=wave, sample_rate=16000).value
        for wave in waves[:2]
    )
    assert 0.7 < same < 1.0
    assert other < same - 0.1


def test_a_reference_is_embedded_once_for_columns_and_codecs(available, monkeypatch, real):
    from synbench_metrics import _remember, _voice_encoder

    available("sim_resemblyzer")
    calls = []
    monkeypatch.setattr(_voice_encoder, "embed", lambda wave: calls.append(1) or np.eye(256)[0])
    _remember.forget()
    for gain in (1.0, 0.5):
        for column in ("sim_resemblyzer", "frechet_resemblyzer"):
            score(
                load(column),
                reference=real.reference,
                degraded=gain * real.degraded,
                sample_rate=16000,
            )
    assert len(calls) == 3
    _remember.forget()


def test_models_have_columns_of_their_own():
    assert load("sim_resemblyzer").info.identity != load("sim_wavlm_base_plus_sv").info.identity
    assert "resemblyzer" in load("sim_resemblyzer").info.mode
    assert speakers.WAVLM.name == "wavlm_base_plus_sv"
