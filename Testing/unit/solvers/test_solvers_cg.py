import pytest
import torch

from DynamicMRIReconLib.solvers.cg import conjugate_gradient
from DynamicMRIReconLib.solvers.status import Status


def system(size=12, batch=3, seed=0, dtype=torch.complex128):
    """Hermitian positive definite matrices (batch, size, size) of very different scale, and right-hand sides."""
    generator = torch.Generator().manual_seed(seed)
    root = torch.randn(batch, size, size, dtype=dtype, generator=generator)
    scale = torch.tensor([1e-3, 1.0, 1e3][:batch], dtype=torch.float64).reshape(-1, 1, 1)
    matrix = scale * (root @ root.mH + torch.eye(size, dtype=dtype))
    return matrix, torch.randn(batch, size, dtype=dtype, generator=generator)


def apply(matrix):
    return lambda x: torch.einsum("bij,bj->bi", matrix, x)


def test_finds_the_known_minimum():
    matrix, rhs = system()
    solution = conjugate_gradient(apply(matrix), rhs, iterations=60)
    torch.testing.assert_close(solution, torch.linalg.solve(matrix, rhs), rtol=1e-7, atol=1e-10)


def test_objective_falls_every_iteration_and_is_the_quadratic_form():
    matrix, rhs = system()
    seen: list[Status] = []
    values: list[float] = []

    def callback(status):
        seen.append(status)
        x = status.solution
        form = 0.5 * (x.conj() * apply(matrix)(x)).real.sum() - (rhs.conj() * x).real.sum()
        values.append(float(form))

    conjugate_gradient(apply(matrix), rhs, iterations=10, callback=callback)
    assert [status.iteration for status in seen] == list(range(1, 11))
    assert all(later < earlier for earlier, later in zip([0.0, *values], values, strict=False))
    assert [status.objective for status in seen] == pytest.approx(values, rel=1e-9)


def test_residual_is_the_largest_relative_one():
    matrix, rhs = system()
    seen: list[Status] = []
    conjugate_gradient(apply(matrix), rhs, iterations=3, callback=seen.append)
    misfit = (rhs - apply(matrix)(seen[-1].solution)).norm(dim=1) / rhs.norm(dim=1)
    assert seen[-1].residual == pytest.approx(float(misfit.max()), rel=1e-6)


def test_systems_of_a_batch_do_not_couple():
    matrix, rhs = system()
    together = conjugate_gradient(apply(matrix), rhs, iterations=4)
    for i in range(3):
        alone = conjugate_gradient(apply(matrix[i : i + 1]), rhs[i : i + 1], iterations=4)
        torch.testing.assert_close(together[i : i + 1], alone, rtol=1e-12, atol=0)


def test_no_independent_axes_solves_one_system():
    matrix, rhs = system(batch=1)
    coupled = torch.block_diag(matrix[0], 5 * matrix[0])
    both = torch.stack([rhs[0], 2 * rhs[0]])
    solution = conjugate_gradient(
        lambda x: (coupled @ x.flatten()).reshape(x.shape), both, iterations=80, independent_axes=0
    )
    expected = torch.linalg.solve(coupled, both.flatten()).reshape(both.shape)
    torch.testing.assert_close(solution, expected, rtol=1e-6, atol=1e-9)


def test_callback_returning_false_stops():
    matrix, rhs = system()
    calls = []

    def callback(status):
        calls.append(status.iteration)
        return status.iteration < 3

    stopped = conjugate_gradient(apply(matrix), rhs, iterations=50, callback=callback)
    assert calls == [1, 2, 3]
    assert torch.equal(stopped, conjugate_gradient(apply(matrix), rhs, iterations=3))


def test_tolerance_ends_the_iterations_and_solved_systems_rest():
    matrix, rhs = system()
    matrix[0] = 2 * torch.eye(12)  # solved in one step
    seen: list[Status] = []
    solution = conjugate_gradient(apply(matrix), rhs, iterations=500, tolerance=1e-6, callback=seen.append)
    assert len(seen) < 100
    assert seen[-1].residual <= 1e-6 < seen[-2].residual
    torch.testing.assert_close(solution[0], rhs[0] / 2, rtol=1e-12, atol=0)


def test_starts_from_the_given_point():
    matrix, rhs = system()
    exact = torch.linalg.solve(matrix, rhs)
    near = conjugate_gradient(apply(matrix), rhs, x0=exact + 1e-3, iterations=60)
    torch.testing.assert_close(near, exact, rtol=1e-6, atol=1e-10)


def test_singular_directions_and_zero_right_hand_sides_stay_zero():
    matrix = torch.diag_embed(torch.tensor([[1.0, 2.0, 0.0], [1.0, 2.0, 0.0]], dtype=torch.complex64))
    rhs = torch.tensor([[1.0, 1.0, 0.0], [0.0, 0.0, 0.0]], dtype=torch.complex64)
    solution = conjugate_gradient(apply(matrix), rhs, iterations=20)
    torch.testing.assert_close(solution, torch.tensor([[1, 0.5, 0], [0, 0, 0]], dtype=torch.complex64))


def test_not_finite_is_an_error():
    with pytest.raises(ValueError, match="not finite in iteration 1"):
        conjugate_gradient(lambda x: x * torch.nan, torch.ones(1, 3), iterations=3)
    with pytest.raises(ValueError, match="must not be negative"):
        conjugate_gradient(lambda x: x, torch.ones(1, 3), iterations=-1)


@pytest.mark.parametrize(("rows", "size"), [(12, 12), (7, 12), (120, 200)])
def test_iterations_beyond_the_precision_do_no_harm(rows, size):
    """Also where G does not tell all: what it does not see must not grow out of rounding errors."""
    generator = torch.Generator().manual_seed(0)
    root = torch.randn(rows, size, dtype=torch.complex64, generator=generator)
    matrix = (root.mH @ root).T
    truth = torch.randn(2, size, dtype=torch.complex64, generator=generator)
    rhs = truth @ matrix
    solution = conjugate_gradient(lambda x: x @ matrix, rhs, iterations=10 * size)
    assert float((solution @ matrix - rhs).norm() / rhs.norm()) < 1e-4
    assert float(solution.norm()) < 2 * float(truth.norm())
