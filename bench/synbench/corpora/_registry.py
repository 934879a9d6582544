"""Corpora by name: every module of this package and every installed entry point.

A built-in corpus is a file of this package that defines ``CORPORA``, a mapping from name to
function. Another package offers one through the entry-point group ``synbench.corpora``::

    [project.entry-points."synbench.corpora"]
    mycorpus = "my_package.corpus:my_corpus"

The function takes a progress callback (or None) and its options by keyword, and returns a
:class:`~synbench.corpora.Listing`. It reads no audio: that is done for all corpora in one place.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from synbench.corpora._build import build, mark
from synbench.corpora._model import Corpus, Listing, Progress
from synbench_base.errors import UsageError
from synbench_base.folders import typed_path
from synbench_base.option_values import Options, typed_options
from synbench_base.registry import Registry, check_options, options_of
from synbench_codecs import format_spec, parse_spec

ENTRY_POINT_GROUP = "synbench.corpora"
Function = Callable[..., Listing]

__all__ = ["ENTRY_POINT_GROUP", "describe", "listing_of", "load", "mark_of", "names"]


def _accepts(loaded: Any) -> Function:
    if not callable(loaded):
        raise TypeError("a function")
    function: Function = loaded
    return function


registry: Registry[Function] = Registry(
    "corpus",
    package="synbench.corpora",
    content=lambda module: getattr(module, "CORPORA", {}),
    group=ENTRY_POINT_GROUP,
    accepts=_accepts,
)


def names() -> list[str]:
    """All known corpus names, sorted."""
    return registry.names()


def _function(name: str) -> Function:
    if name not in registry:
        path = typed_path(name)
        if path.is_dir():
            hint = f"for a folder of audio: folder:path={name}"
            raise UsageError(f"unknown corpus {name!r}; {hint}")
        if path.is_file():
            hint = f"for a table of audio files: manifest:path={name}"
            raise UsageError(f"unknown corpus {name!r}; {hint}")
    return registry.get(name)


def describe(name: str) -> str:
    """What a corpus is and which options it takes, a few lines.

    Raises:
        UsageError: no corpus has this name; the message offers the close ones.
    """
    function = _function(name)
    text = inspect.cleandoc(function.__doc__ or "").split("\n\nRaises:")[0]
    options = [
        f"{option}={'...' if parameter.default is parameter.empty else parameter.default!r}"
        for option, parameter in options_of(function).items()
    ]
    return f"{name}: {text}\n\nOptions: {', '.join(options) or 'none'}"


def load(
    spec: str,
    *,
    limit: int | None = None,
    expected_digest: str | None = None,
    progress: Progress | None = None,
) -> Corpus:
    """Load the corpus that ``spec`` names, such as ``folder:path=recordings``.

    Args:
        spec: ``name:option=value,option=value``.
        limit: the largest number of items, spread over the speakers, the same ones every time.
        expected_digest: what :attr:`Corpus.digest` must be.
        progress: told (done, total), of bytes while downloading and of files while reading.

    Raises:
        UsageError: unknown corpus or option, nothing found, an id twice, another digest.
        EnvironmentFault: a download, package or folder that the machine cannot provide.
    """
    listing, written = listing_of(spec, progress=progress)
    return build(
        listing, spec=written, limit=limit, expected_digest=expected_digest, progress=progress
    )


def mark_of(spec: str, *, limit: int | None = None, progress: Progress | None = None) -> str:
    """The :attr:`Corpus.mark` that :func:`load` would give the corpus; no file is read for it.

    Raises:
        UsageError, EnvironmentFault: as :func:`load`.
    """
    listing, written = listing_of(spec, progress=progress)
    return mark(listing, spec=written, limit=limit)


def listing_of(spec: str, *, progress: Progress | None = None) -> tuple[Listing, str]:
    """What ``spec`` names before any audio is read, and the one spelling of ``spec``.

    Raises:
        UsageError, EnvironmentFault: as :func:`load`.
    """
    name, options = parse_spec(spec)
    function = _function(name)
    _check(name, function, options)
    return function(progress, **options), format_spec(name, options)


def _check(name: str, function: Function, options: Options) -> None:
    known = options_of(function)
    check_options("corpus", name, known, options)
    options.update(typed_options(options, known))
    for option, value in options.items():
        default = known[option].default
        expected = str if default is inspect.Parameter.empty else type(default)
        if type(value) is not expected:
            raise UsageError(f"{name}:{option} expects {expected.__name__}, got {value!r}")
