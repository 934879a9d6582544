"""Reading YAML that a person wrote, and explaining what is wrong with it, with line numbers.

One way for suites, listening-test designs and training configurations: not a mapping, a key that is
there twice, an unknown key (the close one is offered), a value out of range.
"""

from __future__ import annotations

import typing
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import yaml

from synbench_base.close_names import suggestion
from synbench_base.errors import UsageError
from synbench_base.option_values import as_written

if TYPE_CHECKING:
    from pydantic import BaseModel, ValidationError

Model = TypeVar("Model", bound="BaseModel")
Key = tuple[str | int, ...]

__all__ = ["Key", "YamlText", "check_mapping", "read_yaml", "read_yaml_model"]


class YamlText:
    """The content of a YAML file and where its keys stand.

    Attributes:
        path: the file.
        content: the mapping that it holds.
        lines: line numbers, from 1, of every key and list entry, by the keys that lead to it.
    """

    def __init__(self, path: Path, content: dict[str, Any], lines: Mapping[Key, int]) -> None:
        self.path, self.content, self.lines = path, content, lines

    def where(self, key: Key) -> str:
        """``suite.yaml:7``: the file and the line of a key, or of the closest thing around it."""
        for length in range(len(key), 0, -1):
            if key[:length] in self.lines:
                return f"{self.path}:{self.lines[key[:length]]}"
        return str(self.path)


class _AsWritten(yaml.SafeLoader):
    """Scalars as they were written: YAML 1.1 reads 007 as 7, no as False, 1:30 as 90."""


for _kind in ("bool", "float", "int", "timestamp"):
    _AsWritten.add_constructor(f"tag:yaml.org,2002:{_kind}", lambda _, node: as_written(node.value))


def read_yaml(
    path: Path, *, what: str, keys: str, written: bool = False, empty: bool = False
) -> YamlText:
    """Read a mapping.

    Args:
        path: the file.
        what: what it is, for messages: ``suite``.
        keys: some of its keys, for messages.
        written: read a number or truth value only where its own spelling is the text
            (:mod:`synbench_base.option_values`): names of folders stand there.
        empty: a file without a key is a mapping without one, since all of them have defaults.

    Raises:
        UsageError: unreadable, no YAML, no mapping, or a key twice.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read the {what} {path}: {error}") from error
    try:
        tree = yaml.compose(text, Loader=yaml.SafeLoader)
        content = yaml.load(text, Loader=_AsWritten if written else yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise UsageError(f"{path} is not valid YAML: {error}") from error
    if content is None and empty:
        content = {}
    if not isinstance(content, dict):
        got = type(content).__name__
        raise UsageError(f"{path}: expected a mapping, got {got}: expected keys such as {keys}")
    lines: dict[Key, int] = {}
    for key, line in _lines(tree, (), set()):
        if key in lines:
            raise UsageError(f"{path}:{line}: {key[-1]} is there twice, first in line {lines[key]}")
        lines[key] = line
    return YamlText(path, content, lines)


def _lines(node: yaml.Node | None, parents: Key, seen: set[int]) -> Iterator[tuple[Key, int]]:
    # A node is gone through once: an alias may lead back to what it stands in.
    if node is None or id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node, yaml.MappingNode):
        for name, value in node.value:
            # A merged mapping (<<) is not a key of its own, and may be there several times.
            if isinstance(name, yaml.ScalarNode) and name.tag != "tag:yaml.org,2002:merge":
                key = (*parents, name.value)
                yield key, name.start_mark.line + 1
                yield from _lines(value, key, seen)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            key = (*parents, index)
            yield key, value.start_mark.line + 1
            yield from _lines(value, key, seen)


def read_yaml_model(
    path: Path, model: type[Model], *, what: str, keys: str, written: bool = False
) -> Model:
    """Read a mapping into a model that refuses unknown keys.

    Raises:
        UsageError: as :func:`read_yaml`; or keys or values that the model does not take, all of
            them with their lines.
    """
    text = read_yaml(path, what=what, keys=keys, written=written)
    return _validated(text.content, model, name=str(path), what=what, lines=text.lines)


def check_mapping(content: Mapping[str, Any], model: type[Model], *, what: str) -> Model:
    """A mapping made in Python, as the same model.

    Raises:
        UsageError: keys or values that the model does not take.
    """
    return _validated(dict(content), model, name=f"this {what}", what=what, lines={})


def _validated(
    content: dict[str, Any],
    model: type[Model],
    *,
    name: str,
    what: str,
    lines: Mapping[Key, int],
) -> Model:
    from pydantic import ValidationError

    try:
        return model.model_validate(content)
    except ValidationError as error:
        problems = "\n".join(_problems(error, model, what, lines))
        raise UsageError(f"{name} is not a valid {what}:\n{problems}") from error


def _problems(
    error: ValidationError, model: type[BaseModel], what: str, lines: Mapping[Key, int]
) -> Iterator[str]:
    for problem in error.errors():
        key = problem["loc"]
        line = next((lines[key[:n]] for n in range(len(key), 0, -1) if key[:n] in lines), None)
        name = ".".join(map(str, key)) or what
        said = problem["msg"].removeprefix("Value error, ")
        if problem["type"] == "extra_forbidden":
            fields = _model_at(model, key[:-1]).model_fields
            known = f"known: {', '.join(fields)}"
            said = f"unknown key; {suggestion(str(key[-1]), fields, known)}"
        yield f"  {f'line {line}: ' if line else ''}{name}: {said}"


def _model_at(model: type[BaseModel], key: Key) -> type[BaseModel]:
    """The model that checks what stands under ``key``, the outermost where that has none."""
    for part in key:
        field = model.model_fields.get(part) if isinstance(part, str) else None
        model = (field and next(_models(field.annotation), None)) or model
    return model


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    """The models inside an annotation such as ``list[CodecEntry] | None``."""
    from pydantic import BaseModel

    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in typing.get_args(annotation):
        yield from _models(inner)
