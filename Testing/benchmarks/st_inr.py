"""The neural representation beside the classical methods, at the frames measured and between them.

The scans are those of ``classical.py``; where that has been run, its tuned rows stand beside. Rows are kept in a file;
started again, the script goes on where it was stopped.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from classical_parts.contenders import CONTENDERS
from classical_parts.results import Results
from classical_parts.settings import SETTINGS, Setting, scan_files

import DynamicMRIReconLib as dmr
from DynamicMRIReconLib import phantoms
from DynamicMRIReconLib.acquisition.simulate import SimulationParameters, simulate
from DynamicMRIReconLib.data import ImageSeries
from DynamicMRIReconLib.evaluation.metrics import best_scale
from DynamicMRIReconLib.profiles.uncertainty import UNCERTAINTY

PAGE = Path(__file__).resolve().parents[2] / "docs" / "benchmarks-st-inr.md"
UPSAMPLING = 4
SPOKES = (21, 13, 8, 5)
CLASSICAL = ("grasp", "low-rank-sparse", "space-time", "locally-low-rank")
SMALL = Setting(
    "heart-small",
    "beating heart, 64 x 64, 12 frames, 8 coils, 4 golden-angle spokes a frame",
    "heart",
    {"trajectory": "radial", "matrix": 64, "frames": 12, "shots": 4},
    {"matrix": 32, "frames": 6},
)
#: the published network on a processor: tables of 2^19 entries; more epochs than these fit more noise
PUBLISHED = {"representation": "hash-grid", "compiled": True, "epochs": 300}
#: weights of temporal variation and low rank: the first are the published ones; all of them on the small scan
WEIGHTS = (
    (0.02, 0.0002), (0.02, 0.005), (0.02, 0.03), (0.02, 0.15), (0.02, 0.6),
    (0.2, 0.0002), (0.2, 0.005), (0.2, 0.03), (0.002, 0.03),
)  # fmt: skip
#: what the large scans get, that of fewest spokes the published ones besides
LARGE_WEIGHTS = ((0.02, 0.003), (0.02, 0.01), (0.02, 0.03), (0.02, 0.1))
RUNS: dict[str, dict[str, Any]] = {"st-inr": {}, "st-inr, fast": {"preset": "fast"}}
ENSEMBLE = "st-inr, ensemble of 4"
RUNS[ENSEMBLE] = {"ensemble": 4}


def published(weights: tuple[float, float]) -> str:
    """What a run of the published network is called."""
    return f"published network, {weights[0]:g} and {weights[1]:g}"


for _weights in sorted({*WEIGHTS, *LARGE_WEIGHTS}):
    _named = dict(zip(("temporal_variation", "low_rank_regularization"), _weights, strict=True))
    RUNS[published(_weights)] = {**PUBLISHED, **_named}
Row = dict[str, Any]


def fit(setting: Setting, place: Path, options: dict[str, Any]) -> Row:
    """One fit, and what it says at and between the frames measured."""
    kspace, truth = dmr.read(place / "scan.npz"), dmr.read(place / "truth.npz")
    cpu, wall = time.process_time(), time.perf_counter()
    finer = dmr.reconstruct(kspace, "st-inr", device="cpu", temporal_upsampling=UPSAMPLING, **options)
    spent = {"cpu_s": time.process_time() - cpu, "wall_s": time.perf_counter() - wall}
    measured = ImageSeries(finer.array[::UPSAMPLING], finer.affine, finer.times_s[::UPSAMPLING])
    return {**spent, **figures(measured, truth), **uncertainty(finer, truth), **between(setting, finer)}


def uncertainty(finer: ImageSeries, truth: ImageSeries) -> Row:
    """Of an ensemble: the standard deviation it says and the error it has, root mean squares at the measured frames."""
    if UNCERTAINTY not in finer.parts:
        return {}
    found, wanted = np.abs(finer.array[::UPSAMPLING]), np.abs(truth.array)
    scale = best_scale(found, wanted)
    said = np.abs(finer.parts[UNCERTAINTY][::UPSAMPLING]) * scale
    return {"said": float(np.sqrt(np.mean(said**2))), "error": float(np.sqrt(np.mean((found * scale - wanted) ** 2)))}


def figures(series: ImageSeries, truth: ImageSeries) -> Row:
    """PSNR and SSIM of whole frames and of what moves."""
    found = dmr.evaluate(series, truth)
    moving = {f"moving_{name}": found["moving"][name]["mean"] for name in ("psnr_db", "ssim")}
    return {"psnr_db": found["psnr_db"]["mean"], "ssim": found["ssim"]["mean"], **moving}


def between(setting: Setting, finer: ImageSeries) -> Row:
    """Frames between the measured ones beside the truth, and beside linear interpolation of the measured ones."""
    step = np.arange(finer.frames) % UPSAMPLING
    frame_s = float(finer.times_s[UPSAMPLING] - finer.times_s[0])
    measured, frames = finer.array[::UPSAMPLING], finer.frames // UPSAMPLING
    row: Row = {}
    truths, ours, linear = [], [], []
    for part in range(1, UPSAMPLING):
        scene = phantoms.get(setting.phantom)
        scene.start_s = float(finer.times_s[part]) - frame_s / 2  # type: ignore[attr-defined]
        values = {"matrix": finer.array.shape[-1], "frames": frames, "shots": 1, "coils": 1, "tr_s": frame_s}
        truth = simulate(scene, SimulationParameters(**values))[1]
        np.testing.assert_allclose(truth.times_s, finer.times_s[step == part])
        truths.append(truth.array)
        ours.append(finer.array[step == part])
        share = part / UPSAMPLING
        linear.append(np.abs(measured[:-1]) * (1 - share) + np.abs(measured[1:]) * share)
    times = np.arange(len(truths) * frames, dtype=float)
    reference = ImageSeries(np.concatenate(truths), finer.affine, times)
    for name, images in (("between", ours), ("linear", linear)):
        found = figures(ImageSeries(np.concatenate(images).astype(np.complex64), finer.affine, times), reference)
        row.update({f"{name}_{key}": value for key, value in found.items()})
    return row


#: measured once each while the method was made, on scans like these; not by this script
TRIED = """\
## What was tried for `standard`

On these scans, while the method was made (one run each, the figures against the fit of that time): an image at rest and
changes without motion, +0.7 to +1.1 dB over `grasp`, and less than with motion; all penalties two or three times as
heavy, -1.9 dB and more; the displacement's absolute differences in the place of their squares, +0.07 dB; bicubic in the
place of linear warping, +0.2 dB where it moves; 16 in the place of 8 steps a round, +0.1 dB; another frame of reference
or start, nothing; no coupling to the samples between the rounds, -3 dB. Motion within a frame costs classical methods
0.25 dB at 8 spokes and was not modelled. What it would take to be 3 dB above `grasp` at 5 spokes was not found."""


#: what the fits of an ensemble have in common is not in their scatter
SAID = (
    "The ensemble says a standard deviation of {said:.4f}; its error is {error:.4f} (root mean squares, in the "
    "intensities of the truth)."
)


def page(rows: dict[str, Row], classical: Results) -> str:
    """docs/benchmarks-st-inr.md."""
    lines = [
        "# Neural representation, measured",
        "",
        "Written by `python Testing/benchmarks/st_inr.py --write`.",
        "",
        f"{platform.machine()}, one thread; Python {platform.python_version()}, torch {torch.__version__}. On a GPU: "
        "not measured.",
        "",
        "Scans and figures are those of [benchmarks.md](benchmarks.md): moving phantoms continuous in space and time, "
        "true coil maps, noise; magnitudes after one least-squares factor; *moving* is what moves. `st-inr` is the "
        "preset `standard`, not tuned; each classical row has the best of the weights tried in benchmarks.md, on the "
        "small scan its preset `standard`. *published network*: tables of 2^19 entries, hidden layers of 64, "
        f"{PUBLISHED['epochs']} epochs, its layers compiled; the two numbers are its weights of temporal variation and "
        f"low rank, the published ones {WEIGHTS[0][0]:g} and {WEIGHTS[0][1]:g}; every pair tried on a scan is in its "
        "table. "
        "These scans have noise, and its relative misfit counts weak samples, mostly noise, as much as strong ones. "
        "An ensemble is the mean of fits to four fifths of the samples each.",
        "",
        f"*Between*: {UPSAMPLING} times as many frames asked of the same fit, those that were not measured against the "
        "true scene at their times; *linear*: the measured frames of the same fit interpolated linearly.",
        "",
    ]
    for setting in (*(SETTINGS[f"heart-{spokes}"] for spokes in SPOKES), SMALL):
        body = []
        for name in RUNS:
            row = rows.get(f"{setting.name}|{name}")
            if row is not None:
                body.append(_line(name, row))
        for name in CLASSICAL:
            best = rows.get(f"{setting.name}|{name}") or classical.best(setting.name, CONTENDERS[name])
            if best is not None:
                body.append(_line(name, best))
        if body:
            lines += [f"## {setting.title}", "", *HEAD, *body, ""]
        if "said" in (ensemble := rows.get(f"{setting.name}|{ENSEMBLE}", {})):
            lines += [SAID.format(**ensemble), ""]
    lines += [*TRIED.splitlines(), ""]
    return "\n".join(lines)


HEAD = (
    "| | PSNR | SSIM | moving: PSNR | SSIM | CPU | between: PSNR | linear | between, moving: PSNR | linear |",
    "|---|---|---|---|---|---|---|---|---|---|",
)


COLUMNS = (
    ("psnr_db", "{:.2f}"), ("ssim", "{:.3f}"), ("moving_psnr_db", "{:.2f}"), ("moving_ssim", "{:.3f}"),
    ("cpu_s", "{:.0f} s"), ("between_psnr_db", "{:.2f}"), ("linear_psnr_db", "{:.2f}"),
    ("between_moving_psnr_db", "{:.2f}"), ("linear_moving_psnr_db", "{:.2f}"),
)  # fmt: skip


def _line(name: str, row: Row) -> str:
    """What was not measured stays empty."""
    cells = (form.format(row[key]) if key in row else "" for key, form in COLUMNS)
    return f"| {name} | {' | '.join(cells)} |"


def wanted(quick: bool) -> list[tuple[Setting, str]]:
    """Which setting is measured with what."""
    of_network = [published(weights) for weights in WEIGHTS]
    small = [(SMALL, name) for name in ("st-inr", "st-inr, fast", *of_network, *CLASSICAL)]
    if quick:
        return small
    fewest = SETTINGS[f"heart-{SPOKES[-1]}"]
    large = [(fewest, name) for name in ("st-inr, fast", ENSEMBLE, of_network[0])]
    for spokes in reversed(SPOKES):
        names = ("st-inr", *(published(weights) for weights in LARGE_WEIGHTS))
        large += [(SETTINGS[f"heart-{spokes}"], name) for name in names]
    return [*small, *large]


def main() -> int:
    """Measure what is missing, print the page, and write it when asked to."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="a small scan only: shows that it runs, says little")
    parser.add_argument("--no-runs", action="store_true", help="only show what has been measured")
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.name}")
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "dynamic-mri-recon-benchmark")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    kept = arguments.folder / ("st-inr-quick.json" if arguments.quick else "st-inr.json")
    rows: dict[str, Row] = json.loads(kept.read_text(encoding="utf-8")) if kept.exists() else {}
    for setting, name in [] if arguments.no_runs else wanted(arguments.quick):
        key = f"{setting.name}|{name}"
        if key in rows:
            continue
        place = scan_files(setting, arguments.folder, arguments.quick)
        if name in RUNS:
            rows[key] = fit(
                setting, place, {**RUNS[name], **({"epochs": 20, "compiled": False} if arguments.quick else {})}
            )
        else:
            began = time.process_time()
            series = dmr.reconstruct(dmr.read(place / "scan.npz"), name, device="cpu")
            rows[key] = {"cpu_s": time.process_time() - began, **figures(series, dmr.read(place / "truth.npz"))}
        kept.write_text(json.dumps(rows, indent=1), encoding="utf-8")
        print(key, {name: round(value, 3) for name, value in rows[key].items()}, flush=True)
    text = page(rows, Results(arguments.folder / "results.json"))
    print(text)
    if arguments.write:
        PAGE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
