"""What can go wrong in a codec, and whose fault it is.

::

    CodecError
    ├── UsageError        the caller asked for something that does not exist (user error)
    ├── Unavailable       a package, library, program or weights file is absent (environment)
    │   ├── MissingWeights    a checkpoint was not fetched; says the command that brings it
    │   │   └── UnpublishedWeights    there is none to fetch; the user names a file
    │   └── WeightsError      a weights file is another one, truncated or unsafe, and not loaded
    ├── BitstreamError    a .syn stream is truncated, foreign or corrupted (user or item error)
    └── EncodeError       this wave cannot be coded: wrong rate, empty, not finite (item failure)
"""

from __future__ import annotations

__all__ = [
    "BitstreamError",
    "CodecError",
    "EncodeError",
    "MissingWeights",
    "Unavailable",
    "UnpublishedWeights",
    "UsageError",
    "WeightsError",
]


class CodecError(Exception):
    """Base of every error that a codec raises on purpose."""


class UsageError(CodecError):
    """An unknown codec or option. The message lists the close names."""


class Unavailable(CodecError):
    """Something the codec needs is absent. The message says what to type next."""


class MissingWeights(Unavailable):
    """A checkpoint that is not on this machine.

    Attributes:
        checkpoint: the name that ``synbench weights fetch`` takes.
        file: name of the absent file.
    """

    def __init__(self, checkpoint: str, file: str) -> None:
        super().__init__(f"missing weights ({file}); type: synbench weights fetch {checkpoint}")
        self.checkpoint = checkpoint
        self.file = file

    def __reduce__(self) -> tuple[type[MissingWeights], tuple[str, str]]:
        """Survive the way back from a worker."""
        return type(self), (self.checkpoint, self.file)


class UnpublishedWeights(MissingWeights):
    """A training whose weights are not public: the user names a file of their own.

    Attributes:
        spec: of the codec, to which ``weights=PATH`` has to be added.
    """

    def __init__(self, spec: str) -> None:
        option = "," if ":" in spec else ":"
        Unavailable.__init__(
            self,
            f"missing weights: not public; with a file of your own: {spec}{option}weights=PATH",
        )
        self.spec = spec
        self.checkpoint = self.file = ""

    def __reduce__(self) -> tuple[type[UnpublishedWeights], tuple[str]]:  # type: ignore[override]
        """Survive the way back from a worker."""
        return type(self), (self.spec,)


class WeightsError(Unavailable):
    """A weights file that must not be used. The message names the file, and what is wrong."""


class BitstreamError(CodecError):
    """The bytes are not a complete, intact stream of the codec that reads them."""


class EncodeError(CodecError):
    """The codec cannot code this wave. The message says what it expected and what came."""
