"""The decisions of the set-up, with fake interpreters and fake folders; nothing is installed."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))

import compiler_flags  # noqa: E402
import installer  # noqa: E402
import interpreters  # noqa: E402
import setup_environment  # noqa: E402
import torch_choice  # noqa: E402
import wanted_packages  # noqa: E402
from interpreters import SetUpError  # noqa: E402
from wanted_packages import Wanted  # noqa: E402

TORCH_EXTRA = ["torch>=2.4,<2.14", "safetensors>=0.4"]


def fake_wheel(folder: Path, name: str, *needs: str) -> Path:
    """A wheel that holds metadata alone."""
    lines = ["Metadata-Version: 2.1", "Name: torch", *(f"Requires-Dist: {need}" for need in needs)]
    with zipfile.ZipFile(folder / name, "w") as archive:
        archive.writestr("torch-0.dist-info/METADATA", "\n".join([*lines, "", "A description."]))
    return folder / name


def fake_python(path: Path, *, version: tuple[int, int, int], ensurepip: bool = True) -> Path:
    """An executable that answers the probe as an interpreter of this version would."""
    answer = (
        f'{{"executable": "{path}", "version": {list(version)}, "headers": true, '
        f'"ensurepip": {str(ensurepip).lower()}, "compiler": "cc -pthread"}}'
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho '{answer}'\n", encoding="ascii")
    path.chmod(0o755)
    return path


def shim(path: Path) -> Path:
    """An executable that fails when it is called."""
    path.write_text("#!/bin/sh\nexit 127\n", encoding="ascii")
    path.chmod(0o755)
    return path


@pytest.fixture
def search_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder that is the whole search path."""
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with a ``.venv`` that was set up."""
    for name in setup_environment.READ_FILES:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name, encoding="utf-8")
    python = fake_python(tmp_path / ".venv/bin/python", version=(3, 11, 7))
    (python.parent / "pip").write_text(f"#!{python}\n", encoding="utf-8")
    stamp = tmp_path / ".venv" / setup_environment.STAMP
    stamp.write_text(setup_environment.stamp_text(tmp_path), encoding="utf-8")
    return tmp_path


class TestInterpreter:
    def test_prefers_311_over_later_ones(self, search_path: Path) -> None:
        fake_python(search_path / "python3.13", version=(3, 13, 0))
        wanted = fake_python(search_path / "python3.11", version=(3, 11, 2))
        assert interpreters.find_interpreter().executable == wanted

    def test_passes_over_a_shim_that_fails(self, search_path: Path) -> None:
        shim(search_path / "python3.11")
        wanted = fake_python(search_path / "python3.12", version=(3, 12, 1))
        assert interpreters.find_interpreter().executable == wanted

    def test_finds_the_next_executable_of_the_same_name(
        self, search_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        shim(search_path / "python3.11")
        wanted = fake_python(search_path / "second" / "python3.11", version=(3, 11, 2))
        monkeypatch.setenv("PATH", os.pathsep.join([str(search_path), str(wanted.parent)]))
        assert interpreters.find_interpreter().executable == wanted

    def test_takes_python3_of_a_version_that_will_do(self, search_path: Path) -> None:
        wanted = fake_python(search_path / "python3", version=(3, 13, 5))
        assert interpreters.find_interpreter().executable == wanted

    def test_a_named_interpreter_wins(self, search_path: Path) -> None:
        fake_python(search_path / "python3.11", version=(3, 11, 2))
        wanted = fake_python(search_path / "mine" / "python", version=(3, 12, 0))
        assert interpreters.find_interpreter(str(wanted)).executable == wanted

    def test_the_error_lists_what_was_turned_down_and_what_to_type(self, search_path: Path) -> None:
        shim(search_path / "python3.11")
        fake_python(search_path / "python3.12", version=(3, 12, 0), ensurepip=False)
        fake_python(search_path / "python3", version=(3, 14, 0))
        with pytest.raises(SetUpError) as error:
            interpreters.find_interpreter()
        text = str(error.value)
        assert "python3.11 does not run" in text
        assert "python3.12 has no ensurepip (on Debian: apt-get install python3-venv)" in text
        assert "python3 is Python 3.14.0" in text
        assert "make setup PYTHON=" in text

    def test_the_error_says_when_there_is_none(self, search_path: Path) -> None:
        with pytest.raises(SetUpError, match="python3 is not on the search path"):
            interpreters.find_interpreter()

    def test_an_interpreter_of_a_virtual_environment_is_traced_to_its_base(self) -> None:
        interpreter = interpreters.probe(sys.executable)
        assert interpreter is not None
        assert interpreter.version == sys.version_info[:3]
        assert not interpreter.executable.is_relative_to(ROOT / ".venv")

    def test_says_what_is_missing_to_compile(
        self, search_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("CC", raising=False)
        python = interpreters.Interpreter(Path("python"), (3, 11, 2), True, False, "cc")
        advice = setup_environment.compiler_advice(python)
        assert advice is not None
        assert "a C compiler (cc) and the headers of Python (Python.h) not found" in advice
        assert "apt-get install build-essential python3-dev" in advice


class TestStamp:
    def test_nothing_changed(self, project: Path) -> None:
        assert setup_environment.is_current(project)

    @pytest.mark.parametrize("name", setup_environment.READ_FILES)
    def test_a_changed_file_asks_for_a_set_up(self, project: Path, name: str) -> None:
        (project / name).write_text("changed", encoding="utf-8")
        assert not setup_environment.is_current(project)

    def test_a_set_up_for_the_tests_does_for_the_demo_and_not_the_other_way(
        self, project: Path
    ) -> None:
        assert setup_environment.is_current(project, level="demo")
        stamp = project / ".venv" / setup_environment.STAMP
        stamp.write_text(setup_environment.stamp_text(project, level="demo"), encoding="utf-8")
        assert setup_environment.is_current(project, level="demo")
        assert not setup_environment.is_current(project)

    def test_a_missing_stamp_asks_for_a_set_up(self, project: Path) -> None:
        (project / ".venv" / setup_environment.STAMP).unlink()
        assert not setup_environment.is_current(project)

    def test_a_missing_interpreter_asks_for_a_set_up(self, project: Path) -> None:
        (project / ".venv/bin/python").unlink()
        assert not setup_environment.is_current(project)

    def test_a_moved_project_asks_for_a_set_up(self, project: Path) -> None:
        moved = project.rename(project.with_name(f"{project.name}-moved"))
        assert not setup_environment.is_current(moved)

    def test_another_named_interpreter_asks_for_a_set_up(self, project: Path) -> None:
        other = fake_python(project / "other" / "python", version=(3, 12, 0))
        assert setup_environment.is_current(project, str(project / ".venv/bin/python"))
        assert not setup_environment.is_current(project, str(other))

    def test_a_failed_installation_leaves_no_stamp(
        self, project: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(*arguments: object, **options: object) -> None:
            raise SetUpError("no network")

        monkeypatch.setattr(setup_environment, "install", fail)
        monkeypatch.setattr(setup_environment, "read_pyproject", lambda root: PYPROJECT)
        monkeypatch.setattr(setup_environment, "has_nvidia_device", lambda: True)
        monkeypatch.setattr(setup_environment, "find_uv", lambda: None)
        with pytest.raises(SetUpError, match="no network"):
            setup_environment.set_up(project, None)
        assert not setup_environment.is_current(project)


class TestRebuild:
    def test_keeps_what_works(self, project: Path) -> None:
        assert setup_environment.why_rebuild(project / ".venv", None) is None

    def test_builds_what_is_not_there(self, tmp_path: Path) -> None:
        assert setup_environment.why_rebuild(tmp_path / ".venv", None) == "there is no .venv"

    def test_a_broken_interpreter(self, project: Path) -> None:
        shim(project / ".venv/bin/python")
        reason = setup_environment.why_rebuild(project / ".venv", None)
        assert reason == "the interpreter of .venv does not run"

    def test_another_version(self, project: Path) -> None:
        fake_python(project / ".venv/bin/python", version=(3, 10, 13))
        reason = setup_environment.why_rebuild(project / ".venv", None)
        assert reason == ".venv has Python 3.10.13"

    def test_without_pip(self, project: Path) -> None:
        (project / ".venv/bin/pip").unlink()
        assert setup_environment.why_rebuild(project / ".venv", None) == ".venv has no pip"

    def test_moved(self, project: Path) -> None:
        moved = project.rename(project.with_name(f"{project.name}-moved"))
        assert setup_environment.why_rebuild(moved / ".venv", None) == ".venv was moved"

    def test_another_named_interpreter(self, project: Path) -> None:
        other = interpreters.probe(
            str(fake_python(project / "other" / "python", version=(3, 12, 0)))
        )
        reason = setup_environment.why_rebuild(project / ".venv", other)
        assert reason == ".venv has another interpreter"


PYPROJECT = {
    "project": {
        "name": "sound",
        "optional-dependencies": {
            "one": ["red>=1", "pesq==0.0.4", "visqol-python==3.8.0"],
            "two": ["blue==2"],
            "torch": TORCH_EXTRA,
            "hf": ["sound[torch]", "snac>=1"],
            "sqcodec": [],
        },
    },
    "dependency-groups": {"demo": ["sound[one]"], "dev": ["pytest>=8", "sound[one,two]"]},
}


class TestPackages:
    def wanted(self, choice: torch_choice.TorchChoice, level: str = "tests") -> Wanted:
        return wanted_packages.wanted_packages(PYPROJECT, choice, level=level)

    def test_the_extras_are_those_of_the_group_and_the_tools_are_for_the_tests(self) -> None:
        choice = torch_choice.choose_torch(TORCH_EXTRA, device=False, wheels=[], system="linux")
        assert self.wanted(choice).needed == ("-e", ".", "pytest>=8")
        assert self.wanted(choice).optional == ("red>=1", "blue==2")
        assert self.wanted(choice, "demo").needed == ("-e", ".")
        assert self.wanted(choice, "demo").optional == ("red>=1",)

    def test_what_has_no_wheel_is_built_and_what_is_only_read_comes_alone(self) -> None:
        choice = torch_choice.choose_torch(TORCH_EXTRA, device=False, wheels=[], system="linux")
        assert self.wanted(choice).sources == ("pesq==0.0.4",)
        assert self.wanted(choice).alone == ("visqol-python==3.8.0",)

    def test_a_device_adds_the_extras(self) -> None:
        choice = torch_choice.choose_torch(TORCH_EXTRA, device=True, wheels=[])
        assert self.wanted(choice).optional == ("red>=1", "blue==2", *TORCH_EXTRA, "snac>=1")

    def test_a_kept_wheel_is_named_with_the_other_needs_of_the_extra(self) -> None:
        wheel = Path("kept/torch-2.9.0+cpu-cp311-cp311-linux_x86_64.whl")
        choice = torch_choice.choose_torch(TORCH_EXTRA, device=False, wheels=[wheel])
        assert self.wanted(choice).optional[2:] == (str(wheel), "safetensors>=0.4")

    def test_the_demo_brings_no_torch_and_says_what_does(self) -> None:
        choice = torch_choice.torch_later()
        assert self.wanted(choice, "demo").optional == ("red>=1",)
        assert "ONNX Runtime" in choice.message
        assert "make setup" in choice.message

    def test_every_source_package_of_the_project_is_known(self) -> None:
        pyproject = setup_environment.read_pyproject(ROOT)
        for level in wanted_packages.LEVELS:
            wanted = wanted_packages.wanted_packages(
                pyproject, torch_choice.torch_later(), level=level
            )
            assert "pesq==0.0.4" in wanted.sources
            assert len(wanted.alone) == 1


class FakeInstaller:
    """Installs all but what is named ``bad``; builds nothing."""

    uv = None

    def __init__(self, bad: str = "none") -> None:
        self.bad = bad
        self.calls: list[list[str]] = []

    def install(self, arguments: list[str], *, quiet: bool = False) -> bool:
        self.calls.append(list(arguments))
        return not any(self.bad in argument for argument in arguments)

    def build(self, requirement: str, folder: Path, *, compiler: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, "-c", ""])


WANTED = Wanted(
    needed=("-e", "."), optional=("red", "blue"), alone=(), sources=("pesq==0.0.4", "pyworld>=0.3")
)
PYTHON = interpreters.Interpreter(Path("python"), (3, 11, 2), True, True, "cc")


class TestInstall:
    def test_without_a_compiler_pesq_is_left_out_with_a_sentence(
        self, search_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.delenv("CC", raising=False)
        installer = FakeInstaller(bad="--only-binary")
        monkeypatch.setattr(
            installer, "build", lambda *_, **__: pytest.fail("a compiler was called")
        )
        setup_environment.install(installer, WANTED, PYTHON)
        said = capsys.readouterr().out
        assert "pesq: left out, and with it the columns pesq_wb and pesq_nb: a C compiler" in said
        assert "apt-get install build-essential python3-dev" in said
        assert "pyworld: not built here, pyworld-prebuilt in its place" in said
        assert ["pyworld-prebuilt==0.3.5.post2"] in installer.calls

    def test_without_a_compiler_a_wheel_of_another_machine_is_taken(
        self, search_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.delenv("CC", raising=False)
        installer = FakeInstaller(bad="pyworld")
        setup_environment.install(installer, WANTED, PYTHON)
        assert ["--no-deps", "--only-binary=:all:", "pesq==0.0.4"] in installer.calls
        said = capsys.readouterr().out
        assert "pesq" not in said
        assert "pyworld: left out" in said

    def test_a_package_that_cannot_be_had_is_not_the_end(
        self, search_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        installer = FakeInstaller(bad="blue")
        setup_environment.install(installer, WANTED, PYTHON)
        assert "blue: could not be installed; synbench doctor says" in capsys.readouterr().out
        assert ["red"] in installer.calls

    def test_without_the_core_there_is_no_set_up_and_the_cures_are_named(
        self, search_path: Path
    ) -> None:
        with pytest.raises(SetUpError) as caught:
            setup_environment.install(FakeInstaller(bad="."), WANTED, PYTHON)
        for cure in ("PIP_INDEX_URL=", "make wheels", "PIP_NO_INDEX=1 PIP_FIND_LINKS="):
            assert cure in str(caught.value)

    def test_a_built_package_takes_the_place_of_one_that_was_built_otherwise(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        fake = FakeInstaller()

        def build(one: str, folder: Path, *, compiler: str) -> subprocess.Popen[bytes]:
            fake_wheel(folder, f"{one.partition('==')[0]}-0-py3-none-any.whl")
            return subprocess.Popen([sys.executable, "-c", ""])

        monkeypatch.setattr(fake, "build", build)
        monkeypatch.setattr(setup_environment, "compiler_advice", lambda _: None)
        setup_environment.install(fake, WANTED, PYTHON)
        (call,) = [call for call in fake.calls if "--force-reinstall" in call]
        assert any(Path(argument).name.startswith("pesq-") for argument in call)

    def test_uv_gets_the_settings_of_pip(self) -> None:
        config = "\n".join(
            [
                ":env:.find-links='/one /two'",
                "global.index-url='https://mirror.example/simple'",
                "global.extra-index-url='file:///a/simple file:///b/simple'",
                "install.constraint='limits.txt'",
                "download.no-index='true'",
            ]
        )
        assert installer.uv_variables(config) == {
            "UV_DEFAULT_INDEX": "https://mirror.example/simple",
            "UV_INDEX": "file:///a/simple file:///b/simple",
            "UV_FIND_LINKS": "/one,/two",
            "UV_CONSTRAINT": "limits.txt",
        }


class TestCompilerFlags:
    """PESQ is compiled as well as compiler and processor can, and never fuses operations."""

    def compiler(self, path: Path, *refused: str) -> list[str]:
        """A compiler that takes all flags but these."""
        tests = "".join(f'*" {flag} "*) exit 1;; ' for flag in refused)
        path.write_text(f'#!/bin/sh\ncase " $* " in {tests}*) exit 0;; esac\n', encoding="ascii")
        path.chmod(0o755)
        return [str(path)]

    @pytest.mark.parametrize(
        ("features", "refused", "fast", "recorded"),
        [
            (compiler_flags.AVX2_FEATURES | {"sse2"}, (), True, True),
            (compiler_flags.AVX2_FEATURES - {"avx2"}, (), False, True),
            (compiler_flags.AVX2_FEATURES, ("-march=x86-64-v3",), False, True),
            (compiler_flags.AVX2_FEATURES, ("-frecord-gcc-switches",), True, False),
        ],
    )
    def test_the_fastest_that_both_can(
        self, tmp_path: Path, features: set[str], refused: tuple[str, ...], *, fast: bool,
        recorded: bool,
    ) -> None:  # fmt: skip
        flags = compiler_flags.pesq_flags(
            self.compiler(tmp_path / "cc", *refused), features=features
        )
        assert "-ffp-contract=off" in flags
        assert ("-march=x86-64-v3" in flags, "-frecord-gcc-switches" in flags) == (fast, recorded)

    def test_a_compiler_of_another_kind_builds_as_it_likes(self, tmp_path: Path) -> None:
        assert (
            compiler_flags.pesq_flags(self.compiler(tmp_path / "cc", "-O3"), features=set()) == ()
        )

    def test_flags_of_the_user_stay_and_wheels_for_others_name_no_processor(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("CFLAGS", "-I/somewhere")
        monkeypatch.setenv("CC", *self.compiler(tmp_path / "cc"))
        (flags,) = compiler_flags.build_variables("pesq", compiler="x", portable=True).values()
        assert flags.startswith("-I/somewhere -O3")
        assert "-march" not in flags
        assert compiler_flags.build_variables("pyworld", compiler="x") == {}


class TestTorch:
    def wheels(self, folder: Path) -> list[str]:
        """The names of the kept wheels for Python 3.11."""
        wheels = torch_choice.kept_wheels([folder], requirement=TORCH_EXTRA[0], python=(3, 11))
        return [path.name for path in wheels]

    def test_takes_the_newest_wheel_within_the_bounds(self, tmp_path: Path) -> None:
        for version in ("2.3.1", "2.4.0", "2.13.1", "2.9.0", "2.14.0", "3.0.0"):
            fake_wheel(tmp_path, f"torch-{version}+cpu-cp311-cp311-linux_x86_64.whl", "sympy")
        assert self.wheels(tmp_path) == [
            f"torch-{version}+cpu-cp311-cp311-linux_x86_64.whl"
            for version in ("2.13.1", "2.9.0", "2.4.0")
        ]

    @pytest.mark.parametrize(
        "name",
        [
            "torch-2.9.0+cpu-cp312-cp312-linux_x86_64.whl",
            "torch-2.9.0+cpu-cp311-cp311t-linux_x86_64.whl",
            "torch-2.9.0+cu128-cp311-cp311-linux_x86_64.whl",
            "torch-2.9.0-cp311-cp311-linux_x86_64.whl",
            "torch-2.13.0rc1+cpu-cp311-cp311-linux_x86_64.whl",
        ],
    )
    def test_leaves_other_wheels_alone(self, tmp_path: Path, name: str) -> None:
        fake_wheel(tmp_path, name)
        assert self.wheels(tmp_path) == []

    @pytest.mark.parametrize(
        "need",
        ["nvidia-cublas-cu12==12.8; platform_system == 'Linux'", "triton>=3", "cuda-toolkit[all]"],
    )
    def test_leaves_a_wheel_that_asks_for_cuda(self, tmp_path: Path, need: str) -> None:
        fake_wheel(tmp_path, "torch-2.9.0+cpu-cp311-cp311-linux_x86_64.whl", "sympy", need)
        assert self.wheels(tmp_path) == []

    def test_an_optional_need_does_not_count(self, tmp_path: Path) -> None:
        name = "torch-2.9.0+cpu-cp311-cp311-linux_x86_64.whl"
        fake_wheel(tmp_path, name, "nvidia-dali; extra == 'dali'")
        assert self.wheels(tmp_path) == [name]

    def test_leaves_a_broken_wheel(self, tmp_path: Path) -> None:
        (tmp_path / "torch-2.9.0+cpu-cp311-cp311-linux_x86_64.whl").write_bytes(b"cut short")
        assert self.wheels(tmp_path) == []

    def test_reads_the_folders_that_pip_knows(self, tmp_path: Path) -> None:
        folders = [tmp_path / name for name in ("environment", "one", "with space", "install")]
        for folder in folders:
            folder.mkdir()
        environment, one, spaced, install = folders
        config = "\n".join(
            [
                f":env:.find-links='{environment} {tmp_path / 'absent'}'",
                f"download.find-links='{tmp_path}'",
                f"global.find-links='\\n{one}\\n{spaced.as_uri()}\\nhttps://example.org/wheels'",
                "global.timeout='60'",
                f"install.find-links='{install} {one}'",
            ]
        )
        assert torch_choice.kept_folders(config) == folders

    def test_a_device_needs_no_wheel(self) -> None:
        choice = torch_choice.choose_torch(TORCH_EXTRA, device=True, wheels=[Path("torch.whl")])
        assert (choice.requirements, choice.extras) == ((), ("hf", "sqcodec"))

    def test_the_cpu_build_comes_from_its_own_index_or_on_a_mac_from_any(self) -> None:
        choice = torch_choice.choose_torch(TORCH_EXTRA, device=False, wheels=[], cpu_index=True)
        assert choice.requirements == tuple(TORCH_EXTRA)
        assert choice.options == ("--extra-index-url", torch_choice.CPU_INDEX)
        mac = torch_choice.choose_torch(TORCH_EXTRA, device=False, wheels=[], system="darwin")
        assert (mac.requirements, mac.options) == (tuple(TORCH_EXTRA), ())

    def test_left_out_says_why_and_what_to_type(self) -> None:
        choice = torch_choice.choose_torch(TORCH_EXTRA, device=False, wheels=[], system="linux")
        assert (choice.requirements, choice.extras) == ((), ())
        assert "left out, this machine has no NVIDIA device" in choice.message
        assert ".venv/bin/pip install -e '.[torch]'" in choice.message

    def test_sees_a_device_by_its_node_or_by_its_driver(self, tmp_path: Path) -> None:
        absent = tmp_path / "nvidia0"
        assert torch_choice.has_nvidia_device(tmp_path, ["false"])
        assert torch_choice.has_nvidia_device(absent, ["true"])
        assert not torch_choice.has_nvidia_device(absent, ["false"])
        assert not torch_choice.has_nvidia_device(absent, [str(tmp_path / "no-such-command")])
