"""Runs a reference coder that writes every bit as a word (ITU-T G.192), and keeps bare bits.

EVS and LC3plus store a frame as a word that says whether it arrived, a word with the number of its
bits, and a word for each bit. What would travel is the bits alone: these are written back to back,
and only they are counted. Frames that did not arrive are marked for the decoder, which conceals
them. Needs nothing but Python::

    python3 g192.py pack BITS OUTPUT COMMAND ...
    python3 g192.py unpack BITS INPUT LOSSES COMMAND ...

BITS is the number of bits of a frame, the same for all; LOSSES a file with 0 or 1 for each frame.
In COMMAND the word FRAMES stands for a file in G.192. LC3plus wants a second file with rates, for
which the word CONFIG stands; ``unpack`` writes it from ``--lc3plus=RATE:BITRATE:MILLISECONDS``.
"""

import array
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

ARRIVED, LOST = 0x6B21, 0x6B20
ZERO, ONE = 0x007F, 0x0081
LC3PLUS = "--lc3plus="


def main(arguments):
    """Pack or unpack, as the first argument says."""
    configured = next((word for word in arguments if word.startswith(LC3PLUS)), "")
    what, bits, *rest = [word for word in arguments if word != configured]
    with tempfile.TemporaryDirectory() as folder:
        frames, config = Path(folder, "frames"), Path(folder, "config")
        if what == "pack":
            output, *command = rest
            run(command, frames, config)
            Path(output).write_bytes(packed(frames.read_bytes(), int(bits)))
        else:
            source, losses, *command = rest
            lost = [line == "1" for line in Path(losses).read_text().split()]
            words, count = unpacked(Path(source).read_bytes(), int(bits), lost)
            frames.write_bytes(words)
            if configured:
                config.write_bytes(configuration(configured[len(LC3PLUS) :], count))
            run(command, frames, config)


def run(command, frames, config):
    """Run the coder; what it says goes where this program's words go."""
    names = {"FRAMES": str(frames), "CONFIG": str(config)}
    done = subprocess.run([names.get(word, word) for word in command], check=False)
    if done.returncode:
        sys.exit(f"{command[0]} exited with {done.returncode}")


def packed(data, bits):
    """The bits of all frames back to back, the last byte filled up with zeros."""
    words = little(data)
    if not words or len(words) % (bits + 2):
        sys.exit(
            f"the coder wrote {len(words)} words, no whole frames of {bits} bits and two words"
        )
    number = 0
    for start in range(0, len(words), bits + 2):
        sync, length, *frame = words[start : start + bits + 2]
        if sync != ARRIVED or length != bits:
            sys.exit(f"a frame has {length} bits, expected {bits}: choose a constant rate")
        for word in frame:
            number = number << 1 | (word == ONE)
    total = len(words) // (bits + 2) * bits
    return (number << -total % 8).to_bytes((total + 7) // 8, "big")


def unpacked(data, bits, lost):
    """The frames in G.192, and how many they are."""
    count = 8 * len(data) // bits
    text = bin(1 << 8 * len(data) | int.from_bytes(data, "big"))[3:]
    words = array.array("H")
    for index in range(count):
        words.append(LOST if index < len(lost) and lost[index] else ARRIVED)
        words.append(bits)
        frame = text[index * bits : (index + 1) * bits]
        words.extend(ONE if bit == "1" else ZERO for bit in frame)
    if sys.byteorder == "big":
        words.byteswap()
    return words.tobytes(), count


def little(data):
    """16-bit words, least significant byte first."""
    words = array.array("H")
    words.frombytes(data)
    if sys.byteorder == "big":
        words.byteswap()
    return words


def configuration(text, count):
    """What LC3plus calls its configuration: rates, channels, frame length, samples."""
    rate, bitrate, milliseconds = text.split(":")
    samples = round(count * int(rate) * float(milliseconds) / 1000)
    hundredths = (int(rate) // 100, int(bitrate) // 100, 1, round(float(milliseconds) * 100))
    return struct.pack("<9H", 0xCC1C, 18, *hundredths, 0, samples & 0xFFFF, samples >> 16)


if __name__ == "__main__":
    main(sys.argv[1:])
