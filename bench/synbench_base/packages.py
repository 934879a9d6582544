"""Optional packages: which version is installed, what to type when one is absent, files inside.

Versions are read and files are found without importing the package, so a codec or column can state
what it needs at a negligible price, and an absent or broken package costs nothing else.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import importlib
import importlib.util
import re
import shlex
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

from synbench_base.errors import Unavailable

__all__ = [
    "distribution_file",
    "import_extra",
    "install",
    "installed_version",
    "lacking",
    "named_version",
    "package_content",
    "package_file",
    "require",
    "requires",
]


@functools.cache
def install(extra: str) -> str:
    """The pip line that brings what an extra of synbench still lacks here, typable as it is.

    It names the packages themselves, which works from a checkout, from a wheel and without any
    index that has synbench. Of an extra that is complete (something in it is broken), all of them.
    """
    wanted = lacking(extra) or _requirements(extra)
    return pip_install(" ".join(map(shlex.quote, wanted)))


def pip_install(arguments: str) -> str:
    """A line that installs into this very environment, typable as it is from here."""
    return f"{_pip()} install {arguments}"


def lacking(extra: str) -> list[str]:
    """What an extra of synbench asks for and is not installed, in the words of a requirement."""
    return [one for one in _requirements(extra) if not installed_version(_distribution(one))]


def _requirements(extra: str) -> list[str]:
    """What the extra asks for, in the words of the installed distribution."""
    from importlib.metadata import PackageNotFoundError
    from importlib.metadata import requires as required

    marker = re.compile(rf"""extra\s*==\s*['"]{re.escape(extra)}['"]""")
    with contextlib.suppress(PackageNotFoundError):
        lines = required("synbench") or []
        requirements = [line.partition(";")[0].strip() for line in lines if marker.search(line)]
        if requirements:
            return requirements
    return [f"synbench[{extra}]"]


def _distribution(requirement: str) -> str:
    return re.split(r"[^A-Za-z0-9._-]", requirement, maxsplit=1)[0]


def _pip() -> str:
    """The pip of this very environment, as short as it can be typed from here."""
    beside = Path(sys.executable).with_name("pip")
    if shutil.which("pip") == str(beside):
        return "pip"
    if not beside.exists():
        return f"{sys.executable} -m pip"
    with contextlib.suppress(ValueError, OSError):
        return str(beside.relative_to(Path.cwd()))
    return str(beside)


def installed_version(distribution: str) -> str:
    """Version of a distribution, or an empty string where it is not installed."""
    # Half of what numpy takes to import, and many commands need no version.
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(distribution)
    except PackageNotFoundError:
        return ""


def named_version(distribution: str) -> str:
    """``snac 1.2.1``; says so where the version is not known."""
    return f"{distribution} {installed_version(distribution) or '(version unknown)'}"


def require(package: str, *, extra: str) -> None:
    """Check that a package is installed, without the seconds that importing it takes.

    Raises:
        Unavailable: it is not; the message holds the pip line.
    """
    if importlib.util.find_spec(package) is None:
        raise Unavailable(f"{package} is not installed: {install(extra)}")


def import_extra(module: str, *, extra: str) -> ModuleType:
    """Import a module that comes with an extra of synbench.

    Raises:
        Unavailable: it is not installed, or does not import; the message holds the pip line.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        require(module.partition(".")[0], extra=extra)
        raise Unavailable(f"{module} does not import: {error}") from error


def requires(*, advice: str, **modules: str) -> Callable[[], None]:
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
                    f"{pip_install(f'--force-reinstall {distribution}')}"
                ) from error

    return check


def package_file(package: str, file: str) -> Path | None:
    """Where a file of an import package lies or would lie; ``None`` where there is no package."""
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        return None
    return Path(spec.origin).parent / file


def distribution_file(distribution: str, file: str) -> Path | None:
    """A file that an installed distribution brought, by its path in site-packages."""
    from importlib.metadata import PackageNotFoundError
    from importlib.metadata import distribution as installed

    with contextlib.suppress(PackageNotFoundError):
        path = Path(str(installed(distribution).locate_file(file)))
        return path if path.is_file() else None
    return None


def package_content(package: str, file: str, sha256: str, *, advice: str) -> bytes:
    """Content of a model file inside an import package.

    Args:
        package: import name.
        file: path inside the package.
        sha256: what the content must have.
        advice: what to type when the package is absent.

    Raises:
        Unavailable: the package or the file is absent, or it is another file.
    """
    path = package_file(package, file)
    if path is None:
        raise Unavailable(f"{package}, which holds the model {file}, is not installed: {advice}")
    try:
        content = path.read_bytes()
    except OSError as error:
        raise Unavailable(f"model {path} cannot be read ({error}): {advice}") from error
    digest = hashlib.sha256(content).hexdigest()
    if digest != sha256:
        raise Unavailable(f"model {path} has sha256 {digest}, expected {sha256}: {advice}")
    return content
