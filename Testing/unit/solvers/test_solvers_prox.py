import math

import pytest
import torch
from solver_problems import distance, noise

from DynamicMRIReconLib.solvers.primal_dual import conjugate_prox
from DynamicMRIReconLib.solvers.prox import (
    singular_value_threshold,
    singular_values,
    soft_threshold,
    vector_soft_threshold,
)

STEP = 0.8
NORMS = {
    "soft": (soft_threshold, lambda x: x.abs().sum()),
    "vector": (vector_soft_threshold, lambda x: x.abs().square().sum(0).sqrt().sum()),
    "nuclear": (singular_value_threshold, lambda x: torch.linalg.svdvals(x).sum()),
}


def test_soft_threshold_shrinks_magnitudes_and_keeps_phases():
    z = torch.tensor([3 + 4j, -2j, 0.5, 0, -1.0])
    expected = torch.tensor([0.8 * (3 + 4j), -1j, 0, 0, 0])
    assert torch.allclose(soft_threshold(z, 1.0), expected)
    assert torch.equal(soft_threshold(torch.tensor([2.0, -3.0, 0.5]), 1.0), torch.tensor([1.0, -2.0, 0.0]))


def test_vector_soft_threshold_shrinks_lengths_and_keeps_directions():
    z = torch.tensor([[3.0, 0.3, 0], [4j, 0.4, 0]])
    expected = torch.tensor([[2.4, 0, 0], [3.2j, 0, 0]])
    assert torch.allclose(vector_soft_threshold(z, 1.0), expected)
    assert torch.allclose(vector_soft_threshold(z.T, 1.0, axis=1), expected.T)
    # a single component is the scalar soft threshold
    one = noise((1, 50))
    assert torch.allclose(vector_soft_threshold(one, 0.7), soft_threshold(one, 0.7))


@pytest.mark.parametrize("threshold", [soft_threshold, vector_soft_threshold, singular_value_threshold])
def test_zero_threshold_and_zero_input(threshold):
    z = noise((4, 6))
    assert distance(threshold(z, 0.0), z) < 1e-12
    for zero in (torch.zeros(4, 6), torch.zeros(4, 6, dtype=torch.complex64)):
        assert torch.equal(threshold(zero, 0.0), zero)
        assert torch.equal(threshold(zero, 1.0), zero)


def test_thresholds_may_differ_from_element_to_element():
    z, thresholds = noise((5, 7)), torch.linspace(0, 2, 7, dtype=torch.float64)
    expected = torch.stack([soft_threshold(z[:, i], float(t)) for i, t in enumerate(thresholds)], 1)
    assert torch.allclose(soft_threshold(z, thresholds), expected)
    assert torch.allclose(vector_soft_threshold(z, thresholds)[:, 3], vector_soft_threshold(z[:, 3], 1.0))


@pytest.mark.parametrize("shape", [(6, 40), (40, 6), (8, 8), (3, 5, 20), (2, 4, 20, 5), (1, 9), (9, 1)])
@pytest.mark.parametrize(("dtype", "accuracy"), [(torch.complex64, 2e-5), (torch.complex128, 1e-12)])
def test_singular_value_threshold_is_that_of_the_svd(shape, dtype, accuracy):
    matrices = noise(shape).to(dtype)
    u, s, vh = torch.linalg.svd(matrices.to(torch.complex128), full_matrices=False)
    threshold = float(s.median())
    expected = (u * (s - threshold).clamp_min(0).unsqueeze(-2)) @ vh
    if 1 in shape:
        threshold, expected = float(s) / 2, matrices.to(torch.complex128) / 2
    assert distance(singular_value_threshold(matrices, threshold).to(torch.complex128), expected) < accuracy
    ascending = singular_values(matrices).double()
    assert torch.allclose(ascending, s.flip(-1), rtol=10 * accuracy, atol=0)


def test_singular_value_threshold_in_single_precision_with_a_wide_spectrum():
    # as in a series: one component far above noise, thresholds at 1e-3 of it
    u, v = torch.linalg.qr(noise((60, 12), 1))[0], torch.linalg.qr(noise((12, 12), 2))[0]
    spectrum = torch.logspace(0, -6, 12, dtype=torch.float64)
    matrix = (u * spectrum) @ v.mH
    expected = (u * (spectrum - 1e-3).clamp_min(0)) @ v.mH
    # squares known to eps of the largest: singular values near the threshold t to eps / (2 t)
    accuracy = torch.finfo(torch.float32).eps / (2 * 1e-3)
    found = singular_value_threshold(matrix.to(torch.complex64), 1e-3)
    assert distance(found.to(torch.complex128), expected) < accuracy


def test_singular_value_threshold_lowers_the_rank():
    matrix = noise((30, 3), 1) @ noise((3, 10), 2) * 10 + 0.01 * noise((30, 10), 3)
    shrunk = singular_value_threshold(matrix, 1.0)
    assert int(torch.linalg.matrix_rank(shrunk, atol=1e-9)) == 3
    assert int(torch.linalg.matrix_rank(matrix, atol=1e-9)) == 10
    real = singular_value_threshold(matrix.real, 1.0)
    assert real.dtype == torch.float64
    assert int(torch.linalg.matrix_rank(real, atol=1e-9)) == 6  # real and imaginary parts of three complex ones


@pytest.mark.parametrize("name", NORMS)
@pytest.mark.parametrize("size", [1e-4, 1e-2, 1.0, 30.0])
def test_prox_is_the_minimum(name, size):
    """The function minimised is strongly convex: away from its minimum it rises by |d|^2 / 2 at least."""
    prox, norm = NORMS[name]
    z = noise((5, 9), 1) * 1.2
    found = prox(z, STEP)

    def function(x):
        return float(STEP * norm(x) + (x - z).abs().square().sum() / 2)

    lowest = function(found)
    directions = [noise((5, 9), 10 + i) for i in range(20)] + [z - found, -found, found]
    for direction in directions:
        length = float(direction.norm())
        moved = direction * (size / length)
        assert function(found + moved) - lowest >= size**2 / 2 - 1e-12 * max(lowest, size**2)


@pytest.mark.parametrize("name", NORMS)
def test_prox_does_not_expand(name):
    prox, _ = NORMS[name]
    for seed in range(10):
        a, b = noise((5, 9), seed), noise((5, 9), 100 + seed)
        difference = prox(a, STEP) - prox(b, STEP)
        # firmly nonexpansive
        assert float(difference.abs().square().sum()) <= float((difference.conj() * (a - b)).real.sum()) * (1 + 1e-12)


def test_conjugate_prox_of_a_norm_is_the_projection_on_the_dual_ball():
    z = noise((5, 9)) * 2
    weight, step = 0.7, 2.5
    projected = conjugate_prox(lambda v, t: soft_threshold(v, t * weight), z, step)
    assert distance(projected, z * (weight / z.abs()).clamp_max(1)) < 1e-12
    nuclear = conjugate_prox(lambda v, t: singular_value_threshold(v, t * weight), z, step)
    u, s, vh = torch.linalg.svd(z, full_matrices=False)
    assert distance(nuclear, (u * s.clamp_max(weight)) @ vh) < 1e-12


def test_conjugate_prox_of_a_quadratic():
    # f = a |v|^2 / 2 has the conjugate |u|^2 / (2 a)
    z, a, step = noise((20,)), 3.0, 0.4
    found = conjugate_prox(lambda v, t: v / (1 + t * a), z, step)
    assert distance(found, z / (1 + step / a)) < 1e-12
    assert math.isfinite(float(found.norm()))
