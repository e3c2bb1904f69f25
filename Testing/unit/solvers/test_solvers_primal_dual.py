import itertools

import pytest
import torch
from solver_problems import Lasso, cine, diagonal_lasso, distance, noise, orthogonal_lasso, step_denoising, three_frames

from DynamicMRIReconLib.methods.common.penalties import SpatialTotalVariation
from DynamicMRIReconLib.solvers.primal_dual import primal_dual

KNOWN = [orthogonal_lasso, diagonal_lasso, step_denoising, three_frames]


def solve(problem, **options):
    options = {"x0": torch.zeros_like(problem.misfit.rhs), "iterations": 1000, "weights": [1.0]} | options
    weights = options.pop("weights")
    return primal_dual(problem.misfit.gram, problem.misfit.rhs, [problem.penalty], weights, **options)


@pytest.mark.parametrize("make", KNOWN)
@pytest.mark.parametrize("relaxation", [1.0, 1.8])
def test_finds_the_known_minimum(make, relaxation):
    problem = make()
    assert distance(solve(problem, relaxation=relaxation), problem.solution) < 1e-6


@pytest.mark.parametrize(("weight", "data_weight"), [(0.3, 1.0), (3.0, 1.0), (1.0, 0.3), (1.0, 3.0)])
def test_steps_set_the_pace_not_the_result(weight, data_weight):
    problem = step_denoising()
    assert distance(solve(problem, weights=[weight], data_weight=data_weight), problem.solution) < 1e-5


def test_one_iteration_is_that_of_the_paper():
    """Algorithm 1 of Chambolle and Pock with theta = 1 and a dual variable for the samples themselves."""
    matrix, data, weight = noise((9, 6), 1), noise((9,), 2), 0.4
    sigma, tau, data_sigma = 0.5, 0.02, 0.7
    x = noise((6,), 3)
    # one dual step from zero
    sparse = (sigma * x) * (weight / (sigma * x).abs()).clamp_max(1)
    samples = data_sigma / (1 + data_sigma) * (matrix @ x - data)
    for _ in range(8):
        better = x - tau * (matrix.mH @ samples + sparse)
        ahead = 2 * better - x
        samples = (samples + data_sigma * (matrix @ ahead - data)) / (1 + data_sigma)
        sparse = sparse + sigma * ahead
        sparse = sparse * (weight / sparse.abs()).clamp_max(1)
        x = better
    found = primal_dual(
        lambda v: matrix.mH @ (matrix @ v), matrix.mH @ data, [Lasso(weight)], [sigma],
        x0=noise((6,), 3), data_weight=data_sigma, step=tau, iterations=8,
    )  # fmt: skip
    assert distance(found, x) < 1e-12


def test_several_penalties():
    problem = orthogonal_lasso()
    parts = [Lasso(problem.penalty.weight / 4), Lasso(problem.penalty.weight * 3 / 4)]
    start = noise(tuple(problem.solution.shape))
    found = primal_dual(problem.misfit.gram, problem.misfit.rhs, parts, [2.0, 5.0], x0=start, iterations=1000)
    assert distance(found, problem.solution) < 1e-6
    none = primal_dual(problem.misfit.gram, problem.misfit.rhs, [], [], x0=start, iterations=300)
    assert distance(none, problem.misfit.rhs / problem.largest_eigenvalue) < 1e-6


def test_a_minimum_is_left_alone():
    """From the least squares solution x must not rest although the misfit has no slope there."""
    problem = three_frames()
    assert distance(solve(problem, x0=problem.misfit.rhs, tolerance=1e-9), problem.solution) < 1e-6


def test_reports_the_function_it_minimises():
    problem, reports = cine(), []
    solve(problem, iterations=12, relaxation=1.5, energy=problem.misfit.energy, callback=reports.append)
    assert [status.iteration for status in reports] == list(range(1, 13))
    for status in reports:
        assert status.objective == pytest.approx(problem.value(status.solution), rel=1e-10)
    for earlier, later in itertools.pairwise(reports):
        change = (later.solution - earlier.solution).norm() / later.solution.norm()
        assert later.residual == pytest.approx(float(change), rel=1e-10)


def test_over_relaxation_saves_iterations():
    problem = cine()
    reference = solve(problem, weights=[0.1], iterations=800, relaxation=1.8)
    plain, relaxed = (
        distance(solve(problem, weights=[0.1], iterations=200, relaxation=relaxation), reference)
        for relaxation in (1.0, 1.8)
    )
    assert relaxed < 0.3 * plain < 0.01


def test_finds_a_step_that_is_long_and_safe():
    """By power iteration: as good as the one from the known bound ``1 + 4 w + 8 w`` or better."""
    problem = cine()
    terms = [problem.penalty, SpatialTotalVariation(problem.shape, 0.01)]
    arguments = problem.misfit.gram, problem.misfit.rhs, terms, [0.1, 0.1]
    start = torch.zeros_like(problem.misfit.rhs)
    reference = primal_dual(*arguments, x0=start, iterations=800, relaxation=1.8, step=1 / 2.2)
    found = primal_dual(*arguments, x0=start, iterations=200)
    known = primal_dual(*arguments, x0=start, iterations=200, step=1 / 2.2)
    assert distance(found, reference) < 1.1 * distance(known, reference) < 0.01


def test_costs_one_gram_an_iteration():
    problem, calls = cine(), []
    gram = problem.misfit.gram

    def counted(x):
        calls.append(1)
        return gram(x)

    problem.misfit.gram = counted
    solve(problem, iterations=9, step=0.2, callback=lambda status: None)
    assert len(calls) == 1 + 9


def test_callback_stops_and_tolerance_stops():
    problem, reports = diagonal_lasso(), []

    def stop_at_third(status):
        reports.append(status)
        return status.iteration < 3

    stopped = solve(problem, callback=stop_at_third)
    assert len(reports) == 3
    assert stopped is reports[-1].solution
    reports.clear()
    solve(problem, tolerance=1e-4, callback=reports.append)
    assert 1 < len(reports) < 1000
    assert reports[-1].residual < 1e-4 <= reports[-2].residual


def test_refuses_bad_parameters():
    problem = orthogonal_lasso()
    for weights in ([], [0.0], [-1.0], [1.0, 1.0], [float("nan")]):
        with pytest.raises(ValueError, match="needs a weight > 0"):
            solve(problem, weights=weights)
    for options in ({"data_weight": 0.0}, {"relaxation": 2.0}, {"relaxation": 0.0}, {"tolerance": -1.0}):
        with pytest.raises(ValueError, match="must be positive, relaxation"):
            solve(problem, **options)
    with pytest.raises(ValueError, match="step"):
        solve(problem, step=0.0)


def test_refuses_numbers_that_are_not_finite():
    problem = orthogonal_lasso()
    with pytest.raises(ValueError, match="step may be too long"):
        solve(problem, step=3.0, iterations=5000)
    problem.misfit.rhs[2] = float("nan")
    with pytest.raises(ValueError, match="not finite in iteration 1"):
        solve(problem)
