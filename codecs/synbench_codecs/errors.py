"""What can go wrong in a codec, and whose fault it is.

::

    CodecError
    ├── UsageError        the caller asked for something that does not exist (user error)
    ├── Unavailable       a package, library, program or weights file is absent (environment)
    ├── BitstreamError    a .syn stream is truncated, foreign or corrupted (user or item error)
    └── EncodeError       this wave cannot be coded: wrong rate, empty, not finite (item failure)
"""

from __future__ import annotations

__all__ = ["BitstreamError", "CodecError", "EncodeError", "Unavailable", "UsageError"]


class CodecError(Exception):
    """Base of every error that a codec raises on purpose."""


class UsageError(CodecError):
    """An unknown codec or option. The message lists the close names."""


class Unavailable(CodecError):
    """Something the codec needs is absent. The message says what to type next."""


class BitstreamError(CodecError):
    """The bytes are not a complete, intact stream of the codec that reads them."""


class EncodeError(CodecError):
    """The codec cannot code this wave. The message says what it expected and what came."""
