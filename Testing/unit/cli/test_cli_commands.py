"""The small commands, and that starting the program is cheap."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import DynamicMRIReconLib as dmr
from DynamicMRIReconLib import cli_common
from DynamicMRIReconLib.cli import build_parser
from DynamicMRIReconLib.cli_failure import keep_traceback
from DynamicMRIReconLib.errors import InputError


def test_starting_and_listing_methods_imports_nothing_heavy() -> None:
    code = (
        "import sys, io\n"
        "from DynamicMRIReconLib.cli import main, build_parser\n"
        "build_parser(); sys.stdout = io.StringIO(); assert main(['methods']) == 0; sys.stdout = sys.__stdout__\n"
        "heavy = ('torch', 'sigpy', 'h5py', 'ismrmrd', 'nibabel', 'skimage', 'matplotlib', 'pydicom', 'SimpleITK',"
        " 'finufft', 'torchkbnufft', 'scipy', 'tqdm')\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_refusing_a_request_imports_no_torch(kspace_file: Path) -> None:
    code = (
        "import sys\n"
        "from DynamicMRIReconLib.cli import main\n"
        f"code = main(['recon', {str(kspace_file)!r}, '--method', 'cg-sense', '--set', 'iterations=0', '--output', "
        "'x.npz'])\n"
        "print(code, 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "2 False"


def test_module_and_version() -> None:
    words = [sys.executable, "-m", "DynamicMRIReconLib", "--version"]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == f"dynamic-mri-recon {dmr.__version__}"


def test_every_command_has_help(capsys: pytest.CaptureFixture[str]) -> None:
    for command in ("methods", "info", "recon", "evaluate", "profile", "simulate", "demo"):
        with pytest.raises(SystemExit) as left:
            build_parser().parse_args([command, "--help"])
        assert left.value.code == 0
        assert f"dynamic-mri-recon {command}" in capsys.readouterr().out


def test_methods(call: Any) -> None:
    outcome = call("methods", "--json")
    assert (outcome.code, outcome.err) == (0, "")
    methods = {method["key"]: method for method in json.loads(outcome.out)["methods"]}
    assert {"gridding", "cg-sense"} <= set(methods)
    assert any(entry["name"] == "iterations" for entry in methods["cg-sense"]["parameters"])
    text = call("methods").out
    for key, method in methods.items():
        assert f"{key}: {method['title']}" in text
        assert method["citation"] in text


def test_info_says_what_it_holds_and_what_fits(call: Any, kspace_file: Path, series_file: Path) -> None:
    outcome = call("info", kspace_file, "--json")
    assert (outcome.code, outcome.err) == (0, "")
    description = json.loads(outcome.out)
    assert description["kind"] == "kspace"
    assert description["frames"] == 3
    fits = {entry["key"]: entry for entry in description["methods"]}
    assert fits["cg-sense"]["fits"] is True
    assert fits["cg-sense"]["why_not"] is None
    fits = {entry["key"]: entry for entry in json.loads(call("info", series_file, "--json").out)["methods"]}
    assert fits["cg-sense"]["fits"] is False
    assert "needs k-space" in fits["cg-sense"]["why_not"]
    text = call("info", series_file).out
    assert "method cg-sense: does not fit. CG-SENSE needs k-space" in text
    assert "frames 6" in text


def test_info_with_named_axes(call: Any, tmp_path: Path) -> None:
    np.save(tmp_path / "k.npy", np.ones((2, 4, 8, 8), np.complex64))
    outcome = call("info", tmp_path / "k.npy", "--axes", "frames,coils,ky,kx", "--json")
    assert outcome.code == 0, outcome.err
    assert json.loads(outcome.out)["coils"] == 4


def test_evaluate(call: Any, series_file: Path, tmp_path: Path) -> None:
    series = dmr.read(series_file)
    noise = np.random.default_rng(0).normal(0, 0.01, series.array.shape).astype(np.float32)
    result = dmr.write(
        tmp_path / "result.seq.nrrd", dmr.ImageSeries(series.array + noise, series.affine, series.times_s)
    )
    outcome = call("evaluate", result, series_file, "--json")
    assert (outcome.code, outcome.err) == (0, "")
    measures = json.loads(outcome.out)
    assert measures == json.loads(json.dumps(dmr.evaluate(dmr.read(result), series)))
    assert measures["psnr_db"]["mean"] == pytest.approx(40, abs=1.5)
    assert f"PSNR: {measures['psnr_db']['mean']:.2f} dB" in call("evaluate", result, series_file).out
    part = json.loads(call("evaluate", result, series_file, "--roi", "4,4,28,20", "--json").out)
    assert part["psnr_db"]["mean"] != measures["psnr_db"]["mean"]


def test_profile_writes_table_and_picture(call: Any, series_file: Path, tmp_path: Path) -> None:
    table, picture = tmp_path / "p.csv", tmp_path / "p.png"
    for output in (table, picture):
        outcome = call("profile", series_file, "--line", "4,12,0 28,12,0", "--output", output)
        assert (outcome.code, outcome.err) == (0, "")
    with table.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.reader(file) if row and not row[0].startswith("#")]
    assert len(rows) == 1 + 6
    times = [float(row[0]) for row in rows[1:]]
    np.testing.assert_allclose(times, 0.04 * np.arange(6), atol=1e-6)
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_profile_writes_the_intensities(call: Any, series_file: Path, tmp_path: Path) -> None:
    words = ["profile", series_file, "--line", "4,12,0 28,12,0", "--table", "intensity", "--output"]
    assert call(*words, tmp_path / "p.csv").code == 0
    header, *rows = csv.reader((tmp_path / "p.csv").read_text(encoding="utf-8").splitlines())
    mmode = dmr.line_profile(dmr.read(series_file), (4, 12, 0), (28, 12, 0))
    assert header[0] == "position_mm"
    assert len(header) == 1 + 6
    np.testing.assert_allclose(np.array(rows, float)[:, 0], mmode.positions_mm, atol=1e-4)
    np.testing.assert_allclose(np.array(rows, float)[:, 1:], mmode.intensity, rtol=1e-5)
    outcome = call(*words, tmp_path / "p.png")
    assert (outcome.code, (tmp_path / "p.png").exists()) == (2, False)


def test_arrays_without_names_take_axes(call: Any, series_file: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "cine.npy", dmr.read(series_file).array[:, 0].transpose(0, 2, 1))
    reading = ["--axes", "frames,x,y"]
    words = ["profile", tmp_path / "cine.npy", "--line", "-8,0,0 8,0,0", "--output", tmp_path / "p.csv"]
    assert "--axes" in call(*words).err
    assert call(*words, *reading).code == 0
    words = ["simulate", tmp_path / "cine.npy", "--trajectory", "radial", "--matrix", 16, "--output", tmp_path / "k.h5"]
    assert "--axes" in call(*words).err
    assert call(*words, *reading).code == 0
    assert dmr.read(tmp_path / "k.h5").frames == 6
    outcome = call("simulate", "heart", "--trajectory", "radial", *reading, "--output", tmp_path / "h.h5")
    assert (outcome.code, (tmp_path / "h.h5").exists()) == (2, False)


def test_profile_of_a_line_that_starts_with_a_minus(call: Any, series_file: Path, tmp_path: Path) -> None:
    outcome = call("profile", series_file, "--line", "-4,12,0 28,12,0", "--output", tmp_path / "p.csv")
    assert outcome.code == 0, outcome.err


def test_demo_is_wired(call: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from DynamicMRIReconLib import demo

    asked: list[Path] = []

    def run_demo(output: Path, say: Any) -> dict[str, Any]:
        asked.append(output)
        say("words")
        return {}

    monkeypatch.setattr(demo, "run_demo", run_demo)
    outcome = call("demo", "--output", tmp_path / "d")
    assert (outcome.code, outcome.out) == (0, "words\n")
    assert asked == [tmp_path / "d"]


def test_settings_and_values() -> None:
    assert cli_common.settings(["a-b=1", "c=x=y"], "--set") == {"a_b": "1", "c": "x=y"}
    values = [cli_common.value_of(text) for text in ("3", "0.5", "true", "none", "[1, 2]", "radial")]
    assert values == [3, 0.5, True, None, [1, 2], "radial"]


def test_an_unexpected_failure_is_one_line_and_a_log(
    call: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, series_file: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    def broken(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError("first line\nsecond line")

    monkeypatch.setattr("DynamicMRIReconLib.io.read", broken)
    outcome = call("info", series_file)
    assert outcome.code == 1
    assert outcome.err.count("\n") == 1
    (log,) = tmp_path.glob("*.log")
    assert str(log) in outcome.err
    assert "Traceback" in log.read_text(encoding="utf-8")
    assert keep_traceback(InputError("plain")) == "plain"


def test_profile_of_several_series_and_lines_is_one_table(call: Any, series_file: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.seq.nrrd"
    other.write_bytes(series_file.read_bytes())
    lines = ["--line", "4,12,0 28,12,0", "--line", "4,12,0 20,12,0 28,16,0"]
    outcome = call("profile", series_file, other, *lines, "--output", tmp_path / "all.csv")
    assert (outcome.code, outcome.err) == (0, "")
    with (tmp_path / "all.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert {(row["series"], row["line"]) for row in rows} == {
        (name, line) for name in (series_file.name, other.name) for line in ("1", "2")
    }
    assert len(rows) == 4 * 6
    for row in rows:
        assert float(row["time_s"]) >= 0
        assert float(row["edge_mm"]) > 0
    for output in ("all.png", "none.csv"):
        more = ["--table", "intensity"] if output == "none.csv" else []
        outcome = call("profile", series_file, other, *lines, *more, "--output", tmp_path / output)
        assert outcome.code == 2
        assert "table of edges" in outcome.err
        assert not (tmp_path / output).exists()
