"""Optional packages: which version is installed, and what to type when one is absent.

Nothing is imported here, so a column can state its version at a negligible price and an absent or
broken package makes only its own columns unavailable.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.metadata
import importlib.util
from collections.abc import Callable
from pathlib import Path

from synbench_metrics.errors import Unavailable

INSTALL = "pip install 'synbench[metrics]'"
TORCH = "pip install 'synbench[torch]'"
TRANSFORMERS = "pip install 'synbench[hf]'"

__all__ = ["INSTALL", "TORCH", "TRANSFORMERS", "installed_version", "model_bytes", "requires"]


def installed_version(package: str) -> str:
    """Version of a distribution, or an empty string when it is not installed."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""


def model_bytes(package: str, file: str, sha256: str, *, advice: str = INSTALL) -> bytes:
    """Content of a model file inside an installed package, which is not imported.

    Args:
        package: import name.
        file: path inside the package.
        sha256: what the content must have.
        advice: what to type when the package is absent.

    Raises:
        Unavailable: the package or the file is absent, or it is another file.
    """
    found = importlib.util.find_spec(package)
    if found is None or found.origin is None:
        raise Unavailable(f"{package}, which holds the model {file}, is absent: {advice}")
    path = Path(found.origin).parent / file
    try:
        content = path.read_bytes()
    except OSError as error:
        raise Unavailable(f"model {path} cannot be read ({error}): {advice}") from error
    digest = hashlib.sha256(content).hexdigest()
    if digest != sha256:
        raise Unavailable(f"model {path} has sha256 {digest}, expected {sha256}: {advice}")
    return content


def requires(*, advice: str = INSTALL, **modules: str) -> Callable[[], None]:
    """A check that these modules import.

    Args:
        advice: what to type when one is absent.
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
                raise Unavailable(f"{distribution} is not installed: {advice}") from error
            except Exception as error:
                raise Unavailable(
                    f"{distribution} is installed but does not import ({error}); reinstall it: "
                    f"pip install --force-reinstall {distribution}"
                ) from error

    return check
