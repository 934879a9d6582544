"""Writes the example of the documentation: a run of the suite `demo` as a site, in `docs/example`.

    synbench run demo --corpus synthetic --limit 6 --out runs/demo
    python tools/write_example.py runs/demo

Without a run only the pages are written again, from the code as it is: that is what `make
reference` does. The site is that of `synbench site`, kept small: one item to listen to, its audio
as FLAC of 16 bits.
"""

from __future__ import annotations

import argparse
import io
import json
import shutil
import sys
from pathlib import Path
from typing import Any

import soundfile

from synbench.results.planned import read_planned
from synbench.results.store import RunFolder
from synbench_reports.pages.frame import page_scripts, page_style, tabbed
from synbench_reports.pages.site import about_line, write_site
from synbench_reports.sharing.licences import licences_text

FOLDER = Path(__file__).resolve().parent.parent / "docs/example"
AUDIO_ITEMS = 1
# What may lie in the repository.
MOST_BYTES = 2_500_000

__all__ = ["FOLDER", "MOST_BYTES", "pages", "size_bytes"]


def main() -> int:
    """Write the whole example of a run, or its pages alone."""
    parser = argparse.ArgumentParser(description="Write the example site of the documentation.")
    parser.add_argument("run", nargs="?", help="folder of a run of the suite demo")
    run = parser.parse_args().run
    if run is not None:
        planned = read_planned(Path(run))
        title = f"{planned.name}: speech codecs compared"
        shutil.rmtree(FOLDER, ignore_errors=True)
        write_site(FOLDER, [planned], title=title, audio=AUDIO_ITEMS)
        for path in (FOLDER / "audio").rglob("*.flac"):
            path.write_bytes(_as_16_bits(path))
        licences = licences_text(RunFolder(planned.folder).manifest())
        (FOLDER / "LICENCES.txt").write_text(licences, encoding="utf-8")
        (FOLDER / "site.json").unlink()
    for name, text in pages().items():
        path = FOLDER / name
        same = path.exists() and path.read_text(encoding="utf-8") == text
        path.write_text(text, encoding="utf-8")
        print(f"{'same' if same else 'new '}  docs/example/{name}")
    if size_bytes() > MOST_BYTES:
        print(f"docs/example has {size_bytes()} bytes, more than {MOST_BYTES}", file=sys.stderr)
        return 1
    return 0


def pages() -> dict[str, str]:
    """What follows from the code: the frame, its style and its scripts, by name."""
    results: dict[str, Any] = json.loads((FOLDER / "results.json").read_text(encoding="utf-8"))
    licences = ' <a href="LICENCES.txt">Licences</a> of speech, codecs, weights and metrics.'
    about = about_line(len(results["runs"]), version=results["synbench"], more=licences)
    return {
        "index.html": tabbed(results["name"], about=about),
        "page.css": page_style(),
        "page.js": page_scripts(),
    }


def size_bytes() -> int:
    """Of all files of the example."""
    return sum(path.stat().st_size for path in FOLDER.rglob("*") if path.is_file())


def _as_16_bits(path: Path) -> bytes:
    samples, rate = soundfile.read(path)
    target = io.BytesIO()
    soundfile.write(target, samples, rate, format="FLAC", subtype="PCM_16", compression_level=1.0)
    return target.getvalue()


if __name__ == "__main__":
    sys.exit(main())
