"""One gradient of the published network on all voxels: nodes looked up for each point, once, and with compiled layers.

Prints seconds of one thread and how many times as fast as the first each is, all in one run.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable

import torch
from torch import Tensor

from DynamicMRIReconLib.methods.common.compiled import compiled
from DynamicMRIReconLib.networks.st_inr import SpatioTemporalField


def at_points(field: SpatioTemporalField, numbers: Tensor) -> Tensor:
    """The series, with the eight nodes around every voxel looked up for it alone."""
    places = torch.meshgrid(*reversed(field.axes(numbers)), indexing="ij")
    points = torch.stack([place.flatten() for place in reversed(places)], dim=1)
    values = field.network(field.encoding(points))
    return torch.view_as_complex(values.contiguous()).reshape(len(numbers), 1, *field.shape[1:])


def seconds(field: SpatioTemporalField, series: Callable[[], Tensor], repeats: int) -> float:
    """The shortest of ``repeats`` series and gradients."""
    found = []
    for _ in range(repeats):
        field.zero_grad()
        began = time.perf_counter()
        series().abs().square().mean().backward()
        found.append(time.perf_counter() - began)
    return min(found)


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--shape", type=int, nargs=3, default=(18, 208, 208), help="frames, y, x (%(default)s)")
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    field = SpatioTemporalField(tuple(arguments.shape))
    numbers = torch.arange(float(arguments.shape[0]))
    runs: dict[str, Callable[[], Tensor]] = {
        "a look-up for each point": lambda: at_points(field, numbers),
        "a look-up for each node": lambda: field(numbers),
    }
    times = {name: seconds(field, run, arguments.repeats) for name, run in runs.items()}
    field.layers = compiled(field.network, field.example(), print)
    times["the same, compiled"] = seconds(field, lambda: field(numbers), arguments.repeats)
    slowest = times["a look-up for each point"]
    for name, spent in times.items():
        print(f"{name}: {spent:.2f} s, {slowest / spent:.1f} times as fast")
    return 0


if __name__ == "__main__":
    sys.exit(main())
