"""Speaks a list of sentences with libespeak-ng into 16-bit WAV files, and ends.

Run as a script of its own: the library keeps state from one sentence to the next, so only a fresh
process that speaks the same list gives the same samples; and a crash in it ends this process
alone. Needs the standard library only. Arguments: library, data folder, target folder. Standard
input: a JSON list of {file, text, voice, pitch, range, speed}. Standard output: the version.
"""

from __future__ import annotations

import ctypes
import json
import sys
import wave
from pathlib import Path
from typing import Any

# From espeak-ng's speak_lib.h.
AUDIO_OUTPUT_SYNCHRONOUS = 2
INITIALIZE_DONT_EXIT = 0x8000
PARAMETERS = {"speed": 1, "pitch": 3, "range": 4}  # words per minute; 0 to 100; 0 to 100
CHARACTERS_UTF8 = 1

_CALLBACK = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p
)


def _start(library: str, data: str) -> tuple[Any, int, str]:
    espeak = ctypes.CDLL(library)
    espeak.espeak_Info.restype = ctypes.c_char_p
    sample_rate = espeak.espeak_Initialize(
        AUDIO_OUTPUT_SYNCHRONOUS, 0, data.encode(), INITIALIZE_DONT_EXIT
    )
    if sample_rate <= 0:
        raise SystemExit(f"espeak_Initialize returned {sample_rate} for {data}")
    return espeak, sample_rate, espeak.espeak_Info(None).split()[0].decode()


def _speak(espeak: Any, samples: bytearray, line: dict[str, Any]) -> bytes:
    samples.clear()
    if espeak.espeak_SetVoiceByName(line["voice"].encode()) != 0:
        raise SystemExit(f"espeak-ng has no voice {line['voice']}")
    for name, number in PARAMETERS.items():
        espeak.espeak_SetParameter(number, line[name], 0)
    text = line["text"].encode()
    espeak.espeak_Synth(text, len(text) + 1, 0, 0, 0, CHARACTERS_UTF8, None, None)
    espeak.espeak_Synchronize()
    return bytes(samples)


def _main(library: str, data: str, target: str) -> None:
    espeak, sample_rate, version = _start(library, data)
    samples = bytearray()

    def keep(wave_pointer: Any, count: int, _: object) -> int:
        if wave_pointer and count > 0:
            samples.extend(ctypes.string_at(wave_pointer, 2 * count))
        return 0

    callback = _CALLBACK(keep)  # held here: the library does not
    espeak.espeak_SetSynthCallback(callback)
    for line in json.load(sys.stdin):
        with wave.open(str(Path(target, line["file"])), "wb") as file:
            file.setparams((1, 2, sample_rate, 0, "NONE", ""))
            file.writeframes(_speak(espeak, samples, line))
    sys.stdout.write(version)


if __name__ == "__main__":
    _main(*sys.argv[1:])
