"""One reconstruction in a process of its own: ``child.py FOLDER TOOL METHOD name=value ...``.

Leaves ``result.npz`` and ``trace.json`` in FOLDER: after each iteration the CPU seconds of this process so far, from
its start and less those spent on the trace, and the PSNR.
"""

from __future__ import annotations

import functools
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

import DynamicMRIReconLib as dmr
from DynamicMRIReconLib.evaluation import metrics
from DynamicMRIReconLib.methods.base import Context
from DynamicMRIReconLib.methods.common import frames, regularised


class Trace:
    """How near to the truth after how much work."""

    def __init__(self, truth: dmr.ImageSeries) -> None:
        self.truth = np.asarray(truth.magnitude().array, np.float32)
        self.everywhere = np.ones(self.truth.shape[1:], bool)
        self.points: list[tuple[float, float]] = []
        self.own_s = 0.0

    def __call__(self, magnitude: NDArray[np.float32]) -> None:
        """Note one iterate."""
        began = time.process_time()
        if magnitude.shape == self.truth.shape:
            scaled = magnitude * np.float32(metrics.best_scale(magnitude, self.truth))
            psnr = metrics.psnr_db(scaled, self.truth, self.everywhere, float(self.truth.max())).mean()
            self.points.append((began - self.own_s, float(psnr)))
        self.own_s += time.process_time() - began


def sigpy_sense(kspace: dmr.KSpace, max_iter: int) -> NDArray[np.complex64]:
    """sigpy's SENSE, frame by frame."""
    from sigpy.mri.app import SenseRecon

    assert kspace.coil_maps is not None
    maps = kspace.coil_maps[:, 0]
    result = np.zeros((kspace.frames, *kspace.matrix), np.complex64)
    for t in range(kspace.frames):
        if kspace.trajectory is None:
            given: dict[str, Any] = {"y": kspace.samples[t, :, 0]}
        else:
            given = {"y": kspace.samples[t], "coord": kspace.trajectory[t][..., ::-1]}
        result[t, 0] = SenseRecon(mps=maps, max_iter=max_iter, show_pbar=False, **given).run()
    return result


def main() -> None:
    """Do what the command line says."""
    folder, tool, method = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    parameters = dict(word.split("=", 1) for word in sys.argv[4:])
    torch.set_num_threads(1)
    kspace = dmr.read(folder / "scan.npz")
    trace = Trace(dmr.read(folder / "truth.npz"))
    if tool == "sigpy":
        result = dmr.ImageSeries(sigpy_sense(kspace, int(parameters["max_iter"])), kspace.affine, kspace.times_s)
    else:
        # a preview after each iteration
        regularised.Preview = functools.partial(frames.Preview, interval_s=0.0)  # type: ignore[assignment,misc]
        result = dmr.reconstruct(kspace, method, context=Context(preview=trace), **parameters)
    dmr.write(folder / "result.npz", result)
    (folder / "trace.json").write_text(json.dumps({"points": trace.points, "own_s": trace.own_s}), encoding="utf-8")


if __name__ == "__main__":
    main()
