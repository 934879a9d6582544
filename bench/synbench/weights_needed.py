"""Which checkpoints a suite, a codec point or a metric needs on this machine."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import synbench_codecs
import synbench_metrics
from synbench.suite import Suite, find_suite, load_suite, packaged_suites
from synbench.weights import Known, known_checkpoints
from synbench_base.close_names import suggestion
from synbench_base.errors import MissingWeights, SynbenchError, Unavailable, UsageError
from synbench_base.weights import WeightsSource
from synbench_codecs import format_spec, parse_spec

SUITE_SUFFIXES = (".yaml", ".yml")

__all__ = ["needed_by_suite", "needed_checkpoints"]


def needed_checkpoints(names: Iterable[str]) -> list[Known]:
    """The checkpoints of these names, each once.

    Args:
        names: a checkpoint; a codec or metric, which stands for all of its own; a codec point such
            as ``dac:model=16k``, which stands for the one it loads; a suite, by name or path.

    Raises:
        UsageError: no such name; the message offers the close ones.
    """
    known = known_checkpoints()
    picked: dict[str, Known] = {}
    for name in names:
        of_user = [key for key, entry in known.items() if name in entry.users]
        if name in known:
            keys = [name]
        elif of_user:
            keys = of_user
        elif name in packaged_suites() or name.endswith(SUITE_SUFFIXES):
            keys = [each.checkpoint.name for each in needed_by_suite(load_suite(find_suite(name)))]
        elif parse_spec(name)[0] in synbench_codecs.names():
            keys = list(_of_codec(name, known))
        elif name in synbench_metrics.names():
            keys = []
        else:
            users = {user for entry in known.values() for user in entry.users}
            others = [*known, *users, *packaged_suites()]
            hint = suggestion(name, others, "see: synbench weights list", at_most=3)
            raise UsageError(f"no checkpoint, codec, metric or suite {name!r}; {hint}")
        picked.update({key: known[key] for key in keys})
    return list(picked.values())


def needed_by_suite(suite: Suite) -> list[Known]:
    """The checkpoints that the codecs and metrics of a suite load, in its order.

    Weights that the suite names as the user's own files, and those that nobody has published, are
    not among them.

    Raises:
        UsageError: a codec, an option or a metric does not exist.
    """
    known = known_checkpoints()
    keys: dict[str, None] = {}
    for entry in suite.codecs:
        keys.update(dict.fromkeys(_of_codec(format_spec(entry.codec, entry.options), known)))
    for column in suite.metrics:
        metric = synbench_metrics.load(column)
        keys.update(dict.fromkeys(checkpoint.name for checkpoint in metric.checkpoints))
    return [known[key] for key in keys]


def _of_codec(spec: str, known: dict[str, Known]) -> Iterator[str]:
    try:
        sources = synbench_codecs.load(spec).info.weights
    except MissingWeights as error:
        if error.checkpoint in known:
            yield error.checkpoint
        return
    except UsageError:
        raise
    except Unavailable:
        yield from _without_its_packages(spec, known)
        return
    yield from _holding(sources, known)


def _without_its_packages(spec: str, known: dict[str, Known]) -> Iterator[str]:
    """Of a codec that cannot be made here: what its description names, else all of its own."""
    try:
        info = synbench_codecs.describe(spec)
    except SynbenchError:
        info = None
    if info is not None:
        yield from _holding(info.weights, known)
        return
    name = parse_spec(spec)[0]
    yield from (key for key, entry in known.items() if name in entry.users)


def _holding(sources: Iterable[WeightsSource], known: dict[str, Known]) -> Iterator[str]:
    wanted = {_address(source) for source in sources}
    for key, entry in known.items():
        if wanted & {_address(source) for source in entry.checkpoint.files}:
            yield key


def _address(source: WeightsSource) -> tuple[str, str, str]:
    return source.repository, source.revision, source.file
