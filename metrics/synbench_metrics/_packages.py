"""Optional packages: which version is installed, and what to type when one is absent.

Nothing is imported here, so a column can state its version at a negligible price and an absent or
broken package makes only its own columns unavailable.
"""

from __future__ import annotations

import importlib
import importlib.metadata
from collections.abc import Callable

from synbench_metrics.errors import Unavailable

INSTALL = "pip install 'synbench[metrics]'"

__all__ = ["INSTALL", "installed_version", "requires"]


def installed_version(package: str) -> str:
    """Version of a distribution, or an empty string when it is not installed."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""


def requires(**modules: str) -> Callable[[], None]:
    """A check that these modules import.

    Args:
        modules: import name (dots as double underscores) and the distribution that brings it.

    Returns:
        A function without arguments. It raises :class:`Unavailable` with the pip line when a
        module is absent, or does not import: a package with a broken native library raises
        ``OSError``, not ``ImportError``.
    """

    def check() -> None:
        for name, distribution in modules.items():
            try:
                importlib.import_module(name.replace("__", "."))
            except ModuleNotFoundError as error:
                raise Unavailable(f"{distribution} is not installed: {INSTALL}") from error
            except Exception as error:
                raise Unavailable(
                    f"{distribution} is installed but does not import ({error}); reinstall it: "
                    f"pip install --force-reinstall {distribution}"
                ) from error

    return check
