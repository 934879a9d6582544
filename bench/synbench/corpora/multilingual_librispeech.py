"""Multilingual LibriSpeech: audiobooks in eight languages, 16 kHz (Pratap et al., 2020)."""

from __future__ import annotations

from pathlib import Path

from synbench.corpora._model import Entry, Listing, Progress
from synbench.corpora._places import roots
from synbench.corpora._scan import read_text, tree_files
from synbench.corpora._speakers import speaker_genders
from synbench.errors import UsageError
from synbench_base.close_names import suggestion

PAGE = "https://www.openslr.org/94"
LANGUAGES = {
    "dutch": "nl",
    "english": "en",
    "french": "fr",
    "german": "de",
    "italian": "it",
    "polish": "pl",
    "portuguese": "pt",
    "spanish": "es",
}
SUFFIXES = (".flac", ".opus")

__all__ = ["CORPORA", "LANGUAGES", "multilingual_librispeech"]


def multilingual_librispeech(
    _: Progress | None = None, *, language: str = "german", split: str = "test", path: str = ""
) -> Listing:
    """A split of MLS: ``mls_<language>/<split>/audio/<speaker>/<book>/*.flac`` and its transcripts.

    The tree is looked for in ``path``, else in the folders of SYNBENCH_DATA; it is not downloaded.
    The smaller distribution in Opus (``mls_<language>_opus``) is taken too, and said: its
    recordings were coded before.

    Raises:
        UsageError: no such language, tree or split.
    """
    if language not in LANGUAGES:
        hint = suggestion(language, LANGUAGES, f"there are: {', '.join(LANGUAGES)}")
        raise UsageError(f"mls has no language {language!r}; {hint}")
    tree = _tree(path, language)
    audio = tree / split / "audio"
    if not audio.is_dir():
        there = ", ".join(sorted(each.parent.name for each in tree.glob("*/audio"))) or "none"
        raise UsageError(f"mls:split={split}: no folder {audio}; splits there: {there}")
    texts = _transcripts(tree / split / "transcripts.txt")
    genders = speaker_genders(tree / "metainfo.txt")
    files = [file for suffix in SUFFIXES for file in tree_files(audio, depth=2, suffix=suffix)]
    coded = any(file.suffix == ".opus" for file in files)
    return Listing(
        name=f"mls-{language}-{split}",
        entries=tuple(
            Entry(
                id=file.stem,
                path=file,
                speaker=file.parts[-3],
                transcript=texts.get(file.stem, ""),
                gender=genders.get(file.parts[-3], ""),
                language=LANGUAGES[language],
            )
            for file in files
        ),
        where=f"expected <speaker>/<book>/*.flac in {audio}",
        licence="CC BY 4.0",
        note="recordings are Opus: the codecs code speech that was coded before" if coded else "",
    )


def _transcripts(path: Path) -> dict[str, str]:
    lines = (line.partition("\t") for line in read_text(path).splitlines())
    return {name: text.strip() for name, _, text in lines}


def _tree(path: str, language: str) -> Path:
    folders = roots(path, what=f"mls:path={path}")
    names = (f"mls_{language}", f"mls_{language}_opus")
    for folder in folders:
        for tree in (*([folder] if path else []), *(folder / name for name in names)):
            if next(tree.glob("*/audio"), None) is not None:
                return tree
    raise UsageError(
        f"found no folder {names[0]} in {', '.join(map(str, folders))}; get {names[0]}.tar.gz from "
        f"{PAGE}, unpack it and type mls:language={language},path=FOLDER, or set "
        "SYNBENCH_DATA=FOLDER"
    )


CORPORA = {"mls": multilingual_librispeech}
