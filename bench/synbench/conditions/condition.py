"""What a suite's ``conditions`` mean, checked and multiplied out.

::

    conditions:
      - clean
      - {noise: babble, snr_db: [20, 10, 5]}
      - {reverb: {rt60: 0.6}}
      - {level_db: [-20, 10]}
      - {channel: {frame_loss: [0.02, 0.1], burst: 2.5, conceal: repeat}}
      - {tandem: [2, 3]}

A list of numbers stands for one condition each. Damage of the input comes first, in the order of
:data:`INPUT_STEPS`, then the codec, its channel, and the tandem.
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from synbench.conditions.loss_pattern import check_channel
from synbench.conditions.noise import MADE_NOISES
from synbench.errors import UsageError
from synbench_base.close_names import suggestion
from synbench_base.folders import SUFFIXES, audio_files, file_id
from synbench_base.weights import file_sha256

CLEAN_LABEL = "clean"
BABBLE_NOISE = "babble"
INPUT_STEPS = ("lowpass_hz", "resampled_from", "reverb", "noise", "level_db", "clip")
CHANNELS = ("bit_errors", "frame_loss", "drop_books", "token_errors")
CONCEALMENTS = ("repeat", "zero", "codec")
KEYS = (*INPUT_STEPS, "snr_db", "channel", "tandem")

__all__ = [
    "BABBLE_NOISE",
    "CLEAN_LABEL",
    "Condition",
    "content_digest",
    "read_conditions",
    "recordings_in",
]


@dataclass(frozen=True, kw_only=True)
class Condition:
    """One condition.

    Attributes:
        label: its name in tables, figures and rows, such as ``babble 10 dB``.
        group: what it varies, such as ``babble``; one curve of a figure. Empty for ``clean``.
        value: where it lies on that curve: dB, a share, a number of passes. ``None`` for ``clean``.
        settings: everything that defines it, in JSON's types; of a file its name and digest.
        files: where the recordings of noise and rooms lie on this machine.
    """

    label: str
    group: str = ""
    value: float | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    files: Mapping[str, Path] = field(default_factory=dict)

    @property
    def is_clean(self) -> bool:
        """Whether nothing is done to the speech."""
        return not self.settings

    @property
    def damages_input(self) -> bool:
        """Whether the codec gets another wave than the recording."""
        return any(step in self.settings for step in INPUT_STEPS)

    @property
    def input_settings(self) -> dict[str, Any]:
        """The part that defines the wave that the codec gets."""
        return {key: value for key, value in self.settings.items() if key in _INPUT_KEYS}

    @property
    def channel(self) -> Mapping[str, Any]:
        """The settings of the channel; empty where there is none."""
        return dict(self.settings.get("channel", {}))

    @property
    def tandem(self) -> int | tuple[str, ...]:
        """How often the codec is passed, or the codecs that come before it; 1 for once."""
        passes = self.settings.get("tandem", 1)
        return passes if isinstance(passes, int) else tuple(passes)

    @property
    def identity(self) -> str:
        """Digest of what it does, 16 hex digits; empty for ``clean``."""
        if not self.settings:
            return ""
        # What an earlier version made of these is another wave.
        is_second = isinstance(self.tandem, tuple) or (
            self.damages_input and self.input_settings != self.settings
        )
        return _digest({**self.settings, "version": 2} if is_second else self.settings)

    @property
    def without_channel(self) -> Condition:
        """The same before the channel: what it makes of the speech, and which stream is sent."""
        settings = {key: value for key, value in self.settings.items() if key != "channel"}
        if not settings:
            return Condition(label=CLEAN_LABEL)
        return _from_settings(settings, dict(self.files))

    def seed(self, *, corpus: str, item: str, step: str) -> int:
        """Where the random numbers of one step of one item begin, the same on every machine.

        What is done to the input is drawn from that part of the condition alone, so that the same
        noise is there with a channel and without.
        """
        settings = self.input_settings if step in (*INPUT_STEPS, "voices") else self.settings
        made_from = json.dumps([corpus, item, step, settings], sort_keys=True)
        return int.from_bytes(hashlib.sha256(made_from.encode()).digest()[:8], "big")


_INPUT_KEYS = (*INPUT_STEPS, "snr_db")
# Group, position on its curve, label.
Part = tuple[str, float | None, str]


def _digest(settings: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:16]


def read_conditions(entries: Iterable[Any], *, folder: Path) -> tuple[Condition, ...]:
    """All conditions of a suite, ``clean`` first where it is among them.

    Args:
        entries: what YAML holds: ``clean`` or mappings.
        folder: where relative paths of noises and impulse responses count from.

    Raises:
        UsageError: an unknown name (the close one is offered), a value out of range, or a
            condition that is there twice.
    """
    conditions = [each for entry in entries for each in _multiplied(entry, folder)]
    labels = [condition.label for condition in conditions]
    for label in labels:
        if labels.count(label) > 1:
            raise UsageError(f"the suite has the condition {label!r} twice")
    return tuple(sorted(conditions, key=lambda condition: not condition.is_clean))


def _multiplied(entry: Any, folder: Path) -> Iterator[Condition]:
    if entry == CLEAN_LABEL:
        yield Condition(label=CLEAN_LABEL)
        return
    if not isinstance(entry, dict) or not entry:
        raise UsageError(
            f"expected a condition such as 'clean' or {{noise: babble, snr_db: 10}}, got {entry!r}"
        )
    _known(entry, KEYS, "condition")
    choices = [[(key, value) for value in _values(key, entry[key])] for key in entry]
    for chosen in itertools.product(*choices):
        yield _condition(dict(chosen), folder)


def _values(key: str, value: Any) -> list[Any]:
    """One value for each condition that a list stands for; settings of a mapping multiply too."""
    if isinstance(value, dict):
        choices = [[(name, each) for each in _values(name, value[name])] for name in value]
        return [dict(chosen) for chosen in itertools.product(*choices)]
    if isinstance(value, list):
        if key == "tandem" and all(isinstance(each, str) for each in value):
            return [value]
        if not value:
            raise UsageError(f"the list of {key} is empty")
        return value
    return [value]


def _condition(settings: dict[str, Any], folder: Path) -> Condition:
    if "snr_db" in settings and "noise" not in settings:
        raise UsageError("snr_db needs a noise: {noise: white, snr_db: 10}")
    return _from_settings(settings, _recordings(settings, folder))


def _from_settings(settings: dict[str, Any], files: dict[str, Path]) -> Condition:
    parts = [READERS[key](settings) for key in KEYS if key in settings and key != "snr_db"]
    return Condition(
        label=", ".join(label for _, _, label in parts),
        group=", ".join(group for group, _, _ in parts),
        value=parts[0][1] if len(parts) == 1 else None,
        settings=settings,
        files=files,
    )


def _recordings(settings: dict[str, Any], folder: Path) -> dict[str, Path]:
    """Paths of noise and impulse response; in the settings a name and a digest replace them."""
    files: dict[str, Path] = {}
    noise = settings.get("noise")
    if isinstance(noise, str) and noise not in (*MADE_NOISES, BABBLE_NOISE):
        files["noise"] = _path(noise, folder, names=(*MADE_NOISES, BABBLE_NOISE))
        settings["noise"] = {"name": files["noise"].stem, "sha256": content_digest(files["noise"])}
    reverb = settings.get("reverb")
    response = reverb.get("response") if isinstance(reverb, dict) else reverb
    if isinstance(response, str):
        files["reverb"] = _path(response, folder, names=())
        digest = content_digest(files["reverb"])
        settings["reverb"] = {"name": files["reverb"].stem, "sha256": digest}
    return files


def content_digest(path: Path) -> str:
    """SHA-256 of a file, or of all recordings below a folder with their names, 64 hex digits.

    Files are read again only where they changed.

    Raises:
        UsageError: there is no recording, or one cannot be read.
    """
    try:
        digests = [(file, file_sha256(file)) for file in recordings_in(path)]
    except OSError as error:
        raise UsageError(f"cannot read {error.filename}: {error.strerror}") from error
    if path.is_file():
        return digests[0][1]
    listed = [f"{file_id(file, below=path)} {digest}" for file, digest in digests]
    return hashlib.sha256("\n".join(listed).encode()).hexdigest()


def recordings_in(path: Path) -> list[Path]:
    """The file itself, or the recordings below a folder, sorted.

    Raises:
        UsageError: the folder holds none.
    """
    files = [path] if path.is_file() else sorted(audio_files(path))
    if not files:
        raise UsageError(f"{path} holds no recordings ({', '.join(SUFFIXES)})")
    return files


def _noise(settings: dict[str, Any]) -> Part:
    noise = settings["noise"]
    if not isinstance(noise, str | dict):
        raise UsageError(f"expected a noise by name or path, got {noise!r}")
    name = noise["name"] if isinstance(noise, dict) else noise
    if "snr_db" not in settings:
        raise UsageError(f"the noise {name!r} needs a ratio: {{noise: {name}, snr_db: 10}}")
    snr_db = _number("snr_db", settings["snr_db"], -60, 100)
    return name, snr_db, f"{name} {snr_db:g} dB"


def _reverb(settings: dict[str, Any]) -> Part:
    reverb = settings["reverb"]
    if isinstance(reverb, int | float) and not isinstance(reverb, bool):
        settings["reverb"] = reverb = {"rt60": reverb}
    if not isinstance(reverb, dict):
        raise UsageError(f"expected {{reverb: {{rt60: 0.6}}}} or a path, got {reverb!r}")
    if "sha256" in reverb:
        return f"reverb {reverb['name']}", None, f"reverb {reverb['name']}"
    _known(reverb, ("rt60", "response"), "reverb setting")
    rt60 = _number("rt60", reverb.get("rt60"), 0.1, 3)
    return "reverb", rt60, f"reverb {rt60:g} s"


def _level(settings: dict[str, Any]) -> Part:
    level = _number("level_db", settings["level_db"], -80, 40)
    return "level", level, f"level {level:+g} dB"


def _clip(settings: dict[str, Any]) -> Part:
    share = _number("clip", settings["clip"], 1e-6, 0.999)
    return "clipped", share, f"clipped {100 * share:g} %"


def _lowpass(settings: dict[str, Any]) -> Part:
    cutoff = _number("lowpass_hz", settings["lowpass_hz"], 50, 24000)
    return "low-pass", cutoff, f"low-pass {cutoff:g} Hz"


def _lower_rate(settings: dict[str, Any]) -> Part:
    rate = _number("resampled_from", settings["resampled_from"], 1000, 96000)
    settings["resampled_from"] = int(rate)
    return "resampled", rate, f"from {rate:g} Hz"


def _channel(settings: dict[str, Any]) -> Part:
    channel = settings["channel"]
    if not isinstance(channel, dict):
        raise UsageError(f"expected {{channel: {{bit_errors: 1e-3}}}}, got {channel!r}")
    _known(channel, (*CHANNELS, "burst", "conceal"), "channel setting")
    kinds = [kind for kind in CHANNELS if kind in channel]
    if len(kinds) != 1:
        raise UsageError(f"expected one of {', '.join(CHANNELS)} in a channel, got {channel!r}")
    kind = kinds[0]
    if kind != "frame_loss" and ("burst" in channel or "conceal" in channel):
        raise UsageError(f"burst and conceal belong to frame_loss, not to {kind}")
    if kind == "drop_books":
        count = _number(kind, channel[kind], 1, 64)
        which = "last book" if count == 1 else f"last {int(count)} books"
        return "dropped books", count, f"{which} dropped"
    share = _share(kind, channel[kind])
    if kind == "frame_loss":
        burst = _number("burst", channel.setdefault("burst", 1), 1, 1000)
        check_channel(loss=share, burst=burst)
        conceal = channel.setdefault("conceal", "repeat")
        if conceal not in CONCEALMENTS:
            raise UsageError(f"expected conceal: {'|'.join(CONCEALMENTS)}, got {conceal!r}")
        how = "" if conceal == "repeat" else f" ({conceal})"
        bursts = "" if burst == 1 else f" in bursts of {burst:g}"
        return f"frame loss{bursts}{how}", share, f"{100 * share:g} % loss{bursts}{how}"
    name = {"bit_errors": "bit errors", "token_errors": "token errors"}[kind]
    return name, share, f"{name} {share:g}"


def _tandem(settings: dict[str, Any]) -> Part:
    tandem = settings["tandem"]
    if isinstance(tandem, str):
        settings["tandem"] = tandem = [tandem]
    if isinstance(tandem, list):
        return "after " + " and ".join(tandem), None, "after " + " and ".join(tandem)
    passes = _number("tandem", tandem, 2, 10)
    settings["tandem"] = int(passes)
    return "tandem", passes, f"tandem {int(passes)}"


READERS: dict[str, Callable[[dict[str, Any]], Part]] = {
    "lowpass_hz": _lowpass,
    "resampled_from": _lower_rate,
    "reverb": _reverb,
    "noise": _noise,
    "level_db": _level,
    "clip": _clip,
    "channel": _channel,
    "tandem": _tandem,
}


def _number(name: str, value: Any, low: float, high: float) -> float:
    # YAML reads 1e-3 as text, since its own numbers want a point: 1.0e-3.
    number = value
    if isinstance(value, str):
        with contextlib.suppress(ValueError):
            number = float(value)
    if isinstance(number, bool) or not isinstance(number, int | float):
        raise UsageError(f"expected a number for {name}, got {value!r}")
    value = number
    if not low <= value <= high:
        raise UsageError(f"expected {name} from {low:g} to {high:g}, got {value:g}")
    return float(value)


def _share(name: str, value: Any) -> float:
    return _number(name, value, 0, 1)


def _known(given: Mapping[str, Any], names: Iterable[str], what: str) -> None:
    for name in given:
        if name not in names:
            hint = suggestion(str(name), names, f"known: {', '.join(names)}")
            raise UsageError(f"unknown {what} {name!r}; {hint}")


def _path(text: str, folder: Path, *, names: Iterable[str]) -> Path:
    path = (folder / Path(text).expanduser()).resolve()
    if not path.exists():
        hint = suggestion(text, names, f"made here: {', '.join(names)}")
        raise UsageError(f"no file or folder {path}; {hint}" if names else f"no file {path}")
    return path
