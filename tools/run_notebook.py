"""Runs a notebook from top to bottom and writes what each cell gives into it.

Only what notebooks of this project need: text, the last value of a cell, tables as HTML, one figure
a cell as PNG. No notebook program has to be installed.
"""

from __future__ import annotations

import ast
import base64
import contextlib
import io
import json
import os
import sys
from pathlib import Path
from typing import Any

os.environ.setdefault("MPLBACKEND", "agg")

__all__ = ["run_cells", "run_notebook"]


def run_cells(notebook: dict[str, Any], names: dict[str, Any]) -> None:
    """Run every code cell in ``names`` and replace its outputs; the first error ends it."""
    count = 0
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            count += 1
            cell["execution_count"] = count
            cell["outputs"] = _outputs("".join(cell["source"]), names, count)


def run_notebook(path: Path, *, folder: Path) -> None:
    """Run the notebook at ``path`` in a working folder and write it back."""
    notebook = json.loads(path.read_text(encoding="utf-8"))
    with contextlib.chdir(folder):
        run_cells(notebook, {"__name__": "notebook"})
    path.write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _outputs(source: str, names: dict[str, Any], count: int) -> list[dict[str, Any]]:
    tree = ast.parse(source)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    printed = io.StringIO()
    value: Any = None
    with contextlib.redirect_stdout(printed):
        exec(compile(tree, f"<cell {count}>", "exec"), names)
        if isinstance(last, ast.Expr):
            value = eval(compile(ast.Expression(last.value), f"<cell {count}>", "eval"), names)
    outputs: list[dict[str, Any]] = []
    if printed.getvalue():
        text = printed.getvalue().splitlines(keepends=True)
        outputs.append({"output_type": "stream", "name": "stdout", "text": text})
    silent = source.rstrip().endswith(";")
    if value is not None and not silent:
        data: dict[str, Any] = {"text/plain": repr(value).splitlines(keepends=True)}
        if hasattr(value, "savefig"):
            data["image/png"] = _png(value)
        elif hasattr(value, "_repr_html_"):
            data["text/html"] = value._repr_html_().splitlines(keepends=True)
        outputs.append(
            {
                "output_type": "execute_result",
                "execution_count": count,
                "data": data,
                "metadata": {},
            }
        )
    return outputs + _figures()


def _figures() -> list[dict[str, Any]]:
    """The figures that are open, each as it would be shown below its cell."""
    if "matplotlib.pyplot" not in sys.modules:
        return []
    from matplotlib import pyplot

    shown = []
    for number in pyplot.get_fignums():
        data = {"image/png": _png(pyplot.figure(number)), "text/plain": ["<figure>"]}
        shown.append({"output_type": "display_data", "data": data, "metadata": {}})
    pyplot.close("all")
    return shown


def _png(figure: Any) -> str:
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=70, bbox_inches="tight")
    return base64.b64encode(picture.getvalue()).decode()


if __name__ == "__main__":
    import tempfile

    for name in sys.argv[1:]:
        with tempfile.TemporaryDirectory() as scratch:
            run_notebook(Path(name).absolute(), folder=Path(scratch))
