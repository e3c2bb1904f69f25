"""The demo: a real cine, a simulated radial acquisition of it, reconstructions through jobs, and measurements."""

from __future__ import annotations

import json
import logging
import shutil
import tempfile
import textwrap
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from DynamicMRIReconLib import evaluation, io
from DynamicMRIReconLib.acquisition.simulate import SeriesScene, SimulationParameters, simulate
from DynamicMRIReconLib.cli_failure import keep_log
from DynamicMRIReconLib.data import ImageSeries
from DynamicMRIReconLib.errors import InputError, ReconError
from DynamicMRIReconLib.evaluation.comparison_picture import Row, write_comparison_png
from DynamicMRIReconLib.evaluation.regions import moving_box
from DynamicMRIReconLib.jobs import files
from DynamicMRIReconLib.jobs.job import Job
from DynamicMRIReconLib.jobs.local import LocalRunner
from DynamicMRIReconLib.profiles import line_profile
from DynamicMRIReconLib.profiles.pictures import write_chart_png, write_mmode_png
from DynamicMRIReconLib.profiles.table import write_csv

logger = logging.getLogger(__name__)

SAMPLE = Path(__file__).resolve().parents[1] / "Resources" / "SampleData" / "cine_sax"
METHODS = ("gridding", "cg-sense", "tv", "grasp", "space-time", "locally-low-rank", "low-rank-sparse")
SPOKES_PER_FRAME = 13
COILS = 8
#: noise of the simulated samples as a part of the brightest voxel, of the order of a routine cine
NOISE = 0.01
#: voxel indices (x, y) of the profile line: right ventricle, septum, left ventricle, free wall, lung
PROFILE_START_XY = (105.0, 112.0)
PROFILE_END_XY = (172.0, 146.0)
#: frames of the comparison picture: the left ventricle at its largest and at its smallest
FRAMES = {"diastole": 0, "systole": 6}
HONESTY = (
    "The images are real (short-axis cine, Sunnybrook Cardiac Data, CC0 1.0); the k-space acquisition is SIMULATED "
    f"from them: {COILS} coils, golden-angle radial, {SPOKES_PER_FRAME} spokes a frame, noise of {NOISE:.0%} of the "
    "brightest voxel. Not for diagnostic use."
)


def run_demo(output: Path, say: Callable[[str], None] = logger.info) -> dict[str, Any]:
    """Run the whole path into the folder ``output`` and return the figures that ``summary.md`` shows.

    Writes ``acquisition.h5`` (ISMRMRD), ``truth.seq.nrrd``, and for each method ``<method>.seq.nrrd``, its M-mode as
    PNG and CSV and its edge chart; then ``comparison.png``, ``summary.json`` and ``summary.md``. Parts of a result
    (low rank, sparse) lie beside it.

    Raises
    ------
    InputError
        If the sample data are not there (the package was installed without the source tree).
    """
    if not SAMPLE.is_dir():
        raise InputError(f"The demo's sample data {SAMPLE} are missing: run it from a checkout of the source tree.")
    output.mkdir(parents=True, exist_ok=True)
    say(HONESTY)
    cine = io.read(SAMPLE)
    assert isinstance(cine, ImageSeries)
    parameters = SimulationParameters(
        trajectory="radial", shots=SPOKES_PER_FRAME, coils=COILS, noise=NOISE, frames=cine.frames, seed=0
    )
    kspace, truth = simulate(SeriesScene(cine), parameters)
    acquisition = output / "acquisition.h5"
    io.write(acquisition, kspace)
    io.write(output / "truth.seq.nrrd", truth)
    say(f"Simulated {acquisition}: {kspace.samples.shape} samples (frames, coils, spokes, readout).")
    line = tuple(tuple(cine.geometry.to_ras((*xy, 0.0))) for xy in (PROFILE_START_XY, PROFILE_END_XY))
    rows = [_measure("truth", truth, truth, line, output, None)]
    shown: list[Row] = []
    for method in METHODS:
        say(f"Reconstructing with {method} ...")
        seconds = _run_job(method, acquisition, output / f"{method}.seq.nrrd")
        series = io.read(output / f"{method}.seq.nrrd")
        assert isinstance(series, ImageSeries)
        row = _measure(method, series, truth, line, output, seconds)
        rows.append(row)
        shown.append(Row(f"{method}\nPSNR {row['psnr_db']:.1f} dB\nSSIM {row['ssim']:.3f}", series))
    write_comparison_png(
        truth,
        shown,
        output / "comparison.png",
        frames=FRAMES,
        box=moving_box(truth.magnitude().array),
        line_ras_mm=(line[0], line[1]),
        caption=textwrap.fill(HONESTY, 170),
        truth_label="truth\n(the real images)",
    )
    figures = {"statement": HONESTY, "line_ras_mm": line, "rows": rows}
    (output / "summary.json").write_text(json.dumps(figures, indent=2), encoding="utf-8")
    table = _table(rows)
    (output / "summary.md").write_text(f"{HONESTY}\n\n{table}\n", encoding="utf-8")
    say(table)
    return figures


def _run_job(method: str, source: Path, target: Path) -> float:
    """Reconstruct through a job in a process of its own, as the panel does; the wall seconds it took."""
    folder = Path(tempfile.mkdtemp(prefix="dynamic-mri-recon-demo-"))
    try:
        Job.of(method=method, inputs=[source], seed=0).save(folder)
        started = time.monotonic()
        last: dict[str, Any] = {}
        outcome = LocalRunner().run(folder, last.update)
        seconds = time.monotonic() - started
        if outcome != 0:
            message = keep_log(str(last.get("message", "")), folder / files.LOG)
            raise ReconError(f"The {method} job ended with exit code {outcome}: {message}")
        for path in sorted(folder.glob(files.RESULT_PARTS)):
            # result.sparse.seq.nrrd goes to METHOD.sparse.seq.nrrd
            shutil.move(path, target.with_name(target.name.partition(".")[0] + path.name.removeprefix("result")))
        shutil.move(folder / files.RESULT, target)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return seconds


def _measure(
    name: str, series: ImageSeries, truth: ImageSeries, line: tuple[Any, ...], output: Path, seconds: float | None
) -> dict[str, Any]:
    mmode = line_profile(series, *line)
    write_mmode_png(mmode, output / f"{name}-mmode.png", f"M-mode across the left ventricle: {name}")
    write_chart_png(mmode, output / f"{name}-chart.png", f"Edge motion: {name}")
    write_csv(mmode, output / f"{name}-profile.csv")
    row: dict[str, Any] = {"name": name, "seconds": seconds}
    if name != "truth":
        metrics = evaluation.evaluate(series, truth)
        row |= {key: metrics[key]["mean"] for key in ("psnr_db", "ssim", "nrmse")}
        row["psnr_moving_db"] = metrics["moving"]["psnr_db"]["mean"]
    return row


def _table(rows: list[dict[str, Any]]) -> str:
    lines = ["| method | PSNR [dB] | PSNR moving [dB] | SSIM | NRMSE | time [s] |", "|---|---:|---:|---:|---:|---:|"]
    for row in rows:
        if "psnr_db" in row:
            lines.append(
                f"| {row['name']} | {row['psnr_db']:.2f} | {row['psnr_moving_db']:.2f} | {row['ssim']:.3f} "
                f"| {row['nrmse']:.3f} | {row['seconds']:.1f} |"
            )
    return "\n".join(lines)
