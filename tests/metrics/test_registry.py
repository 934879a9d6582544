"""Listing is cheap, names are helpful, and an absent package takes only its own columns away."""

import subprocess
import sys
import types

import pytest

import synbench_metrics
from synbench_base.packages import installed_version, requires
from synbench_metrics import score
from synbench_metrics._packages import INSTALL
from synbench_metrics.errors import Unavailable, UsageError

HEAVY = ("scipy", "numba", "pesq", "pystoi", "visqol", "ai_edge_litert", "libsvm", "torch")


def test_the_columns_are_all_there():
    assert {
        "estoi",
        "log_spectral_distance",
        "mel_distance",
        "pesq_nb",
        "pesq_wb",
        "si_sdr",
        "stoi",
        "visqol_audio",
        "visqol_speech_exp",
        "visqol_speech_lattice",
    } <= set(synbench_metrics.names())


def test_listing_and_loading_import_no_library():
    program = (
        "import sys, synbench_metrics\n"
        "for name in synbench_metrics.names(): synbench_metrics.load(name).info.to_json()\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr


def test_a_misspelt_name_offers_the_close_ones():
    with pytest.raises(UsageError, match=r"unknown metric 'pesqq_wb'; did you mean pesq_wb"):
        synbench_metrics.load("pesqq_wb")


def test_a_name_like_no_other_says_where_to_look():
    with pytest.raises(UsageError, match="see: synbench metrics"):
        synbench_metrics.load("zzzzzz")


def test_an_absent_package_has_no_version():
    assert installed_version("no-such-distribution") == ""


def test_an_absent_package_names_the_pip_line():
    check = requires(no_such_module="no-such-distribution", advice=INSTALL)
    with pytest.raises(Unavailable, match=r"no-such-dist.*pip install .*pesq==0\.0\.4"):
        check()


def test_a_broken_package_is_unavailable(tmp_path, monkeypatch):
    (tmp_path / "broken_native_library.py").write_text("raise OSError('libc10_cuda.so')\n")
    monkeypatch.syspath_prepend(tmp_path)
    check = requires(broken_native_library="broken-distribution", advice=INSTALL)
    with pytest.raises(Unavailable, match=r"does not import \(libc10_cuda.so\)"):
        check()


@pytest.mark.parametrize(
    ("name", "module"),
    [
        ("pesq_wb", "pesq"),
        ("pesq_nb", "pesq"),
        ("visqol_speech_lattice", "ai_edge_litert.interpreter"),
    ],
)
def test_each_column_misses_its_own_package(name, module, monkeypatch):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(Unavailable, match=r"is not installed: .*pip install "):
        synbench_metrics.load(name).check()


def test_an_unavailable_package_is_a_failure_when_scored_anyway(monkeypatch, synthetic):
    monkeypatch.setitem(sys.modules, "pesq", types.ModuleType("pesq"))
    pair = synthetic(16000)
    outcome = score(
        synbench_metrics.load("pesq_wb"),
        reference=pair.reference,
        degraded=pair.degraded,
        sample_rate=16000,
    )
    assert outcome.status == "failed"
