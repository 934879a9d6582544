"""What can go wrong, whose fault it is, and the exit code that a command ends with.

::

    SynbenchError
    ├── UsageError                    exit 2   the user asked for something that cannot be
    ├── EnvironmentFault              exit 3   the machine cannot do it: disk, network, device
    │   └── Unavailable               exit 3   a codec or metric lacks a package, program or file
    │       ├── MissingWeights                 a checkpoint was not fetched; says how to get it
    │       │   └── UnpublishedWeights         there is none to fetch; the user names a file
    │       └── WeightsError                   a weights file is another one, truncated or unsafe
    └── ItemError                     exit 2   one item cannot be used: a status in the table
        ├── EncodeError                        this wave cannot be coded: wrong rate, empty, NaN
        ├── BitstreamError                     a .syn stream is truncated, foreign or corrupted
        └── NotApplicable                      this pair has no such score, for the reason given

Exit code 1 is kept for a run that finished with more failures than its budget allows. Every other
exception is a bug.
"""

from __future__ import annotations

__all__ = [
    "BitstreamError",
    "EncodeError",
    "EnvironmentFault",
    "ItemError",
    "MissingWeights",
    "NotApplicable",
    "SynbenchError",
    "Unavailable",
    "UnpublishedWeights",
    "UsageError",
    "WeightsError",
]


class SynbenchError(Exception):
    """Base of every error that synbench raises on purpose."""

    exit_code = 2


class UsageError(SynbenchError):
    """A mistake in a suite, a name, a path or an argument; the message says what to type."""


class EnvironmentFault(SynbenchError):
    """The machine cannot do it now: disk full, no network, no such device."""

    exit_code = 3


class Unavailable(EnvironmentFault):
    """Something that a codec or metric needs is absent. The message says what to type next."""


class MissingWeights(Unavailable):
    """A checkpoint that is not on this machine.

    Attributes:
        checkpoint: the name that ``synbench weights fetch`` takes.
        file: name of the absent file.
        advice: what to type.
    """

    def __init__(self, checkpoint: str, file: str, advice: str = "") -> None:
        self.checkpoint = checkpoint
        self.file = file
        self.advice = advice or f"type: synbench weights fetch {checkpoint}"
        super().__init__(f"missing weights ({file}); {self.advice}")

    def __reduce__(self) -> tuple[type[MissingWeights], tuple[str, ...]]:
        """Survive the way back from a worker."""
        return type(self), (self.checkpoint, self.file, self.advice)


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
        self.checkpoint = self.file = self.advice = ""

    def __reduce__(self) -> tuple[type[UnpublishedWeights], tuple[str, ...]]:
        """Survive the way back from a worker."""
        return type(self), (self.spec,)


class WeightsError(Unavailable):
    """A weights file that must not be used. The message names the file, and what is wrong."""


class ItemError(SynbenchError):
    """One item cannot be used. It becomes a status with this message as the reason."""


class EncodeError(ItemError):
    """The codec cannot code this wave. The message says what it expected and what came."""


class BitstreamError(ItemError):
    """The bytes are not a complete, intact stream of the codec that reads them."""


class NotApplicable(ItemError):
    """This pair of waves has no such score, for the reason given; the metric itself is fine."""
