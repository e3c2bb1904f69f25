"""The published iterations, preset ``faithful`` of grasp and low-rank-sparse, on a small moving scene."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from DynamicMRIReconLib.acquisition.simulate import SimulationParameters, simulate
from DynamicMRIReconLib.data import ImageSeries, KSpace
from DynamicMRIReconLib.evaluation import evaluate
from DynamicMRIReconLib.methods.base import Context
from DynamicMRIReconLib.methods.common.frames import Preview
from DynamicMRIReconLib.methods.common.preparation import with_density
from DynamicMRIReconLib.methods.common.problem import Problem, prepare
from DynamicMRIReconLib.methods.common.published_low_rank_sparse import published_low_rank_sparse
from DynamicMRIReconLib.methods.common.regularised import RegularisedParameters
from DynamicMRIReconLib.phantoms import get
from DynamicMRIReconLib.pipeline import Status, reconstruct


@pytest.fixture(scope="module")
def scan() -> tuple[KSpace, ImageSeries]:
    parameters = SimulationParameters(
        trajectory="radial", matrix=48, frames=8, shots=9, coils=4, noise=0.005, include_coil_maps=True
    )
    return simulate(get("heart"), parameters)


@pytest.mark.parametrize("method", ["grasp", "low-rank-sparse"])
def test_faithful_beats_gridding_and_says_what_it_minimises(method: str, scan: tuple[KSpace, ImageSeries]) -> None:
    kspace, truth = scan
    said: list[Status] = []
    series = reconstruct(kspace, method, preset="faithful", device="cpu", callback=said.append)
    gridded = reconstruct(kspace, "gridding", device="cpu")
    better, before = (evaluate(one, truth)["psnr_db"]["mean"] for one in (series, gridded))
    assert better > before + 3
    values = [float(status.message.rpartition(" ")[2]) for status in said if "objective" in status.message]
    assert values[-1] < values[0]


def test_grasp_stops_after_three_runs_of_nine(scan: tuple[KSpace, ImageSeries]) -> None:
    said: list[Status] = []
    reconstruct(scan[0], "grasp", preset="faithful", device="cpu", tolerance=0.0, callback=said.append)
    assert sum("of 27" in status.message for status in said) == 27


def test_low_rank_sparse_parts_sum_to_the_series(scan: tuple[KSpace, ImageSeries]) -> None:
    series = reconstruct(scan[0], "low-rank-sparse", preset="faithful", device="cpu", iterations=5)
    assert set(series.parts) == {"low-rank", "sparse"}
    np.testing.assert_allclose(series.parts["low-rank"] + series.parts["sparse"], series.array, atol=1e-6)
    assert np.abs(series.parts["sparse"]).max() > 0


def test_soft_thresholding_as_written_out(scan: tuple[KSpace, ImageSeries]) -> None:
    """Two iterations against the published lines, with dense singular value decompositions."""
    context = Context()
    kspace = with_density(scan[0])
    problem: Problem = prepare(
        kspace,
        RegularisedParameters(),
        context,
        Preview(context),
        weights=kspace.density,
        smoothness=RegularisedParameters().smoothness,
    )
    found = published_low_rank_sparse(problem, 0.01, 0.0025, iterations=2, tolerance=0.0)

    from DynamicMRIReconLib.solvers.power_iteration import largest_eigenvalue

    step = 1 / (1.02 * largest_eigenvalue(problem.model.gram, problem.rhs, seed=0))
    m = step * problem.rhs
    low, s = m, torch.zeros_like(m)
    for _ in range(2):
        before = low
        u, sigma, v = torch.linalg.svd((m - s).flatten(1), full_matrices=False)
        low = ((u * (sigma - 0.01 * sigma[0]).clamp_min(0)) @ v).reshape(m.shape)
        f = torch.fft.fft(m - before, dim=0, norm="ortho")
        s = torch.fft.ifft(torch.polar((f.abs() - 0.0025).clamp_min(0), f.angle()), dim=0, norm="ortho")
        m = low + s - step * (problem.model.gram(low + s) - problem.rhs)
    torch.testing.assert_close(found, torch.stack([low, s]), atol=2e-4, rtol=1e-3)


def test_cancel_stops_within_one_iteration(scan: tuple[KSpace, ImageSeries]) -> None:
    from DynamicMRIReconLib.errors import Cancelled

    for method in ("grasp", "low-rank-sparse"):
        seen: list[str] = []

        def stop(status: Status, seen: list[str] = seen) -> bool:
            seen.append(status.message)
            return "iteration 2 " not in status.message

        with pytest.raises(Cancelled):
            reconstruct(scan[0], method, preset="faithful", device="cpu", callback=stop)
        assert sum("iteration" in message for message in seen) == 2
