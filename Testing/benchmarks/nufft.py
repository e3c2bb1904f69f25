"""Time of the NUFFT operator beside bare finufft, and of the gram as a convolution beside forward and adjoint.

    python Testing/benchmarks/nufft.py [--write] [--quick]

The contenders run in turn, round after round, so that whatever else the computer does slows all of them alike; what
counts is the median over rounds of the ratio of their CPU times. ``--write`` puts the tables into
docs/benchmarks-nufft.md.
"""

from __future__ import annotations

import argparse
import math
import os
import platform
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import finufft
import numpy as np
import torch

from DynamicMRIReconLib.operators.nufft import NufftOperator, WeightedGram
from DynamicMRIReconLib.operators.toeplitz import ToeplitzGram, toeplitz_pays

SIZE, COILS, SPOKES, FRAMES = 208, 8, 21, 18
BUDGET = 1.2
EPS = 1e-4
PAGE = Path(__file__).resolve().parents[2] / "docs" / "benchmarks-nufft.md"

Work = Callable[[], object]


def radial(size: int, spokes: int, frames: int, dimensions: int = 2) -> torch.Tensor:
    """Golden-angle spokes (frames, spokes, 2 size, 2), or random directions in 3-D, cycles per field of view."""
    radius = (torch.arange(2 * size) - size) / 2
    if dimensions == 3:
        generator = torch.Generator().manual_seed(0)
        directions = torch.nn.functional.normalize(torch.randn(frames, spokes, 1, 3, generator=generator), dim=-1)
        return directions * radius[:, None]
    angle = math.radians(111.24611) * torch.arange(frames * spokes, dtype=torch.float64).reshape(frames, spokes, 1)
    return torch.stack([radius * angle.cos(), radius * angle.sin()], dim=-1).float()


class Bare:
    """finufft as its own documentation shows it: arrays prepared beforehand, all coils of a frame in one call."""

    def __init__(self, trajectory: torch.Tensor, images: torch.Tensor) -> None:
        size = images.shape[-1]
        points = trajectory.double().flatten(1, 2).numpy() * 2 * np.pi / size
        self.points = [tuple(np.ascontiguousarray(frame[:, axis], np.float32) for axis in (1, 0)) for frame in points]
        self.images, self.shape = images.numpy(), tuple(images.shape[-2:])
        self.samples = np.empty((*images.shape[:2], points.shape[1]), np.complex64)
        self.adjoint = np.empty(images.shape, np.complex64)
        options = {"n_trans": images.shape[1], "eps": EPS, "dtype": "complex64", "nthreads": 1}
        self.plans = [
            tuple(finufft.Plan(kind, self.shape, isign=sign, **options) for kind, sign in ((2, -1), (1, 1)))
            for _ in self.points
        ]
        for plans, frame in zip(self.plans, self.points, strict=True):
            for plan in plans:
                plan.setpts(*frame)

    def calls(self) -> None:
        """One-shot functions."""
        for t, frame in enumerate(self.points):
            finufft.nufft2d2(*frame, self.images[t], out=self.samples[t], eps=EPS, isign=-1, nthreads=1)
        for t, frame in enumerate(self.points):
            finufft.nufft2d1(*frame, self.samples[t], out=self.adjoint[t], eps=EPS, isign=1, nthreads=1)

    def planned(self) -> None:
        """Plans whose points were sorted beforehand."""
        for t, (forward, _) in enumerate(self.plans):
            forward.execute(self.images[t], out=self.samples[t])
        for t, (_, adjoint) in enumerate(self.plans):
            adjoint.execute(self.samples[t], out=self.adjoint[t])


def compare(contenders: dict[str, Work], rounds: int) -> dict[str, tuple[float, float, float]]:
    """name -> (median CPU seconds, median wall seconds, median ratio of CPU time to the first contender's)."""
    cpu: dict[str, list[float]] = {name: [] for name in contenders}
    wall: dict[str, list[float]] = {name: [] for name in contenders}
    for work in contenders.values():
        work()
    for turn in range(rounds):
        names = list(contenders)
        for name in names if turn % 2 == 0 else reversed(names):
            began = time.process_time(), time.perf_counter()
            contenders[name]()
            cpu[name].append(time.process_time() - began[0])
            wall[name].append(time.perf_counter() - began[1])
    first = cpu[next(iter(contenders))]
    return {
        name: (
            statistics.median(cpu[name]),
            statistics.median(wall[name]),
            statistics.median(one / other for one, other in zip(cpu[name], first, strict=True)),
        )
        for name in contenders
    }


def relative_error(actual: torch.Tensor, expected: torch.Tensor) -> float:
    """``|actual - expected| / |expected|``."""
    return float((actual - expected).norm() / expected.norm())


def exact(trajectory: torch.Tensor, image: torch.Tensor) -> torch.Tensor:
    """The sum itself in double precision for a square image (size, size) at the points (points, 2)."""
    size = image.shape[-1]
    place = torch.arange(size, dtype=torch.float64) - size // 2
    along_x, along_y = (torch.exp(-2j * math.pi * trajectory[:, a, None].double() * place / size) for a in (0, 1))
    return torch.einsum("px,py,yx->p", along_x, along_y, image.to(torch.complex128)) / size


def operator_rows(rounds: int, with_portable: bool) -> tuple[list[str], float]:
    """The table of forward and adjoint, and the ratio that the budget is about."""
    trajectory = radial(SIZE, SPOKES, FRAMES)
    images = torch.randn(FRAMES, COILS, SIZE, SIZE, dtype=torch.complex64, generator=torch.Generator().manual_seed(0))
    bare = Bare(trajectory, images)
    ours = {name: NufftOperator(trajectory, (SIZE, SIZE), backend=name) for name in ("finufft", "torchkbnufft")}
    contenders: dict[str, Work] = {
        "finufft, one-shot calls": bare.calls,
        "finufft, plans with sorted points": bare.planned,
        "NufftOperator (finufft)": lambda: ours["finufft"].adjoint(ours["finufft"](images)),
    }
    measured = compare(contenders, rounds)
    if with_portable:
        portable = ours["torchkbnufft"]
        both = {"bare": bare.calls, "NufftOperator (torchkbnufft)": lambda: portable.adjoint(portable(images))}
        measured["NufftOperator (torchkbnufft)"] = compare(both, 2)["NufftOperator (torchkbnufft)"]
    expected = exact(trajectory[0].flatten(0, 1), images[0, 0])
    bare.calls()
    contestants = ours if with_portable else {"finufft": ours["finufft"]}
    errors = {name: relative_error(op(images)[0, 0].flatten(), expected) for name, op in contestants.items()}
    errors["bare"] = relative_error(torch.from_numpy(bare.samples[0, 0]) / SIZE, expected)
    rows = ["| | CPU time | wall time | ratio of CPU time | error of forward |", "|---|---|---|---|---|"]
    for name, (cpu, wall, ratio) in measured.items():
        key = name.partition("(")[2].rstrip(")") or "bare"
        rows.append(f"| {name} | {cpu:.3f} s | {wall:.3f} s | {ratio:.2f} | {errors[key]:.1e} |")
    return rows, measured["NufftOperator (finufft)"][2]


def gram_rows(rounds: int) -> list[str]:
    """The table that the choice of the gram rests on."""
    rows = [
        "| image | coils | spokes x readout | samples a voxel | convolution / pair | kernel / pair | chosen |",
        "|---|---|---|---|---|---|---|",
    ]
    plane = [(208, 2, 21), (208, 2, 42), (208, 2, 55), (208, 2, 84), (96, 2, 13), (96, 2, 34)]
    cases = [*plane, (48, 3, 300), (48, 3, 1200)]
    for size, dimensions, spokes in cases:
        coils = COILS if dimensions == 2 else 2
        trajectory = radial(size, spokes, 1, dimensions)
        shape = (size,) * dimensions
        operator = NufftOperator(trajectory, shape, backend="finufft")
        images = torch.randn(1, coils, *shape, dtype=torch.complex64, generator=torch.Generator().manual_seed(0))
        pair, toeplitz = WeightedGram(operator, None), ToeplitzGram(operator)
        work: dict[str, Work] = {
            "pair": lambda: pair(images),  # noqa: B023  used up within this turn of the loop
            "convolution": lambda: toeplitz(images),  # noqa: B023
            "kernel": lambda: ToeplitzGram(operator),  # noqa: B023
        }
        measured = compare(work, rounds)
        chosen = "convolution" if toeplitz_pays(operator) else "pair"
        density = spokes * 2 * size / size**dimensions
        rows.append(
            f"| {' x '.join(str(n) for n in shape)} | {coils} | {spokes} x {2 * size} | {density:.2f} "
            f"| {measured['convolution'][2]:.2f} | {measured['kernel'][2]:.2f} | {chosen} |"
        )
    return rows


def page(tables: list[list[str]]) -> str:
    """docs/benchmarks-nufft.md."""
    return "\n".join(
        [
            "# The NUFFT, measured",
            "",
            f"Written by `python Testing/benchmarks/nufft.py --write` on {platform.machine()}, {os.cpu_count()} cores, "
            f"one thread each; torch {torch.__version__}, finufft {finufft.__version__}.",
            "",
            f"Forward and adjoint of {FRAMES} frames, {SIZE} x {SIZE}, {COILS} coils, {SPOKES} golden-angle spokes of "
            f"{2 * SIZE} samples, accuracy asked {EPS:g}. Ratio: median over rounds of CPU time to bare finufft's, "
            f"measured in turn; the budget is {BUDGET}. Error: against the sum itself in double precision, one frame.",
            "",
            *tables[0],
            "",
            "The gram of one frame, CPU time: a convolution by two FFTs of twice the size beside finufft's pair. The "
            "kernel is computed once for a reconstruction.",
            "",
            *tables[1],
            "",
        ]
    )


def main() -> int:
    """Print the tables; exit status 1 when over budget."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.name}")
    parser.add_argument("--quick", action="store_true", help="few rounds, without torchkbnufft")
    arguments = parser.parse_args()
    # one thread each: with more, a busy computer makes the ratio of CPU times a lottery
    torch.set_num_threads(1)
    rows, ratio = operator_rows(3 if arguments.quick else 9, with_portable=not arguments.quick)
    print("\n".join(rows))
    grams = gram_rows(2 if arguments.quick else 5)
    print("\n" + "\n".join(grams))
    if arguments.write:
        PAGE.parent.mkdir(exist_ok=True)
        PAGE.write_text(page([rows, grams]), encoding="utf-8")
    verdict = "within" if ratio <= BUDGET else "OVER"
    print(f"\nNufftOperator / bare finufft = {ratio:.2f}, {verdict} the budget of {BUDGET}")
    return 0 if ratio <= BUDGET else 1


if __name__ == "__main__":
    raise SystemExit(main())
