"""Draws the pictures of the README from a run of the suite `demo`: its table and its figure.

    make demo && .venv/bin/python tools/write_pictures.py runs/demo

Both come from our own commands. The table is what the run ends with on a terminal, as SVG with the
fonts that the reader has: nothing is fetched from another server.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import re
import shutil
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

from synbench.__main__ import cli
from synbench_reports.commands.show_and_export import show_run

FOLDER = Path(__file__).resolve().parent.parent / "docs/images"
COLUMNS = 100
FONT = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'Liberation Mono', monospace"
PAPER = TerminalTheme(
    (255, 255, 255),
    (36, 41, 47),
    [
        (36, 41, 47),
        (207, 34, 46),
        (17, 99, 41),
        (77, 45, 0),
        (9, 105, 218),
        (130, 80, 223),
        (27, 124, 131),
        (110, 119, 129),
    ],
)

__all__ = ["table_picture"]


def main() -> int:
    """Draw both pictures."""
    parser = argparse.ArgumentParser(description="Draw the README's pictures from a run.")
    parser.add_argument("run", help="folder of a run of the suite demo")
    parser.add_argument("--metric", default="pesq_wb", help="of the figure")
    arguments = parser.parse_args()
    (FOLDER / "demo-table.svg").write_text(table_picture(arguments.run), encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder:
        options = ["--kind", "rate", "--format", "svg", "--metrics", arguments.metric]
        cli.main(["figures", arguments.run, *options, "--out", folder], standalone_mode=False)
        (figure,) = Path(folder).glob("*.svg")
        shutil.copyfile(figure, FOLDER / "demo-rate.svg")
    return 0


def table_picture(run: str) -> str:
    """The terminal with the command and the table it prints, as SVG."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        show_run(Path(run), compact=True, width=COLUMNS)
    table = printed.getvalue().split("\n\n", 1)[0]
    console = Console(record=True, width=COLUMNS, file=io.StringIO())
    console.print("[bold]$ synbench run demo[/]", highlight=False)
    console.print(Text.from_ansi(table), soft_wrap=True)
    picture = console.export_svg(title="synbench", theme=PAPER, unique_id="table")
    picture = re.sub(r"@font-face \{.*?\}", "", picture, flags=re.DOTALL)
    return re.sub(r"Fira Code(, monospace)?", FONT, picture)


if __name__ == "__main__":
    sys.exit(main())
