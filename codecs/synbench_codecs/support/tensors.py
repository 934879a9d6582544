"""Tensors under any names, which still know what their file calls them.

A network's own names differ from those of the file that a user has; messages about a tensor that
does not fit must show the file's. So everything that renames, chooses or folds tensors goes through
this module.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from synbench_codecs.errors import WeightsError

if TYPE_CHECKING:
    from torch import Tensor

Origin = tuple[Path, str]
WEIGHT_NORM = (
    ("weight_g", "weight_v"),
    ("parametrizations.weight.original0", "parametrizations.weight.original1"),
)

__all__ = ["Tensors", "fold_weight_norm", "joined", "renamed", "selected", "without_prefix"]


class Tensors(dict[str, "Tensor"]):
    """Tensors by name.

    Attributes:
        origins: file and name in that file of each tensor; where it is absent, the name is its own.
    """

    def __init__(
        self, tensors: Mapping[str, Tensor], origins: Mapping[str, Origin] | None = None
    ) -> None:
        super().__init__(tensors)
        self.origins = dict(origins or {})

    @classmethod
    def of_file(cls, tensors: Mapping[str, Tensor], path: Path) -> Tensors:
        """All tensors of a file."""
        return cls(tensors, {name: (path, name) for name in tensors})

    @property
    def n_files(self) -> int:
        """How many files they come from."""
        return len({path for path, _ in self.origins.values()})

    def called(self, name: str) -> str:
        """What the file calls a tensor."""
        return self.origins[name][1] if name in self.origins else name

    def file_of(self, name: str, otherwise: Path) -> Path:
        """The file that holds a tensor; of an absent one, the file with the most similar name."""
        nearest = self.nearest(name)
        return self.origins[nearest][0] if nearest in self.origins else otherwise

    def nearest(self, name: str) -> str:
        """The name here that begins most like this one, empty for none."""
        return max(self, key=lambda known: _common_start(known, name), default="")


def joined(parts: Iterable[Tensors]) -> Tensors:
    """The tensors of several files as one."""
    tensors: dict[str, Tensor] = {}
    origins: dict[str, Origin] = {}
    for part in parts:
        tensors |= part
        origins |= part.origins
    return Tensors(tensors, origins)


def renamed(tensors: Mapping[str, Tensor], new_name: Callable[[str], str]) -> Tensors:
    """The tensors under other names."""
    origins = tensors.origins if isinstance(tensors, Tensors) else {}
    return Tensors(
        {new_name(name): tensor for name, tensor in tensors.items()},
        {new_name(name): origin for name, origin in origins.items()},
    )


def selected(tensors: Mapping[str, Tensor], wanted: Callable[[str], object]) -> Tensors:
    """The tensors whose names are wanted."""
    origins = tensors.origins if isinstance(tensors, Tensors) else {}
    return Tensors(
        {name: tensor for name, tensor in tensors.items() if wanted(name)},
        {name: origin for name, origin in origins.items() if wanted(name)},
    )


def without_prefix(tensors: Mapping[str, Tensor], prefix: str) -> Tensors:
    """The tensors whose names start with ``prefix``, under the rest of their names."""
    below = selected(tensors, lambda name: name.startswith(prefix))
    return renamed(below, lambda name: name.removeprefix(prefix))


def fold_weight_norm(tensors: Mapping[str, Tensor]) -> Tensors:
    """Replace every magnitude and direction by the plain weight, as the model would compute it.

    Takes the names ``weight_g``, ``weight_v`` and ``parametrizations.weight.original0``,
    ``original1``. Bit-identical to the unfolded model.

    Raises:
        WeightsError: a direction is absent, or its magnitude is of another shape than one value
            per channel; torch itself would read beyond the end of it.
    """
    import torch

    folded = tensors if isinstance(tensors, Tensors) else Tensors(tensors)
    folded = Tensors(folded, folded.origins)
    for magnitude, direction in WEIGHT_NORM:
        for name in [name for name in folded if name.endswith(magnitude)]:
            stem = name.removesuffix(magnitude)
            shown = _shown(folded, name)
            g, v = folded.pop(name), folded.pop(stem + direction, None)
            if v is None:
                raise WeightsError(f"{shown} is there and its {direction} is not")
            expected = (v.shape[0], *(1,) * (v.ndim - 1)) if v.ndim else None
            if tuple(g.shape) != expected:
                raise WeightsError(
                    f"{shown} has shape {tuple(g.shape)}, expected {expected} beside a direction "
                    f"of shape {tuple(v.shape)}"
                )
            folded[stem + "weight"] = torch._weight_norm(v, g, 0)
            if stem + direction in folded.origins:
                folded.origins[stem + "weight"] = folded.origins[stem + direction]
    return folded


def _shown(tensors: Tensors, name: str) -> str:
    if name not in tensors.origins:
        return name
    path, called = tensors.origins[name]
    return f"{path}: {called}"


def _common_start(one: str, other: str) -> int:
    pairs = itertools.takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False))
    return sum(1 for _ in pairs)
