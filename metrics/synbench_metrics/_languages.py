"""Languages as corpora write them, in one form: two letters, or three where there are no two.

``de``, ``de-DE``, ``deu``, ``ger`` and ``German`` are one language. A name that is not in the table
below is taken as it is, in small letters and without its region.

References: ISO 639-1 and 639-3.
"""

from __future__ import annotations

# Two letters, then other codes and the English name.
OTHER_NAMES = """
ar ara arabic|bn ben bengali|cs ces cze czech|da dan danish|de deu ger german|el ell gre greek
en eng english|es spa spanish|fa fas per persian|fi fin finnish|fr fra fre french|he heb hebrew
hi hin hindi|hu hun hungarian|id ind indonesian|it ita italian|ja jpn japanese|km khm khmer
ko kor korean|lo lao|my mya bur burmese|nl nld dut dutch|no nor nb nn norwegian|pl pol polish
pt por portuguese|ro ron rum romanian|ru rus russian|sv swe swedish|sw swa swahili|ta tam tamil
th tha thai|tr tur turkish|uk ukr ukrainian|ur urd urdu|vi vie vietnamese|yue cantonese
zh zho chi cmn chinese mandarin
"""
LANGUAGE_OF = {
    name: names.split()[0]
    for names in OTHER_NAMES.replace("\n", "|").split("|")
    for name in names.split()
}
# Written without gaps between words, so that words cannot be counted.
WITHOUT_GAPS = frozenset({"ja", "km", "lo", "my", "th", "yue", "zh"})

__all__ = ["WITHOUT_GAPS", "base_language"]


def base_language(text: str) -> str:
    """``de`` for ``de_AT``, ``deu`` or ``German``; empty for an empty text.

    >>> base_language("zh-CN"), base_language("German"), base_language("tlh"), base_language("")
    ('zh', 'de', 'tlh', '')
    """
    first = text.strip().lower().replace("_", "-").split("-")[0]
    return LANGUAGE_OF.get(first, first)
