import pytest
import torch
from solver_problems import noise

from DynamicMRIReconLib.solvers.power_iteration import largest_eigenvalue


def gram_with(eigenvalues):
    basis = torch.linalg.qr(noise((len(eigenvalues),) * 2, 7))[0]
    matrix = (basis * torch.tensor(eigenvalues, dtype=torch.float64)) @ basis.mH
    return lambda x: matrix @ x


def test_finds_the_largest_eigenvalue():
    eigenvalues = [0.0, 0.5, 1.0, 2.0, 7.0]
    found = largest_eigenvalue(gram_with(eigenvalues), noise((5,)), tolerance=1e-10)
    assert found == pytest.approx(7, rel=1e-6)
    assert found <= 7 * (1 + 1e-12)


def test_comes_from_below_where_eigenvalues_crowd():
    eigenvalues = [1 - 0.01 * i for i in range(60)]
    gram, like = gram_with(eigenvalues), noise((60,))
    estimates = [largest_eigenvalue(gram, like, iterations=n, tolerance=0) for n in (1, 3, 10, 30, 100)]
    assert estimates == sorted(estimates)
    assert estimates[-1] <= 1 + 1e-12
    assert estimates[3] > 0.95


def test_depends_on_seed_and_shape_only():
    gram = gram_with([1.0, 2.0, 3.0, 3.1])
    first = largest_eigenvalue(gram, torch.zeros(4, dtype=torch.complex128), iterations=3)
    assert largest_eigenvalue(gram, noise((4,)), iterations=3) == first
    assert largest_eigenvalue(gram, noise((4,)), iterations=3, seed=1) != first


def test_real_single_precision_and_several_axes():
    weights = torch.linspace(0, 5, 24).reshape(2, 3, 4)
    found = largest_eigenvalue(lambda x: weights * x, weights, iterations=200, tolerance=0)
    assert found == pytest.approx(5, rel=1e-4)


def test_zero_and_bad_input():
    assert largest_eigenvalue(torch.zeros_like, noise((4,))) == 0
    with pytest.raises(ValueError, match="1 or more"):
        largest_eigenvalue(torch.clone, noise((4,)), iterations=0)
    with pytest.raises(ValueError, match="not finite"):
        largest_eigenvalue(lambda x: x * float("nan"), noise((4,)))
