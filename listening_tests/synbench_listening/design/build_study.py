"""From a run and a design to a study folder that can be served, bundled or exported."""

from __future__ import annotations

import hashlib
import io
import random
import shutil
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synbench.errors import UsageError
from synbench_base.errors import NotApplicable
from synbench_base.files import write_bytes
from synbench_listening.design.blocks import OPEN_REFERENCE, Stock, make_blocks
from synbench_listening.design.check_sounds import (
    attention_sounds,
    bandwidth_sounds,
    digit_sounds,
    environment_sounds,
    headphone_sounds,
    two_ear_sounds,
)
from synbench_listening.design.choose_items import choose_items
from synbench_listening.design.known_answers import Gold, Trap, ruined, trap_wave
from synbench_listening.design.limits import advise, check_limits
from synbench_listening.design.loudness import equalise
from synbench_listening.design.mnru import mnru_label
from synbench_listening.design.run_material import Candidate, Material, read_material
from synbench_listening.design.stimuli import (
    LOW_ANCHOR,
    MID_ANCHOR,
    REFERENCE,
    ItemWaves,
    make_item,
)
from synbench_listening.design.study import Language, Qualification, StudyDesign, Text
from synbench_listening.design.study_folder import Key, PublicStudy, Role, Stimulus, StudyFolder

WAVEFORM_PEAKS = 240
ROLES: dict[str, Role] = {
    OPEN_REFERENCE: "reference",
    REFERENCE: "hidden_reference",
    LOW_ANCHOR: "low_anchor",
    MID_ANCHOR: "mid_anchor",
}
SCALES = {
    "bs1116": (1.0, 5.0, 0.1),
    "acr": (1, 5, 1),
    "dcr": (1, 5, 1),
    "ccr": (-3, 3, 1),
    "effort": (1, 5, 1),
}

__all__ = ["build_study", "wav_bytes"]


def build_study(
    run: Path, design: StudyDesign, out: Path, *, listener: Callable[[str], None] = lambda _: None
) -> StudyFolder:
    """Build into ``out``, which must not exist yet.

    Args:
        listener: hears of every item that is done.

    Raises:
        UsageError: the run lacks something, or the design breaks its standard.
    """
    if out.exists():
        raise UsageError(f"{out} is there already: remove it, or name another folder with --out")
    material = read_material(
        run,
        systems=design.systems,
        corpus=design.items.corpus,
        metric=design.items.stratify_by,
        conditions=design.items.conditions,
        reference=design.items.reference,
    )
    chosen, training = choose_items(
        material.candidates,
        items=design.items,
        training=design.training_items if "training" in design.pages else 0,
        seed=design.seed,
    )
    breaches = check_limits(
        design,
        systems=len(material.systems),
        longest_seconds=max(candidate.seconds for candidate in chosen + training),
    )
    if design.test == "transcription":
        _check_transcripts(chosen + training)
    partial = out.with_name(f".{out.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        waves = []
        for candidate in chosen + training:
            waves.append(
                make_item(
                    candidate,
                    material.systems,
                    anchors=design.anchor_names,
                    target_lufs=design.listening.lufs,
                    mnru_db=design.mnru,
                )
            )
            listener(candidate.item)
        _write(partial, design, material, waves, training=len(training), notes=breaches)
        partial.rename(out)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return StudyFolder(out)


def _check_transcripts(chosen: list[Candidate]) -> None:
    """Every item has words, and the scorer of words is there, before anybody listens.

    Raises:
        UsageError: an item has no transcript, or one without a word.
        Unavailable: the packages of the scorer are missing.
    """
    from synbench_listening.answers.words import score_words

    for candidate in chosen:
        try:
            score_words(said=candidate.transcript, written="")
        except NotApplicable:
            raise UsageError(
                f"item {candidate.item} has no transcript in the run: a transcription test needs a "
                f"corpus with transcripts; leave it out with items.without: "
                f"[{candidate.utterance or candidate.item}]"
            ) from None


def _write(
    out: Path,
    design: StudyDesign,
    material: Material,
    waves: list[ItemWaves],
    *,
    training: int,
    notes: list[str],
) -> None:
    rates = sorted({item.sample_rate for item in waves})
    if len(rates) > 1:
        raise UsageError(f"the items have {rates} Hz; a study has one rate: choose with items.only")
    rate = rates[0]
    notes = [
        *notes,
        *advise(design, systems=len(material.systems), sample_rate=rate),
        *_material_notes(material, waves),
    ]
    shelf = _Shelf(out, sample_rate=rate, seed=design.seed)
    noisy = {mnru_label(q) for q in design.mnru}
    ids: dict[tuple[str, str], str] = {}
    peaks = {}
    for item in waves:
        for condition in (OPEN_REFERENCE, *item.conditions):
            treated = item.conditions[REFERENCE if condition == OPEN_REFERENCE else condition]
            log = {name: value for name, value in vars(treated).items() if name != "wave"}
            ids[item.item, condition] = shelf.add(
                treated.wave,
                role="degraded" if condition in noisy else ROLES.get(condition, "system"),
                condition=REFERENCE if condition == OPEN_REFERENCE else condition,
                item=item.item,
                item_condition=item.candidate.condition,
                transcript=item.candidate.transcript,
                **log,
            )
        peaks[ids[item.item, OPEN_REFERENCE]] = _peaks(item.conditions[REFERENCE].wave)
    stock = _stock(design, material, waves, training, ids, shelf)
    key = Key(
        study=design.name,
        made=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        run=str(material.folder),
        run_started=material.started,
        sample_rate=rate,
        seed=design.seed,
        design=design.model_dump(mode="json"),
        systems=tuple(system.label for system in material.systems),
        stimuli=shelf.stimuli,
        blocks=make_blocks(design, stock),
        peaks=peaks,
        notes=tuple(notes),
        completion_url=design.completion_url,
        completion_code=design.completion_code,
    )
    StudyFolder(out).write(key, _public(design, key))


class _Shelf:
    """Writes clips under ids that say nothing and keeps what is known of them."""

    def __init__(self, out: Path, *, sample_rate: int, seed: int) -> None:
        self.folder = StudyFolder(out)
        self.sample_rate = sample_rate
        self.stimuli: dict[str, Stimulus] = {}
        self._generator = random.Random(f"ids {seed}")

    def add(
        self, wave: NDArray[np.float64], *, role: Role, condition: str, item: str, **log: Any
    ) -> str:
        name = f"{self._generator.getrandbits(128):032x}"
        data = wav_bytes(wave, sample_rate=self.sample_rate)
        self.stimuli[name] = Stimulus(
            id=name,
            role=role,
            condition=condition,
            item=item,
            samples=len(wave),
            channels=1 if wave.ndim == 1 else wave.shape[1],
            sha256=hashlib.sha256(data).hexdigest(),
            **log,
        )
        write_bytes(self.folder.clip_path(self.stimuli[name]), data)
        return name


def wav_bytes(wave: NDArray[np.float64], *, sample_rate: int) -> bytes:
    """24-bit PCM WAV without any chunk but format and data."""
    import soundfile

    buffer = io.BytesIO()
    soundfile.write(buffer, wave, sample_rate, format="WAV", subtype="PCM_24")
    return buffer.getvalue()


def _stock(
    design: StudyDesign,
    material: Material,
    waves: list[ItemWaves],
    training: int,
    ids: Mapping[tuple[str, str], str],
    shelf: _Shelf,
) -> Stock:
    names = [item.item for item in waves]
    utterances = {item.item: item.candidate.utterance or item.item for item in waves}
    first = waves[0].conditions
    headphones: tuple[str, ...] = ()
    rate = shelf.sample_rate
    if "headphones" in design.pages:
        sounds = headphone_sounds(design.headphones.trials, sample_rate=rate, seed=design.seed)
        headphones = tuple(
            shelf.add(s.wave, role="headphones", condition="", item="", answer=s.answer)
            for s in sounds
        )
    checks = attention_sounds(design.attention_checks, sample_rate=rate, seed=design.seed)
    return Stock(
        ids=ids,
        conditions=tuple(first),
        systems=tuple(system.label for system in material.systems),
        items=tuple(names[: len(names) - training]),
        training=tuple(names[len(names) - training :]),
        headphones=headphones,
        # The reference of a training item, or of the first item, at the level of all others.
        volume=shelf.add(waves[-1].conditions[REFERENCE].wave, role="volume", condition="", item="")
        if "volume" in design.pages
        else "",
        attention=tuple(
            shelf.add(s.wave, role="attention", condition="", item="", answer=s.answer)
            for s in checks
        ),
        bandwidth=tuple(
            shelf.add(s.wave, role="attention", condition="", item="", answer=s.answer)
            for s in bandwidth_sounds(design.bandwidth_checks, sample_rate=rate, seed=design.seed)
        ),
        ears=tuple(
            shelf.add(s.wave, role="attention", condition="", item="", answer=s.answer)
            for s in two_ear_sounds(design.two_ear_checks, sample_rate=rate, seed=design.seed)
        ),
        environment=_environment(design, waves, training, shelf),
        digits=_digits(design, shelf),
        utterances=utterances,
        gold=_gold(design, waves, training, ids, shelf),
        traps=_traps(design, waves, training, ids, shelf),
    )


def _environment(
    design: StudyDesign, waves: list[ItemWaves], training: int, shelf: _Shelf
) -> tuple[str, ...]:
    if "environment" not in design.pages:
        return ()
    rules = design.environment
    sounds = environment_sounds(
        [item.conditions[REFERENCE].wave for item in _check_items(waves, training, rules.trials)],
        sample_rate=shelf.sample_rate,
        snr_db=rules.snr_db,
        seed=design.seed,
    )
    return tuple(
        shelf.add(s.wave, role="environment", condition="", item="", answer=s.answer)
        for s in sounds
    )


def _digits(design: StudyDesign, shelf: _Shelf) -> tuple[str, ...]:
    if "digits" not in design.pages:
        return ()
    rules = design.digits
    sounds = digit_sounds(
        Path(rules.folder),
        rules.trials,
        sample_rate=shelf.sample_rate,
        snr_db=rules.snr_db,
        seed=design.seed,
    )
    names = []
    for sound in sounds:
        (levelled,) = equalise(
            {"digits": sound.wave},
            sample_rate=shelf.sample_rate,
            target_lufs=design.listening.lufs,
        ).values()
        names.append(
            shelf.add(
                levelled.wave,
                role="digits",
                condition="",
                item="",
                answer=sound.answer,
                transcript=sound.said,
            )
        )
    return tuple(names)


def _check_items(waves: list[ItemWaves], training: int, count: int) -> list[ItemWaves]:
    """Items to make checks of: those of the training first, which are in no other trial."""
    split = len(waves) - training
    ordered = [*waves[split:], *waves[:split]]
    return [ordered[k % len(ordered)] for k in range(count)]


def _gold(
    design: StudyDesign,
    waves: list[ItemWaves],
    training: int,
    ids: Mapping[tuple[str, str], str],
    shelf: _Shelf,
) -> tuple[Gold, ...]:
    gold = []
    for k, item in enumerate(_check_items(waves, training, design.gold_trials)):
        worse = ruined(item.conditions[REFERENCE].wave, seed=k)
        levelled = equalise(
            {"ruined": worse}, sample_rate=item.sample_rate, target_lufs=design.listening.lufs
        )["ruined"]
        name = shelf.add(levelled.wave, role="gold", condition="", item="")
        gold.append(
            Gold(
                item=item.item,
                clean=ids[item.item, REFERENCE],
                ruined=name,
                reference=ids[item.item, OPEN_REFERENCE],
            )
        )
    return tuple(gold)


def _traps(
    design: StudyDesign,
    waves: list[ItemWaves],
    training: int,
    ids: Mapping[tuple[str, str], str],
    shelf: _Shelf,
) -> tuple[Trap, ...]:
    generator = random.Random(f"traps {design.seed}")
    traps = []
    for item in _check_items(waves, training, design.traps):
        beeps = generator.randint(1, 5)
        wave = trap_wave(item.conditions[REFERENCE].wave, beeps=beeps, sample_rate=item.sample_rate)
        name = shelf.add(wave, role="trap", condition="", item="", answer=beeps)
        traps.append(
            Trap(
                item=item.item,
                stimulus=name,
                beeps=beeps,
                reference=ids[item.item, OPEN_REFERENCE],
            )
        )
    return tuple(traps)


def _material_notes(material: Material, waves: list[ItemWaves]) -> list[str]:
    notes = [f"{count} items left out: {reason}" for reason, count in material.left_out.items()]
    for item in waves:
        for name, treated in item.conditions.items():
            if treated.lag_removed_samples:
                notes.append(
                    f"{item.item}, {name}: a lag of {treated.lag_removed_samples} samples removed"
                )
            elif treated.cut_samples:
                did = "cut" if treated.cut_samples > 0 else "added"
                notes.append(f"{item.item}, {name}: {abs(treated.cut_samples)} samples {did}")
    return notes


def _peaks(wave: NDArray[np.float64]) -> tuple[int, ...]:
    """Lowest and highest sample of :data:`WAVEFORM_PEAKS` equal stretches, scaled to 127."""
    scale = 127 / max(float(np.max(np.abs(wave))), 1e-9)
    stretches = np.array_split(wave, min(WAVEFORM_PEAKS, wave.size))
    return tuple(
        value
        for stretch in stretches
        for value in (round(float(stretch.min()) * scale), round(float(stretch.max()) * scale))
    )


def _public(design: StudyDesign, key: Key) -> PublicStudy:
    low, high, step = SCALES.get(design.test, (0, 100, 1))
    consent = _by_language(design.consent, design.languages)
    digest = hashlib.sha256(repr(sorted(consent.items())).encode()).hexdigest()[:16]
    return PublicStudy(
        name=design.name,
        version=hashlib.sha256(key.encode()).hexdigest(),
        test=design.test,
        title=_by_language(design.title or design.name, design.languages),
        languages=tuple(design.languages),
        sample_rate=key.sample_rate,
        consent=consent,
        consent_version=digest,
        instructions=_by_language(design.instructions, design.languages),
        questionnaire=tuple(design.questionnaire),
        headphones=design.headphones,
        environment=_rules(design.environment),
        digits=_rules(design.digits),
        listening=design.listening,
        no_preference=design.no_preference,
        comments=design.comments,
        scale=(low, high),
        scale_step=step,
        asks_consent="consent" in design.pages,
        sound_test=design.sound_test,
        traps=design.traps > 0,
    )


def _rules(qualification: Qualification) -> Qualification:
    """What the page has to know of a check: not where its recordings came from."""
    names = Qualification.model_fields
    return Qualification(**{name: getattr(qualification, name) for name in names})


def _by_language(text: Text, languages: list[Language]) -> dict[Language, str]:
    if isinstance(text, str):
        return dict.fromkeys(languages, text)
    return {language: text[language] for language in languages}
