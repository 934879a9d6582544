"""Texts before an English normaliser: what reads the same is made the same, and nothing is lost.

Whisper's English normaliser knows the apostrophe of typewriters alone, takes an invisible mark for
a part of the word, and drops every combining mark, which in other scripts are vowels and sounds
(``हिन्दी``, ``が``, ``й``). So, on both texts and before it::

    apostrophes     of typography (U+2019 and its relatives) become U+0027: don't is one word
    invisible       format characters (zero-width, soft hyphen, direction marks) are left out
    marks           that stand on a letter which is not Latin are kept; those on Latin letters are
                    still dropped, as the normaliser means it (``café`` is ``cafe``)

A text in another script is compared letter by letter, but none of the normaliser's rules for
numbers, contractions and spelling fits it: :func:`other_scripts` tells whoever shows the score.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable

VERSION = 1
APOSTROPHES = dict.fromkeys(map(ord, "\u2018\u2019\u201b\u02bc\u02bb\uff07\u2032\u00b4`"), "'")
# Private characters, which every normaliser passes on; marks lie far below the end of the plane.
PRIVATE_START = 0xF0000
PRIVATE_END = 0xFFFFD

__all__ = ["VERSION", "normalised", "other_scripts"]


def normalised(text: str, normaliser: Callable[[str], str]) -> str:
    """The text after the rules above and a normaliser, without space around it."""
    decomposed = unicodedata.normalize("NFD", text.translate(APOSTROPHES))
    kept: list[str] = []
    latin = True
    for letter in decomposed:
        category = unicodedata.category(letter)
        if category == "Cf":
            continue
        if category[0] == "M":
            code = PRIVATE_START + ord(letter)
            kept.append(letter if latin or code > PRIVATE_END else chr(code))
            continue
        latin = category[0] != "L" or _script(letter) == "Latin"
        kept.append(letter)
    rewritten = normaliser("".join(kept))
    back = (
        chr(ord(x) - PRIVATE_START) if PRIVATE_START <= ord(x) <= PRIVATE_END else x
        for x in rewritten
    )
    return unicodedata.normalize("NFC", "".join(back)).strip()


def other_scripts(text: str) -> tuple[str, ...]:
    """Names of the scripts in a text beside Latin, sorted: ``("Devanagari",)``."""
    letters = {letter for letter in text if unicodedata.category(letter)[0] == "L"}
    return tuple(sorted({_script(letter) for letter in letters} - {"Latin"}))


def _script(letter: str) -> str:
    """The first word of a letter's name, which is its script for all but a few symbols."""
    words = unicodedata.name(letter, "UNNAMED").split()
    first = words[1] if words[0] in ("FULLWIDTH", "HALFWIDTH") and len(words) > 1 else words[0]
    # Ordinal signs and modifiers belong to no script of their own.
    if first in ("LATIN", "FEMININE", "MASCULINE", "MODIFIER"):
        return "Latin"
    return "Han" if first == "CJK" else first.capitalize()
