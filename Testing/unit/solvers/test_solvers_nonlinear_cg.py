import itertools
import math

import pytest
import torch
from solver_problems import KnownMinimum, cine, distance, noise, step_denoising, three_frames

from DynamicMRIReconLib.operators.finite_difference import FiniteDifferenceOperator
from DynamicMRIReconLib.solvers.nonlinear_cg import nonlinear_cg
from DynamicMRIReconLib.solvers.smoothed_objective import SmoothedObjective


class Quadratic:
    """``x^H H x / 2 - Re b^H x`` with a known minimum, plain functions of x."""

    def __init__(self, eigenvalues):
        n = len(eigenvalues)
        basis = torch.linalg.qr(noise((n, n), 1))[0]
        self.matrix = (basis * torch.tensor(eigenvalues, dtype=torch.float64)) @ basis.mH
        self.solution = noise((n,), 2)
        self.rhs = self.matrix @ self.solution

    def value(self, x):
        return float((x.conj() * (self.matrix @ x / 2 - self.rhs)).real.sum())

    def gradient(self, x):
        return self.matrix @ x - self.rhs


def smoothed(problem, smoothing, shape, scale=1.0):
    return SmoothedObjective(
        problem.misfit.gram,
        problem.misfit.rhs,
        [(FiniteDifferenceOperator(shape, (0,)), problem.penalty.weight)],
        energy=problem.misfit.energy,
        smoothing=smoothing,
        scale=scale,
    )


def run(objective, x0, **options):
    return nonlinear_cg(objective.value, objective.gradient, x0, images=objective.images, **options)


def test_quadratic():
    problem = Quadratic([0.5, 0.7, 1.0, 1.5])
    found = nonlinear_cg(
        problem.value, problem.gradient, torch.zeros_like(problem.rhs), iterations=200, tolerance=1e-10
    )
    # values compare to 1e-16, so that points are known to about its root
    assert distance(found, problem.solution) < 1e-6


def test_rosenbrock():
    """The usual test function in two real unknowns; its minimum is at (1, 1)."""

    def value(x):
        return float(100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2)

    def gradient(x):
        ridge = 200 * (x[1] - x[0] ** 2)
        return torch.stack([-2 * x[0] * ridge - 2 * (1 - x[0]), ridge])

    x = torch.tensor([-1.2, 1.0], dtype=torch.float64)
    for _ in range(20):  # restarts, as GRASP does them
        x = nonlinear_cg(value, gradient, x, iterations=100, tolerance=1e-8, first_step=1e-3)
    assert torch.allclose(x, torch.ones(2, dtype=torch.float64), atol=1e-3)


def published(value, gradient, x, updates):
    """The published loop, written out: Fletcher-Reeves, alpha 0.01, beta 0.6, t0 adapted after every search."""
    points, t0 = [], 1.0
    slope = gradient(x)
    direction = -slope
    for _ in range(updates):
        start, step, tries = value(x), t0, 0
        while value(x + step * direction) > start - 0.01 * step * abs(torch.vdot(slope, direction).real):
            tries, step = tries + 1, step * 0.6
        t0 = t0 * 0.6 if tries > 2 else t0 / 0.6 if tries < 1 else t0
        x = x + step * direction
        following = gradient(x)
        direction = -following + torch.vdot(following, following).real / torch.vdot(slope, slope).real * direction
        slope = following
        points.append((x, tries))
    return points


LARGEST = (0.3, 1.0, 4.0, 20.0)


def spread(largest):
    return Quadratic([largest * (0.1 + 0.9 * i / 11) for i in range(12)])


@pytest.mark.parametrize("largest", LARGEST)
def test_steps_are_the_published_ones(largest):
    problem, start, reports = spread(largest), noise((12,), 3), []
    expected = published(problem.value, problem.gradient, start, 9)
    evaluations = []

    def value(x):
        evaluations.append(1)
        return problem.value(x)

    nonlinear_cg(value, problem.gradient, start, tolerance=0.0, callback=reports.append)
    assert len(reports) == 9
    # the first lengths tried are the published ones too: those that were found too long are counted
    assert len(evaluations) == 1 + sum(tries + 1 for _, tries in expected)
    for status, (x, _) in zip(reports, expected, strict=True):
        assert distance(status.solution, x) < 1e-10
        assert status.objective == pytest.approx(problem.value(x), rel=1e-10)
        ratio = problem.gradient(x).norm() / problem.gradient(start).norm()
        assert status.residual == pytest.approx(float(ratio), rel=1e-8)


def test_first_steps_were_adapted_in_both_directions():
    """Otherwise the test above would not see the adaptation."""
    problems = [spread(largest) for largest in LARGEST]
    searches = [published(problem.value, problem.gradient, noise((12,), 3), 9) for problem in problems]
    tries = {tried for search in searches for _, tried in search}
    assert {0, 1, 2} <= tries
    assert max(tries) > 2


@pytest.mark.parametrize("make", [step_denoising, three_frames])
def test_total_variation_of_one_voxel(make):
    problem: KnownMinimum = make()
    smoothing = 1e-6
    objective = smoothed(problem, smoothing, tuple(problem.solution.shape))
    x = problem.misfit.rhs
    for _ in range(12):
        x = run(objective, x, iterations=50, tolerance=1e-9)
    assert distance(x, problem.solution) < 1e-3
    # smoothing raises each magnitude by its root at most
    raised = problem.penalty.weight * problem.solution.numel() * smoothing**0.5
    assert 0 <= problem.value(x) - problem.value(problem.solution) < raised


def test_objective_falls_in_every_iteration_and_is_the_function():
    problem = cine()
    objective, reports = smoothed(problem, 1e-15, problem.shape), []
    run(objective, problem.misfit.rhs, iterations=40, callback=reports.append)
    values = [objective.value(*objective.images(problem.misfit.rhs))] + [status.objective for status in reports]
    assert all(later < earlier for earlier, later in itertools.pairwise(values))
    # carried along the lines, and all but unsmoothed
    for status in reports:
        assert status.objective == pytest.approx(problem.value(status.solution), rel=1e-6)


@pytest.mark.parametrize("scale", [1.0, 2.0])
@pytest.mark.parametrize("smoothing", [1e-2, 1e-6])
def test_gradient_is_that_of_the_value(scale, smoothing):
    problem = cine()
    objective = smoothed(problem, smoothing, problem.shape, scale)
    x, d = noise(problem.shape, 1), noise(problem.shape, 2)
    h = 1e-6
    ahead, behind = (objective.value(*objective.images(x + t * d)) for t in (h, -h))
    slope = float((objective.gradient(*objective.images(x)).conj() * d).real.sum())
    assert (ahead - behind) / (2 * h) == pytest.approx(slope, rel=1e-5)
    raised = scale * problem.penalty.weight * x.numel() * smoothing**0.5
    assert 0 < objective.value(*objective.images(x)) - scale * problem.value(x) <= raised


def test_scale_two_is_the_published_function():
    problem = cine()
    objective = smoothed(problem, 1e-15, problem.shape, scale=2.0)
    x = noise(problem.shape, 1)
    squares = 2 * problem.misfit.value(x)
    jumps = float((x[1:] - x[:-1]).abs().sum())
    expected = squares + 2 * problem.penalty.weight * jumps
    assert objective.value(*objective.images(x)) == pytest.approx(expected, rel=1e-6)


def test_line_searches_cost_no_operator():
    problem, calls = cine(), []
    gram = problem.misfit.gram

    def counted(x):
        calls.append(1)
        return gram(x)

    problem.misfit.gram = counted
    run(smoothed(problem, 1e-15, problem.shape), problem.misfit.rhs, iterations=9, tolerance=0.0)
    assert len(calls) == 1 + 9


def test_images_change_nothing_but_the_cost():
    problem = cine()
    objective = smoothed(problem, 1e-4, problem.shape)
    carried = run(objective, problem.misfit.rhs, iterations=9)
    plain = nonlinear_cg(
        lambda x: objective.value(*objective.images(x)),
        lambda x: objective.gradient(*objective.images(x)),
        problem.misfit.rhs,
        iterations=9,
    )
    assert distance(carried, plain) < 1e-8


def test_stops():
    problem, reports = Quadratic([0.5, 0.7, 1.0, 1.5]), []

    def stop_at_third(status):
        reports.append(status)
        return status.iteration < 3

    start = torch.zeros_like(problem.rhs)
    stopped = nonlinear_cg(problem.value, problem.gradient, start, callback=stop_at_third)
    assert len(reports) == 3
    assert stopped is reports[-1].solution
    reports.clear()
    nonlinear_cg(problem.value, problem.gradient, start, iterations=500, tolerance=1e-3, callback=reports.append)
    assert 3 < len(reports) < 100
    # the direction, at least as long as about the gradient, is shorter than the tolerance
    assert float(problem.gradient(reports[-1].solution).norm()) < 1e-2
    # at the minimum there is nothing to do
    reports.clear()
    calm = nonlinear_cg(lambda x: 0.0, torch.zeros_like, start, callback=reports.append)
    assert torch.equal(calm, start)
    assert not reports


def test_a_line_without_descent_ends_at_the_last_point():
    tries = []

    def value(x):
        tries.append(1)
        return float(x.abs().sum())

    start = torch.ones(3, dtype=torch.float64)
    # a gradient of the wrong sign: everything ahead is uphill
    assert nonlinear_cg(value, lambda x: -torch.sign(x), start) is start
    # until a hundredth of the promise is lost in rounding: 0.6^n * 0.01 = 1e-16
    assert 50 < len(tries) < 80
    tries.clear()
    # at value 0 no decrease is ever lost: 150 shortenings
    assert nonlinear_cg(lambda x: value(x - start), lambda x: -torch.ones_like(x), start) is start
    assert len(tries) == 1 + 151


def test_refuses_bad_parameters_and_numbers():
    problem = Quadratic([1.0, 2.0])
    start = torch.zeros_like(problem.rhs)
    for options in ({"iterations": -1}, {"tolerance": -1.0}, {"first_step": 0.0}, {"first_step": float("nan")}):
        with pytest.raises(ValueError, match="must be positive"):
            nonlinear_cg(problem.value, problem.gradient, start, **options)
    with pytest.raises(ValueError, match="not finite in iteration 0"):
        nonlinear_cg(problem.value, lambda x: x * math.nan, start)
    with pytest.raises(ValueError, match="not finite in iteration 0"):
        nonlinear_cg(lambda x: math.nan, problem.gradient, start)
    # a step into values that are not numbers is shortened, not taken
    found = nonlinear_cg(
        lambda x: problem.value(x) if float(x.norm()) < 1 else math.nan, problem.gradient, start, iterations=3
    )
    assert 0 < float(found.norm()) < 1


@pytest.mark.parametrize("options", [{"smoothing": 0.0}, {"scale": -1.0}, {"smoothing": math.nan}])
def test_smoothed_objective_refuses(options):
    with pytest.raises(ValueError, match="must be positive"):
        SmoothedObjective(torch.clone, noise((3,)), [], **options)
    with pytest.raises(ValueError, match="not negative"):
        SmoothedObjective(torch.clone, noise((3,)), [(FiniteDifferenceOperator((3, 1, 1, 1), (0,)), -1.0)])
