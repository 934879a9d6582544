"""Reading the pickles of training frameworks without running anything in them.

torch's own reader refuses whatever is no tensor or plain value. Trainings also store their settings
as objects: those of a list of settings libraries are read as empty stand-ins, and neither imported
nor called. Everything else is refused as before.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from synbench_codecs.errors import WeightsError

SETTINGS = re.compile(
    r"(?:omegaconf|lightning|pytorch_lightning|lightning_fabric|lightning_utilities|pathlib|typing)\."
    r"|argparse\.Namespace$|collections\.defaultdict$"
    r"|builtins\.(?:bool|dict|float|frozenset|int|list|object|set|str|tuple)$"
)

__all__ = ["load_with_stand_ins"]


class StandIn(dict[Any, Any]):
    """Takes the place of an object of a settings library; keeps nothing of it."""

    def __init__(self, *values: Any, **named: Any) -> None:
        super().__init__()

    def __new__(cls, *values: Any, **named: Any) -> StandIn:
        """Whatever the pickle hands over is dropped."""
        return super().__new__(cls)

    def __setstate__(self, state: Any) -> None:
        """The settings themselves: dropped."""

    def __hash__(self) -> int:  # type: ignore[override]
        return id(self)

    def __eq__(self, other: object) -> bool:
        return self is other


def load_with_stand_ins(torch: Any, path: Path) -> Any:
    """The content of a checkpoint whose settings are objects.

    Raises:
        WeightsError: it asks for more than settings, or this version of torch cannot tell.
    """
    try:
        wanted = torch.serialization.get_unsafe_globals_in_checkpoint(str(path))
        unknown = [name for name in wanted if not SETTINGS.match(name)]
        if unknown or not wanted:
            raise WeightsError(_refusal(path, unknown))
        with torch.serialization.safe_globals([(StandIn, name) for name in wanted]):
            return torch.load(path, map_location="cpu", weights_only=True)
    except WeightsError:
        raise
    except Exception as error:
        # An old version, an old format, a damaged file: all end in the refusal of torch's reader.
        raise WeightsError(_refusal(path, [])) from error


def _refusal(path: Path, unknown: list[str]) -> str:
    listed = f" ({', '.join(sorted(unknown)[:3])})" if unknown else ""
    return (
        f"{path} is no checkpoint, or holds more than tensors, plain values and settings{listed}, "
        "which could run code; it is not loaded. Expected safetensors or a weights-only checkpoint"
    )
