import itertools

import pytest
import torch
from solver_problems import Lasso, cine, diagonal_lasso, distance, noise, orthogonal_lasso, step_denoising, three_frames

from DynamicMRIReconLib.methods.common.penalties import SpatialTotalVariation, TemporalTotalVariation
from DynamicMRIReconLib.solvers.admm import admm, improve

KNOWN = [orthogonal_lasso, diagonal_lasso, step_denoising, three_frames]


def solve(problem, **options):
    options = {"x0": torch.zeros_like(problem.misfit.rhs), "iterations": 400, "inner_iterations": 5} | options
    weights = options.pop("weights", [problem.largest_eigenvalue / 3])
    return admm(problem.misfit.gram, problem.misfit.rhs, [problem.penalty], weights, **options)


@pytest.mark.parametrize("make", KNOWN)
@pytest.mark.parametrize("relaxation", [1.0, 1.6])
def test_finds_the_known_minimum(make, relaxation):
    problem = make()
    assert distance(solve(problem, relaxation=relaxation), problem.solution) < 1e-6


@pytest.mark.parametrize("relaxation", [1.0, 1.6])
def test_iterations_are_those_of_the_paper(relaxation):
    """Boyd et al. (2011), 3.1.1 scaled and 3.4.3, with explicit matrices and systems solved at once."""
    matrix, data, weight, pace = noise((9, 6), 1), noise((9,), 2), 0.4, 2.0
    system = matrix.mH @ matrix + pace * torch.eye(6)
    penalty = Lasso(weight)
    start = noise((6,), 3)
    z, u = penalty.prox(start, 1 / pace), torch.zeros_like(start)
    for _ in range(5):
        x = torch.linalg.solve(system, matrix.mH @ data + pace * (z - u))
        relaxed = relaxation * x + (1 - relaxation) * z
        z = penalty.prox(relaxed + u, 1 / pace)
        u = u + relaxed - z
    found = admm(
        lambda v: matrix.mH @ (matrix @ v), matrix.mH @ data, [penalty], [pace], x0=start,
        preconditioner=lambda r: torch.linalg.solve(system, r), iterations=5, inner_iterations=1, relaxation=relaxation,
    )  # fmt: skip
    assert distance(found, x) < 1e-12


@pytest.mark.parametrize("factor", [0.1, 1.0, 5.0])
def test_weights_set_the_pace_not_the_result(factor):
    problem = step_denoising()
    assert distance(solve(problem, weights=[factor]), problem.solution) < 1e-5


def test_a_split_penalty_is_the_whole():
    problem = orthogonal_lasso()
    parts = [Lasso(problem.penalty.weight / 4), Lasso(problem.penalty.weight * 3 / 4)]
    found = admm(
        problem.misfit.gram,
        problem.misfit.rhs,
        parts,
        [2.0, 5.0],
        x0=noise(tuple(problem.solution.shape)),
        iterations=400,
    )
    assert distance(found, problem.solution) < 1e-6


def test_reports_the_function_it_minimises():
    problem, reports = diagonal_lasso(), []
    solve(problem, iterations=20, energy=problem.misfit.energy, callback=reports.append)
    assert [status.iteration for status in reports] == list(range(1, 21))
    for status in reports:
        assert status.objective == pytest.approx(problem.value(status.solution), rel=1e-10)
    for earlier, later in itertools.pairwise(reports):
        change = (later.solution - earlier.solution).norm() / later.solution.norm()
        assert later.residual == pytest.approx(float(change), rel=1e-10)
    # without the energy it lacks the constant
    solve(problem, iterations=1, callback=reports.append)
    assert reports[-1].objective == pytest.approx(reports[0].objective - problem.misfit.energy / 2, rel=1e-10)


def test_callback_stops_and_tolerance_stops():
    problem, reports = diagonal_lasso(), []

    def stop_at_third(status):
        reports.append(status)
        return status.iteration < 3

    stopped = solve(problem, callback=stop_at_third)
    assert len(reports) == 3
    assert torch.equal(stopped, solve(problem, iterations=3))
    reports.clear()
    solve(problem, tolerance=1e-3, callback=reports.append)
    assert 1 < len(reports) < 200
    assert reports[-1].residual < 1e-3
    assert all(status.residual >= 1e-3 for status in reports[:-1])


def cine_terms(problem):
    return [problem.penalty, SpatialTotalVariation(problem.shape, 0.01)], [0.2, 0.1]


def test_few_inner_iterations_reach_the_minimum_of_many():
    problem = cine()
    terms, weights = cine_terms(problem)
    arguments = problem.misfit.gram, problem.misfit.rhs, terms, weights
    long = admm(*arguments, x0=torch.zeros_like(problem.misfit.rhs), iterations=150, inner_iterations=12)
    short = admm(*arguments, x0=problem.misfit.rhs, iterations=300, inner_iterations=2)
    assert distance(short, long) < 1e-4

    def value(x):
        return problem.misfit.value(x) + sum(term.value(term.forward(x)) for term in terms)

    lowest = value(long)
    for seed in range(10):
        moved = noise(problem.shape, seed)
        assert value(long + 1e-2 * moved / moved.norm()) > lowest


def test_preconditioner_changes_the_pace_not_the_result():
    problem = cine()
    terms, weights = cine_terms(problem)
    arguments = problem.misfit.gram, problem.misfit.rhs, terms, weights
    start = torch.zeros_like(problem.misfit.rhs)
    # a positive diagonal that has nothing to do with the problem still must not move the minimum
    diagonal = 0.3 + torch.rand(problem.shape, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    plain = admm(*arguments, x0=start, iterations=250, inner_iterations=3)
    changed = admm(*arguments, x0=start, iterations=250, inner_iterations=3, preconditioner=lambda r: diagonal * r)
    assert distance(changed, plain) < 1e-4
    one = admm(*arguments, x0=start, iterations=1, inner_iterations=1)
    other = admm(*arguments, x0=start, iterations=1, inner_iterations=1, preconditioner=lambda r: diagonal * r)
    assert distance(other, one) > 1e-2  # it was used


def test_another_way_to_the_coupling_changes_nothing():
    problem, pace = three_frames(), 0.7
    plain, other = (
        solve(problem, weights=[pace], iterations=5, coupling=coupling)
        for coupling in (None, lambda x: pace * problem.penalty.adjoint(problem.penalty.forward(x)))
    )
    assert distance(other, plain) < 1e-12


def test_costs_inner_iterations_grams_an_iteration():
    problem, calls = cine(), []

    def gram(x):
        calls.append(1)
        return problem.misfit.gram(x)

    admm(
        gram, problem.misfit.rhs, [problem.penalty], [0.2], x0=problem.misfit.rhs, iterations=7, inner_iterations=3,
        callback=lambda status: None,
    )  # fmt: skip
    assert len(calls) == 1 + 7 * 3


def test_improve_with_the_exact_inverse_takes_one_step():
    matrix = noise((12, 12), 1)
    system = matrix @ matrix.mH + torch.eye(12)
    inverse, target = torch.linalg.inv(system), noise((12,), 2)
    x, gram_x = improve(
        lambda v: system @ v - v, lambda v: v, target, torch.zeros_like(target), torch.zeros_like(target),
        lambda r: inverse @ r, 1,
    )  # fmt: skip
    assert distance(x, inverse @ target) < 1e-10
    assert distance(gram_x, system @ x - x) < 1e-10


@pytest.mark.parametrize("weights", [[], [0.0], [-1.0], [1.0, 1.0], [float("nan")]])
def test_refuses_bad_weights(weights):
    with pytest.raises(ValueError, match="needs a weight > 0"):
        solve(orthogonal_lasso(), weights=weights)


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_refuses_numbers_that_are_not_finite(bad):
    problem = orthogonal_lasso()
    with pytest.raises(ValueError, match="not finite in iteration 1"):
        admm(lambda x: x * bad, problem.misfit.rhs, [problem.penalty], [1.0], x0=noise(tuple(problem.solution.shape)))
    rhs = problem.misfit.rhs.clone()
    rhs[3] = bad
    with pytest.raises(ValueError, match="not finite in iteration 1"):
        admm(problem.misfit.gram, rhs, [problem.penalty], [1.0], x0=torch.zeros_like(rhs))


def test_single_precision_stays_single():
    penalty = TemporalTotalVariation((4, 1, 5, 5), 0.1)
    rhs = noise((4, 1, 5, 5)).to(torch.complex64)
    found = admm(lambda x: x, rhs, [penalty], [0.5], x0=rhs, iterations=5)
    assert found.dtype == torch.complex64
