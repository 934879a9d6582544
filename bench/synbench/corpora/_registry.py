"""Corpora by name: every module of this package and every installed entry point.

A built-in corpus is a file of this package that defines ``CORPORA``, a mapping from name to
function. Another package offers one through the entry-point group ``synbench.corpora``::

    [project.entry-points."synbench.corpora"]
    mycorpus = "my_package.corpus:my_corpus"

The function takes a progress callback (or None) and its options by keyword, and returns a
:class:`~synbench.corpora.Listing`. It reads no audio: that is done for all corpora in one place.
"""

from __future__ import annotations

import difflib
import functools
import importlib
import importlib.metadata
import inspect
import pkgutil
from collections.abc import Callable

import synbench.corpora
from synbench.corpora._build import build
from synbench.corpora._model import Corpus, Listing, Progress
from synbench.corpora._scan import typed_path
from synbench.errors import EnvironmentFault, UsageError

ENTRY_POINT_GROUP = "synbench.corpora"
Function = Callable[..., Listing]
Value = str | int | float | bool

__all__ = ["ENTRY_POINT_GROUP", "describe", "listing_of", "load", "names"]


@functools.cache
def _builtin() -> dict[str, Function | str]:
    """Name to function, or to the reason why its module could not be imported."""
    found: dict[str, Function | str] = {}
    for module in pkgutil.iter_modules(synbench.corpora.__path__):
        if module.name.startswith("_"):
            continue
        try:
            loaded = importlib.import_module(f"synbench.corpora.{module.name}")
        except Exception as error:  # noqa: BLE001 - one broken corpus must not break the others
            found[module.name.replace("_", "-")] = f"{type(error).__name__}: {error}"
            continue
        found.update(getattr(loaded, "CORPORA", {}))
    return found


@functools.cache
def _entry_points() -> dict[str, importlib.metadata.EntryPoint]:
    return {point.name: point for point in importlib.metadata.entry_points(group=ENTRY_POINT_GROUP)}


def names() -> list[str]:
    """All known corpus names, sorted."""
    return sorted({*_builtin(), *_entry_points()})


def _function(name: str) -> Function:
    found: Function | str | None = _builtin().get(name)
    if found is None and name in _entry_points():
        try:
            found = _entry_points()[name].load()
        except Exception as error:  # noqa: BLE001 - whatever it is, the user must read it
            found = f"{type(error).__name__}: {error}"
    if isinstance(found, str):
        raise EnvironmentFault(f"corpus {name!r} does not import: {found}")
    if found is None:
        raise UsageError(f"unknown corpus {name!r}; {_hint(name)}")
    return found


def _hint(name: str) -> str:
    path = typed_path(name)
    if path.is_dir():
        return f"for a folder of audio: folder:path={name}"
    if path.is_file():
        return f"for a table of audio files: manifest:path={name}"
    close = difflib.get_close_matches(name, names())
    return f"did you mean {' or '.join(close)}?" if close else f"there are: {', '.join(names())}"


def _options(function: Function) -> dict[str, inspect.Parameter]:
    return {
        parameter.name: parameter
        for parameter in inspect.signature(function).parameters.values()
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY
    }


def describe(name: str) -> str:
    """What a corpus is and which options it takes, a few lines.

    Raises:
        UsageError: no corpus has this name; the message offers the close ones.
    """
    function = _function(name)
    text = inspect.cleandoc(function.__doc__ or "").split("\n\nRaises:")[0]
    options = [
        f"{option}={'...' if parameter.default is parameter.empty else parameter.default!r}"
        for option, parameter in _options(function).items()
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
        limit: at most so many items, spread over the speakers, the same ones every time.
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


def listing_of(spec: str, *, progress: Progress | None = None) -> tuple[Listing, str]:
    """What ``spec`` names before any audio is read, and the one spelling of ``spec``.

    Raises:
        UsageError, EnvironmentFault: as :func:`load`.
    """
    import synbench_codecs
    from synbench_codecs import errors

    try:
        name, options = synbench_codecs.parse_spec(spec)
    except errors.UsageError as error:
        raise UsageError(str(error)) from error
    function = _function(name)
    _check(name, function, options)
    return function(progress, **options), synbench_codecs.format_spec(name, options)


def _check(name: str, function: Function, options: dict[str, Value]) -> None:
    known = _options(function)
    for option, value in options.items():
        if option not in known:
            close = difflib.get_close_matches(option, known)
            hint = f"did you mean {close[0]}?" if close else f"it has: {', '.join(known) or 'none'}"
            raise UsageError(f"corpus {name!r} has no option {option!r}; {hint}")
        default = known[option].default
        expected = str if default is inspect.Parameter.empty else type(default)
        if expected is str:
            options[option] = str(value)  # a folder may be called 2024
        elif type(value) is not expected:
            raise UsageError(f"{name}:{option} expects {expected.__name__}, got {value!r}")
    for option, parameter in known.items():
        if parameter.default is inspect.Parameter.empty and option not in options:
            raise UsageError(f"corpus {name!r} needs {option}: {name}:{option}=...")
