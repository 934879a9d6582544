"""Measure what intervals and tests promise, and write docs/explanations/calibration.md.

    python tools/calibrate.py [--fewer 10] [--only marks] [--out PAGE]

Every table of the page is a simulation with a fixed seed: made-up speakers (or listeners) whose
truth is known, analysed by the functions that tables, comparisons and analyses call. What is
printed in bold is outside of what is promised; the page says what follows from it.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from calibration import of_codecs, of_listeners, of_metrics
from calibration.made_sets import SHAPES, Section, Sets

PAGE = Path(__file__).parents[1] / "docs" / "explanations" / "calibration.md"
HEAD = Path(__file__).parent / "calibration" / "head.md"
SECTIONS: tuple[Callable[[Sets], Section], ...] = (
    of_codecs.means,
    of_codecs.skewed_pairs,
    of_codecs.tails,
    of_codecs.rates,
    of_codecs.marks,
    of_codecs.equality,
    of_codecs.signs,
    of_codecs.sample_sizes,
    of_codecs.verdicts,
    of_codecs.shares,
    of_metrics.curves,
    of_metrics.agreements,
    of_listeners.rated_means,
    of_listeners.pairs,
    of_listeners.mixed_models,
    of_listeners.choices,
    of_listeners.strengths,
    of_listeners.medians,
)

__all__ = ["PAGE", "SECTIONS", "SHAPES", "Sets", "main", "of_codecs", "page"]


def page(sections: Sequence[Section], sets: Sets) -> str:
    """The whole page as Markdown."""
    head = HEAD.read_text(encoding="utf-8").format(**vars(sets))
    return "\n\n".join([head.strip(), *(section.markdown() for section in sections)]) + "\n"


def _made(section: Callable[[Sets], Section], sets: Sets) -> tuple[Section, float]:
    start = time.process_time()
    return section(sets), time.process_time() - start


def main() -> None:
    """Write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fewer", type=int, default=1, help="a part of the sets, to try it")
    parser.add_argument("--only", default="", help="print these sections, with commas between")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--out", type=Path, default=PAGE)
    options = parser.parse_args()
    sets = Sets().divided(options.fewer)
    names = [name for name in options.only.split(",") if name]
    chosen = [one for one in SECTIONS if not names or one.__name__ in names]
    made = []
    with ProcessPoolExecutor(options.workers) as pool:
        sections = pool.map(partial(_made, sets=sets), chosen)
        for one, (section, seconds) in zip(chosen, sections, strict=True):
            print(f"{one.__name__}: {seconds:.1f} CPU s", file=sys.stderr, flush=True)
            made.append(section)
            if names:
                print(f"{section.markdown()}\n", flush=True)
    if names:
        return
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(page(made, sets), encoding="utf-8")


if __name__ == "__main__":
    main()
