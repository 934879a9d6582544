"""Things by name: built-in modules of one package, and entry points of installed ones.

A registry holds names, not imports. Asked for a name, it first imports the built-in module that is
called like it, then the others until one offers it, then the entry point of that name. A module
that does not import costs its own names and nothing else.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import pkgutil
from collections.abc import Callable, Collection, Iterator, Mapping
from types import ModuleType
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from synbench_base.close_names import suggestion
from synbench_base.errors import Unavailable, UsageError

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

Thing = TypeVar("Thing")

__all__ = ["Registry", "check_options", "options_of"]


class Registry(Generic[Thing]):
    """Codecs, metrics or corpora.

    Attributes:
        kind: what one of them is called in messages, ``codec``.
        package: import name of the package whose modules are the built-in ones; names with a
            leading underscore are passed over.
        content: what a module offers, by name, in the order of preference.
        group: entry-point group.
        accepts: the entry point's object as a thing, or ``TypeError`` with what it should be.
        otherwise: said about an unknown name that looks like no other.
    """

    def __init__(
        self,
        kind: str,
        *,
        package: str,
        content: Callable[[ModuleType], Mapping[str, Thing]],
        group: str,
        accepts: Callable[[Any], Thing],
        otherwise: Callable[[str], str] = lambda name: "",
    ) -> None:
        self.kind = kind
        self.package = package
        self.content = content
        self.group = group
        self.accepts = accepts
        self.otherwise = otherwise
        self._contents: dict[str, Mapping[str, Thing]] = {}
        self._broken: dict[str, str] = {}

    def names(self) -> list[str]:
        """All known names, sorted; of a module that does not import, its own name."""
        broken = (module.replace("_", "-") for module in self._broken_modules())
        return sorted({*self.builtin(), *broken, *self.entry_points})

    def builtin(self) -> dict[str, Thing]:
        """Everything built in, module by module, each in its order of preference."""
        merged: dict[str, Thing] = {}
        for module in self.modules:
            merged.update(self._read(module))
        return merged

    def get(self, name: str) -> Thing:
        """The thing behind a name.

        Raises:
            UsageError: there is none; the message offers the close names.
            Unavailable: its module or entry point does not import.
        """
        thing = self._find(name)
        if thing is not None:
            return thing
        if name in self.entry_points:
            return self._load(name)
        for module in self._broken_modules():
            if _belongs(name, module):
                raise Unavailable(f"{self.kind} {name!r} does not import: {self._broken[module]}")
        hint = suggestion(name, self.names(), self.otherwise(name), at_most=3)
        broken = "".join(f"; {module} does not import" for module in self._broken_modules())
        raise UsageError(f"unknown {self.kind} {name!r}; {hint}{broken}")

    def __contains__(self, name: str) -> bool:
        return self._find(name) is not None or name in self.entry_points

    def _find(self, name: str) -> Thing | None:
        for module in sorted(self.modules, key=lambda module: not _belongs(name, module)):
            content = self._read(module)
            if name in content:
                return content[name]
        return None

    @functools.cached_property
    def modules(self) -> tuple[str, ...]:
        """Names of the built-in modules; none is imported."""
        package = importlib.import_module(self.package)
        names = (module.name for module in pkgutil.iter_modules(package.__path__))
        return tuple(name for name in names if not name.startswith("_"))

    @functools.cached_property
    def entry_points(self) -> dict[str, EntryPoint]:
        """What installed packages offer; none is imported."""
        from importlib.metadata import entry_points  # not for those that only ask for a built-in

        return {point.name: point for point in entry_points(group=self.group)}

    def _read(self, module: str) -> Mapping[str, Thing]:
        if module not in self._contents:
            try:
                loaded = importlib.import_module(f"{self.package}.{module}")
                self._contents[module] = self.content(loaded)
            except Exception as error:  # noqa: BLE001 - a broken module must not break the others
                self._broken[module] = f"{type(error).__name__}: {error}"
                self._contents[module] = {}
        return self._contents[module]

    def _broken_modules(self) -> Iterator[str]:
        self.builtin()
        return iter(self._broken)

    def _load(self, name: str) -> Thing:
        try:
            loaded = self.entry_points[name].load()
        except Exception as error:
            raise Unavailable(f"{self.kind} {name!r} does not import: {error}") from error
        try:
            return self.accepts(loaded)
        except TypeError as error:
            raise Unavailable(f"entry point {name!r} must name {error}, got {loaded!r}") from error


def _belongs(name: str, module: str) -> bool:
    """Whether a name looks like one that the module offers: its own, or that with an ending."""
    written = name.replace("-", "_")
    return written == module or written.startswith(f"{module}_")


def options_of(thing: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    """The options of a codec's class or a corpus's function: its keyword-only arguments."""
    return {
        parameter.name: parameter
        for parameter in inspect.signature(thing).parameters.values()
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY
    }


def check_options(
    kind: str, name: str, known: Mapping[str, inspect.Parameter], given: Collection[str]
) -> None:
    """Refuse options that there are not, and ask for those without a default.

    Raises:
        UsageError: the message offers the close names, or shows how to type what is absent.
    """
    for option in given:
        if option not in known:
            hint = suggestion(option, known, f"it has: {', '.join(known) or 'none'}")
            raise UsageError(f"{kind} {name!r} has no option {option!r}; {hint}")
    needed = [key for key, value in known.items() if value.default is inspect.Parameter.empty]
    absent = [key for key in needed if key not in given]
    if absent:
        raise UsageError(f"{kind} {name!r} needs {', '.join(absent)}: {name}:{absent[0]}=...")
