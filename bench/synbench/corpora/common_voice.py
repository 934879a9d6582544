"""Common Voice: read sentences in many languages, recorded by volunteers (Ardila et al., 2020)."""

from __future__ import annotations

from pathlib import Path

from synbench.corpora._model import Entry, Listing, Progress
from synbench.corpora._places import roots
from synbench.corpora._speakers import gender_of
from synbench.errors import UsageError
from synbench_base.text_table import read_table

PAGE = "https://datacollective.mozillafoundation.org"
CLIPS = "clips"

__all__ = ["CORPORA", "common_voice"]


def common_voice(
    _: Progress | None = None, *, language: str = "en", split: str = "test", path: str = ""
) -> Listing:
    """A split of Common Voice as it comes: ``clips/*.mp3`` and ``<split>.tsv`` of a language.

    The clips are MP3: what a codec is given has been coded before, and every table says so. The
    tree ``cv-corpus-.../<language>`` is looked for in ``path``, else in the folders of
    SYNBENCH_DATA; it is not downloaded. ``split`` is the name of any table in it, such as
    ``test``, ``dev`` or ``validated``. Speakers are known by the client's number.

    Raises:
        UsageError: no such tree or split, or a table without the expected columns.
    """
    tree = _tree(path, language)
    table = tree / f"{split}.tsv"
    if not table.is_file():
        there = ", ".join(sorted(file.stem for file in tree.glob("*.tsv"))) or "none"
        raise UsageError(f"common-voice:split={split}: no {table}; tables there: {there}")
    read = read_table(table)
    absent = {"path", "sentence"} - set(read.columns)
    if absent:
        raise UsageError(
            f"{table}: expected the columns path and sentence, found: {', '.join(read.columns)}"
        )
    rows = [row.cells for row in read.whole()]
    entries = tuple(
        Entry(
            id=Path(row["path"]).stem,
            path=tree / CLIPS / Path(row["path"]).name,
            speaker=row.get("client_id", "")[:16],
            transcript=row["sentence"],
            gender=gender_of(row.get("gender", "").partition("_")[0]),
            language=row.get("locale", "") or language,
            # Tables of before 2021 have one of a list, later ones what the speakers wrote.
            accent=row.get("accents", "") or row.get("accent", ""),
        )
        for row in rows
    )
    return Listing(
        name=f"common-voice-{language}-{split}",
        entries=entries,
        where=f"{table} has no rows",
        licence="CC0 1.0",
        note="recordings are MP3: the codecs code speech that was coded before",
    )


def _tree(path: str, language: str) -> Path:
    folders = roots(path, what=f"common-voice:path={path}")
    trees = [
        tree
        for folder in folders
        for tree in (
            *([folder] if path else []),
            folder / language,
            *sorted(folder.glob(f"cv-corpus-*/{language}")),
        )
        if (tree / CLIPS).is_dir()
    ]
    if len(trees) > 1:
        raise UsageError(
            f"found several trees: {', '.join(map(str, trees))}; name one: common-voice:path=FOLDER"
        )
    if not trees:
        raise UsageError(
            f"found no folder {language}/{CLIPS} in {', '.join(map(str, folders))}; get the "
            f"language from {PAGE}, unpack it and type common-voice:language={language},path=FOLDER"
            ", or set SYNBENCH_DATA=FOLDER"
        )
    return trees[0]


CORPORA = {"common-voice": common_voice}
