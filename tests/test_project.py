"""Guards over the project as a whole: layout, packaging, imports of the command, stray paths."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("bench", "codecs", "listening_tests", "metrics", "reports")
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PACKAGES = PYPROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
HEAVY = (
    "av",
    "duckdb",
    "matplotlib",
    "numpy",
    "pandas",
    "pesq",
    "pyarrow",
    "pystoi",
    "rich",
    "scipy",
    "torch",
)
VAGUE_NAMES = ("place", "found")
# Written in two parts, so that this file does not find itself.
STRAY = ("/wo" + "rk/", "/ro" + "ot/", "pypi" + ".org", "files.python" + "hosted")


def committed_files() -> list[Path]:
    """Every file that git tracks and that is still there."""
    git = ["git", "-C", str(ROOT), "ls-files", "-z"]
    try:
        names = subprocess.run(git, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git checkout")
    return [ROOT / name for name in names.split("\0") if name and (ROOT / name).is_file()]


def bound_name(node: ast.AST) -> str | None:
    """The name that a part of a program binds: a variable, an argument, an import, an error."""
    if isinstance(node, ast.Name):
        return node.id if isinstance(node.ctx, ast.Store) else None
    if isinstance(node, ast.arg):
        return node.arg
    if isinstance(node, ast.alias):
        return node.asname
    if isinstance(node, ast.ExceptHandler | ast.MatchAs):
        return node.name
    return None


class TestLayout:
    @pytest.mark.parametrize("folder", FOLDERS)
    def test_the_folders_are_no_packages(self, folder: str) -> None:
        assert not (ROOT / folder / "__init__.py").exists()

    def test_every_package_is_built_and_checked(self) -> None:
        packages = sorted(
            path.parent.relative_to(ROOT).as_posix()
            for folder in FOLDERS
            for path in (ROOT / folder).glob("*/__init__.py")
        )
        assert packages == sorted(PACKAGES)
        names = {Path(package).name for package in PACKAGES}
        assert set(PYPROJECT["tool"]["mypy"]["packages"]) == names
        assert set(PYPROJECT["tool"]["importlinter"]["root_packages"]) == names
        assert set(PYPROJECT["tool"]["coverage"]["run"]["source_pkgs"]) == names

    @pytest.mark.parametrize("package", PACKAGES)
    def test_every_package_is_typed(self, package: str) -> None:
        assert (ROOT / package / "py.typed").is_file()

    def test_no_file_names_a_place_of_one_machine(self) -> None:
        offenders = [
            f"{path.relative_to(ROOT)}: {stray}"
            for path in committed_files()
            for stray in STRAY
            if stray.encode() in path.read_bytes()
        ]
        assert offenders == []

    def test_continuous_integration_calls_make_test(self) -> None:
        path = ROOT / ".ci/run"
        lines = path.read_text(encoding="utf-8").splitlines()
        assert os.access(path, os.X_OK)
        assert "set -euo pipefail" in lines
        assert lines[-1] == "make test"


class TestNames:
    def test_a_public_class_name_stands_for_one_thing(self) -> None:
        modules_of: dict[str, list[str]] = {}
        for folder in FOLDERS:
            for path in sorted((ROOT / folder).glob("synbench*/**/*.py")):
                for node in ast.parse(path.read_text(encoding="utf-8")).body:
                    if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                        modules_of.setdefault(node.name, []).append(str(path.relative_to(ROOT)))
        assert {name: modules for name, modules in modules_of.items() if len(modules) > 1} == {}

    def test_a_name_says_what_it_holds(self) -> None:
        """Neither ``place`` nor ``found``: five things were called so."""
        vague = [
            f"{path.relative_to(ROOT)}:{node.lineno}"
            for path in committed_files()
            if path.suffix == ".py"
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if bound_name(node) in VAGUE_NAMES
        ]
        assert not vague


class TestRequirements:
    def test_torch_stays_below_the_first_version_that_was_not_tried(self) -> None:
        extras = PYPROJECT["project"]["optional-dependencies"]
        torch_lines = [
            line for extra in extras.values() for line in extra if line.startswith("torch")
        ]
        assert torch_lines == ["torch>=2.4,<2.14"]

    def test_the_core_and_the_tools_do_not_need_torch(self) -> None:
        tools = PYPROJECT["dependency-groups"]["dev"]
        assert not [line for line in PYPROJECT["project"]["dependencies"] if "torch" in line]
        assert not [line for line in tools if "torch" in line]


class TestCommand:
    def test_help_imports_nothing_heavy(self) -> None:
        script = (
            "import sys; from synbench.__main__ import cli\n"
            "cli.main(['--help'], standalone_mode=False)\n"
            "print(sorted({name.partition('.')[0] for name in sys.modules}), file=sys.stderr)"
        )
        done = subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, check=True
        )
        imported = ast.literal_eval(done.stderr)
        assert "synbench run demo" in done.stdout
        assert not set(HEAVY) & set(imported)

    def test_help_takes_a_fifth_of_a_second_at_most(self) -> None:
        def once() -> float:
            command = [sys.executable, "-m", "synbench", "--help"]
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            assert process.returncode == 0
            return usage.ru_utime + usage.ru_stime

        assert min(once() for _ in range(3)) < 0.2


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The names inside the wheel of this project."""
    pytest.importorskip("hatchling")
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (path,) = folder.glob("*.whl")
    with zipfile.ZipFile(path) as archive:
        return set(archive.namelist())


class TestWheel:
    def test_holds_every_module(self, names: set[str]) -> None:
        modules = {
            path.relative_to(ROOT).as_posix().partition("/")[2]
            for path in committed_files()
            if path.suffix == ".py" and path.relative_to(ROOT).parts[0] in FOLDERS
        }
        assert modules - names == set()

    @pytest.mark.parametrize("package", PACKAGES)
    def test_holds_the_typing_marks(self, names: set[str], package: str) -> None:
        assert f"{Path(package).name}/py.typed" in names

    def test_holds_every_suite(self, names: set[str]) -> None:
        suites = {f"synbench/suites/{path.name}" for path in (ROOT / "bench/suites").glob("*.yaml")}
        assert "synbench/suites/demo.yaml" in suites
        assert suites - names == set()

    def test_holds_nothing_else(self, names: set[str]) -> None:
        tops = {name.partition("/")[0] for name in names}
        assert tops == {Path(p).name for p in PACKAGES} | {"synbench-0.1.0.dist-info"}
