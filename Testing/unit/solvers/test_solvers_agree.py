"""One temporal total variation reconstruction, solved in four unrelated ways."""

import itertools

import pytest
import torch
from solver_problems import cine, distance

from DynamicMRIReconLib.operators.finite_difference import FiniteDifferenceOperator
from DynamicMRIReconLib.solvers.admm import admm
from DynamicMRIReconLib.solvers.nonlinear_cg import nonlinear_cg
from DynamicMRIReconLib.solvers.power_iteration import largest_eigenvalue
from DynamicMRIReconLib.solvers.primal_dual import primal_dual
from DynamicMRIReconLib.solvers.proximal_gradient import proximal_gradient
from DynamicMRIReconLib.solvers.smoothed_objective import SmoothedObjective

PROBLEM = cine()
START = torch.zeros_like(PROBLEM.misfit.rhs)
ARGUMENTS = PROBLEM.misfit.gram, PROBLEM.misfit.rhs


def by_admm():
    return admm(*ARGUMENTS, [PROBLEM.penalty], [0.15], x0=START, iterations=200)


def by_primal_dual():
    return primal_dual(*ARGUMENTS, [PROBLEM.penalty], [0.1], x0=START, relaxation=1.8, iterations=400)


def by_proximal_gradient():
    """The proximal map of total variation through its dual, a projection: the solver inside itself."""
    difference = PROBLEM.penalty

    def prox(z, step):
        radius = step * difference.weight

        def into_ball(p, _):
            return p * (radius / p.abs().clamp_min(1e-30)).clamp_max(1)

        rhs = difference.forward(z)
        dual = proximal_gradient(
            lambda p: difference.forward(difference.adjoint(p)), rhs, into_ball, torch.zeros_like(rhs), 0.25,
            momentum="fista", iterations=60,
        )  # fmt: skip
        return z - difference.adjoint(dual)

    step = 1 / (1.02 * largest_eigenvalue(PROBLEM.misfit.gram, START, iterations=60))
    return proximal_gradient(*ARGUMENTS, prox, START, step, momentum="pogm", iterations=60)


def by_nonlinear_cg():
    """Smoothed less and less, restarted from the previous result as GRASP is."""
    x = PROBLEM.misfit.rhs
    for smoothing in (1e-4, 1e-5, 1e-6, 1e-7, 1e-8):
        objective = SmoothedObjective(
            *ARGUMENTS, [(FiniteDifferenceOperator(PROBLEM.shape, (0,)), PROBLEM.penalty.weight)], smoothing=smoothing
        )
        for _ in range(6):
            x = nonlinear_cg(
                objective.value, objective.gradient, x, images=objective.images, iterations=40, tolerance=1e-9
            )
    return x


@pytest.fixture(scope="module")
def solutions():
    return {
        "ADMM": by_admm(),
        "primal-dual": by_primal_dual(),
        "POGM": by_proximal_gradient(),
        "nonlinear CG": by_nonlinear_cg(),
    }


PAIRS = list(itertools.combinations(["ADMM", "primal-dual", "POGM", "nonlinear CG"], 2))


@pytest.mark.parametrize("pair", PAIRS, ids=" and ".join)
def test_solvers_agree(solutions, pair):
    one, other = (solutions[name] for name in pair)
    assert distance(one, other) < 1e-3


def test_it_is_the_minimum(solutions):
    lowest = PROBLEM.value(solutions["ADMM"])
    for solution in solutions.values():
        assert PROBLEM.value(solution) == pytest.approx(lowest, rel=1e-3)
        # and a different image from those that any of them started from
        assert distance(solution, PROBLEM.misfit.rhs) > 0.05
    for seed in range(10):
        direction = torch.randn(PROBLEM.shape, dtype=torch.complex128, generator=torch.Generator().manual_seed(seed))
        assert PROBLEM.value(solutions["ADMM"] + 1e-2 * direction / direction.norm()) > lowest
