import itertools
import math

import pytest
import torch
from solver_problems import LeastSquares, diagonal_lasso, distance, noise, orthogonal_lasso

from DynamicMRIReconLib.solvers.prox import singular_value_threshold, soft_threshold
from DynamicMRIReconLib.solvers.proximal_gradient import proximal_gradient

MOMENTA = ["none", "fista", "pogm"]


def solve(problem, **options):
    options = {"iterations": 600, "value": problem.penalty.value, "energy": problem.misfit.energy} | options
    step = options.pop("step", 1 / problem.largest_eigenvalue)
    x0 = options.pop("x0", torch.zeros_like(problem.solution))
    return proximal_gradient(problem.misfit.gram, problem.misfit.rhs, problem.penalty.prox, x0, step, **options)


@pytest.mark.parametrize("momentum", MOMENTA)
def test_finds_the_known_minimum(momentum):
    problem = diagonal_lasso()
    found = solve(problem, momentum=momentum, iterations=1500)
    assert distance(found, problem.solution) < 1e-5
    # zeros are zero, not small
    assert torch.equal(found == 0, problem.solution == 0)
    assert 0 < int((problem.solution == 0).sum()) < problem.solution.numel()


def test_one_step_solves_an_orthogonal_design():
    problem = orthogonal_lasso()
    found = solve(problem, momentum="none", iterations=1, x0=noise(tuple(problem.solution.shape)))
    assert distance(found, problem.solution) < 1e-12


@pytest.mark.parametrize("momentum", MOMENTA)
def test_reports_the_function_it_minimises(momentum):
    problem, reports = diagonal_lasso(), []
    solve(problem, momentum=momentum, iterations=15, callback=reports.append)
    assert [status.iteration for status in reports] == list(range(1, 16))
    for status in reports:
        assert status.objective == pytest.approx(problem.value(status.solution), rel=1e-10)


def objectives(problem, **options):
    reports = []
    solve(problem, callback=lambda status: reports.append(status.objective), **options)
    return reports


def test_objective_falls_without_momentum():
    found = objectives(diagonal_lasso(), momentum="none", iterations=300)
    assert all(later <= earlier + 1e-12 * abs(earlier) for earlier, later in itertools.pairwise(found))
    assert found[-1] < found[0]


def test_errors_obey_their_bounds():
    """Beck & Teboulle theorems 3.1 and 4.4; that of POGM, known from numerical analysis, is about half of FISTA's."""
    problem = diagonal_lasso()
    lowest = problem.value(problem.solution)
    radius = problem.largest_eigenvalue * float(problem.solution.norm()) ** 2  # x0 = 0
    for n in (5, 10, 20, 40):
        plain = objectives(problem, momentum="none", iterations=n)[-1] - lowest
        fista = objectives(problem, momentum="fista", restart=False, iterations=n)[-1] - lowest
        pogm = objectives(problem, momentum="pogm", restart=False, iterations=n)[-1] - lowest
        assert plain <= radius / (2 * n)
        assert fista <= 2 * radius / (n + 1) ** 2
        assert pogm <= 1.2 * radius / (n + 1) ** 2


def test_momentum_is_that_of_the_paper_on_a_quadratic():
    """FISTA and POGM written out as in the papers, without the extrapolation of grams that saves the second one."""
    diagonal, data = torch.linspace(0.1, 1, 8, dtype=torch.float64), noise((8,))
    misfit = LeastSquares(lambda x: diagonal * x, data, 0.0)

    def slope(x):
        return diagonal * x - data

    def prox(z, step):
        return soft_threshold(z, 0.05 * step)

    x = y = torch.zeros_like(data)
    t = 1.0
    for _ in range(12):
        x_before, x = x, prox(y - slope(y), 1.0)
        t_before, t = t, (1 + math.sqrt(1 + 4 * t * t)) / 2
        y = x + (t_before - 1) / t * (x - x_before)
    start = torch.zeros_like(data)
    found = proximal_gradient(misfit.gram, data, prox, start, 1.0, momentum="fista", restart=False, iterations=12)
    assert distance(found, x) < 1e-12

    x = w = z = start
    t = g = 1.0
    for k in range(1, 13):
        t_before, t = t, (1 + math.sqrt(1 + (8 if k == 12 else 4) * t * t)) / 2
        g_before, g = g, (2 * t_before + t - 1) / t
        w_before, w = w, x - slope(x)
        z = (
            w + (t_before - 1) / t * (w - w_before) + t_before / t * (w - x)
            + (t_before - 1) / (g_before * t) * (z - x)
        )  # fmt: skip
        x = prox(z, g)
    found = proximal_gradient(misfit.gram, data, prox, start, 1.0, momentum="pogm", restart=False, iterations=12)
    assert distance(found, x) < 1e-12


@pytest.mark.parametrize("momentum", ["fista", "pogm"])
def test_restart_saves_iterations_where_the_minimum_is_strong(momentum):
    diagonal, data = torch.logspace(-2.5, 0, 30, dtype=torch.float64), noise((30,))
    solution = data / diagonal

    def error(restart):
        found = proximal_gradient(
            lambda x: diagonal * x, data, lambda z, step: z, torch.zeros_like(data), 1.0,
            momentum=momentum, restart=restart, iterations=400,
        )  # fmt: skip
        return distance(found, solution)

    assert error(True) < 1e-5
    assert error(True) < 1e-2 * error(False)


@pytest.mark.parametrize("momentum", MOMENTA)
def test_two_unknowns_low_rank_and_sparse(momentum):
    """L + S = y in noise: at the minimum the remainder is a subgradient of both penalties."""
    low_rank = noise((12, 2), 1) @ noise((2, 10), 2)
    data = low_rank + 5 * noise((12, 10), 3) * (torch.rand(12, 10, generator=torch.Generator().manual_seed(4)) < 0.05)
    of_rank, of_sum = 2.0, 0.6

    def prox(parts, step):
        return torch.stack(
            [singular_value_threshold(parts[0], step * of_rank), soft_threshold(parts[1], step * of_sum)]
        )

    def gram(parts):
        return parts.sum(0).expand(2, -1, -1)

    rhs = data.expand(2, -1, -1)
    # the sum of two unknowns has a gram of norm 2
    found = proximal_gradient(gram, rhs, prox, torch.zeros_like(rhs), 0.5, momentum=momentum, iterations=1000)
    rest = data - found.sum(0)
    assert float(torch.linalg.svdvals(rest)[0]) == pytest.approx(of_rank, rel=1e-5)
    assert float(rest.abs().max()) == pytest.approx(of_sum, rel=1e-5)
    # <rest, L> = weight |L|_*, <rest, S> = weight |S|_1: aligned with both
    pairing = [float((rest.conj() * part).real.sum()) for part in found]
    assert pairing[0] == pytest.approx(of_rank * float(torch.linalg.svdvals(found[0]).sum()), rel=1e-5)
    assert pairing[1] == pytest.approx(of_sum * float(found[1].abs().sum()), rel=1e-5)
    assert int(torch.linalg.matrix_rank(found[0], atol=1e-6)) < 10
    assert 0 < int((found[1] != 0).sum()) < 60


@pytest.mark.parametrize("momentum", MOMENTA)
def test_callback_and_tolerance_stop(momentum):
    problem, reports = diagonal_lasso(), []

    def stop_at_third(status):
        reports.append(status)
        return status.iteration < 3

    stopped = solve(problem, momentum=momentum, callback=stop_at_third)
    assert len(reports) == 3
    assert stopped is reports[-1].solution
    reports.clear()
    solve(problem, momentum=momentum, tolerance=1e-4, callback=reports.append)
    assert 1 < len(reports) < 600
    assert reports[-1].residual < 1e-4 <= reports[-2].residual


@pytest.mark.parametrize("momentum", MOMENTA)
@pytest.mark.parametrize("callback", [None, lambda status: None])
def test_costs_one_gram_an_iteration(momentum, callback):
    problem, calls = diagonal_lasso(), []
    gram = problem.misfit.gram

    def counted(x):
        calls.append(1)
        return gram(x)

    problem.misfit.gram = counted
    solve(problem, momentum=momentum, iterations=9, callback=callback)
    assert len(calls) == 9 + (callback is not None)  # the last x has no next step


def test_refuses_bad_parameters():
    problem = diagonal_lasso()
    for options in ({"step": 0.0}, {"step": float("nan")}, {"iterations": -1}, {"tolerance": -1.0}):
        with pytest.raises(ValueError, match="must be positive"):
            solve(problem, **options)
    with pytest.raises(ValueError, match="no momentum 'nesterov'"):
        solve(problem, momentum="nesterov")


@pytest.mark.parametrize("momentum", MOMENTA)
def test_refuses_numbers_that_are_not_finite(momentum):
    problem = diagonal_lasso()
    with pytest.raises(ValueError, match=r"not finite.*step may be too long"):
        solve(problem, momentum=momentum, step=10.0, restart=False, iterations=5000)
    problem.misfit.rhs = problem.misfit.rhs * float("nan")
    with pytest.raises(ValueError, match="iteration 1:"):
        solve(problem, momentum=momentum)
