"""The penalties of the regularised methods: K with its adjoint, f with its proximal map and its value."""

import itertools
import math

import pytest
import torch

from DynamicMRIReconLib.methods.common.penalties import (
    LocallyLowRank,
    LowRank,
    OfPart,
    SpatialTotalVariation,
    TemporalFourierSparsity,
    TemporalMeanSparsity,
    TemporalTotalVariation,
)
from DynamicMRIReconLib.operators.preconditioner import SeriesPreconditioner

SHAPE = (5, 2, 6, 8)
PARTS = (2, *SHAPE)
PENALTIES = {
    "temporal TV": (TemporalTotalVariation(SHAPE, 0.7), SHAPE),
    "temporal mean": (TemporalMeanSparsity(SHAPE, 0.7), SHAPE),
    "spatial TV": (SpatialTotalVariation(SHAPE, 0.7), SHAPE),
    "spatial TV of a volume": (SpatialTotalVariation(SHAPE, 0.7, (1, 2, 3)), SHAPE),
    "low rank": (LowRank(2.5), SHAPE),
    "temporal Fourier": (TemporalFourierSparsity(0.7), SHAPE),
    "one block": (LocallyLowRank(SHAPE, 2.5, 100, 0, volume=True), SHAPE),
    "temporal TV of the second part": (OfPart(TemporalTotalVariation(SHAPE, 0.7), 1, 2), PARTS),
    "low rank of the first part": (OfPart(LowRank(2.5), 0, 2), PARTS),
}
each = pytest.mark.parametrize(("penalty", "shape"), PENALTIES.values(), ids=PENALTIES.keys())


def noise(shape, seed=0):
    return torch.randn(shape, dtype=torch.complex128, generator=torch.Generator().manual_seed(seed))


def casorati(block):
    """(frames, z, y, x) -> frames x voxels."""
    return block.reshape(len(block), -1)


def nuclear_norm(block):
    return float(torch.linalg.svdvals(casorati(block)).sum())


@each
def test_adjoint(penalty, shape):
    x = noise(shape, 1)
    image = penalty.forward(x)
    z = noise(tuple(image.shape), 2)
    back = penalty.adjoint(z)
    assert back.shape == x.shape
    difference = torch.vdot(z.flatten(), image.flatten()) - torch.vdot(back.flatten(), x.flatten())
    assert abs(complex(difference)) < 1e-12 * float(image.norm() * z.norm())


@each
@pytest.mark.parametrize("step", [0.3, 2.0])
def test_prox_is_the_minimum(penalty, shape, step):
    """``step f(v) + |v - z|^2 / 2`` is strongly convex: away from its minimum it rises by |d|^2 / 2 at least."""
    z = noise(tuple(penalty.forward(noise(shape)).shape), 3)
    found = penalty.prox(z, step)
    assert found.shape == z.shape

    def function(v):
        return step * penalty.value(v) + float((v - z).abs().square().sum()) / 2

    lowest = function(found)
    assert lowest < function(z)
    for seed, size in itertools.product(range(4), (1e-3, 1.0, 20.0)):
        for direction in (noise(tuple(z.shape), 10 + seed), z - found, found):
            moved = direction * (size / float(direction.norm()))
            assert function(found + moved) - lowest >= size**2 / 2 - 1e-11 * lowest


@each
def test_value_is_a_norm(penalty, shape):
    z = noise(tuple(penalty.forward(noise(shape)).shape), 3)
    value = penalty.value(z)
    assert value > 0
    assert penalty.value(3j * z) == pytest.approx(3 * value, rel=1e-12)
    assert penalty.value(0 * z) == 0
    # nothing left above the largest threshold
    assert not penalty.prox(z, 1e6).any()


def test_values_written_out():
    x = noise(SHAPE, 1)
    jumps = (x[1:] - x[:-1]).abs().sum()
    temporal = TemporalTotalVariation(SHAPE, 0.7)
    assert temporal.value(temporal.forward(x)) == pytest.approx(0.7 * float(jumps), rel=1e-12)
    for axes in [(2, 3), (1, 2, 3)]:
        squares = sum((x.roll(-1, axis) - x).abs().square() for axis in axes)
        spatial = SpatialTotalVariation(SHAPE, 0.7, axes)
        assert spatial.value(spatial.forward(x)) == pytest.approx(0.7 * float(squares.sqrt().sum()), rel=1e-12)
    assert LowRank(2.5).value(x) == pytest.approx(2.5 * nuclear_norm(x), rel=1e-10)
    frequencies = [
        sum(x[t] * complex(math.cos(a), math.sin(a)) for t, a in enumerate(-2 * math.pi * f / 5 * torch.arange(5)))
        for f in range(5)
    ]
    expected = 0.7 * sum(float(image.abs().sum()) for image in frequencies) / math.sqrt(5)
    fourier = TemporalFourierSparsity(0.7)
    assert fourier.value(fourier.forward(x)) == pytest.approx(expected, rel=1e-6)
    part = OfPart(temporal, 1, 2)
    both = torch.stack([noise(SHAPE, 9), x])
    assert part.value(part.forward(both)) == pytest.approx(0.7 * float(jumps), rel=1e-12)
    assert not part.adjoint(noise(tuple(part.forward(both).shape)))[0].any()


@pytest.mark.parametrize("name", ["temporal TV", "spatial TV", "low rank", "temporal Fourier", "one block"])
def test_smoothness_is_the_gram_of_k(name):
    """The preconditioner inverts ``K^H K`` as the penalty describes it."""
    penalty, shape = PENALTIES[name]
    asked = penalty.smoothness
    solve = SeriesPreconditioner(
        torch.zeros(shape, dtype=torch.float64),
        temporal=asked.temporal,
        spatial=asked.spatial,
        identity=asked.identity + 0.1,
    )
    x = noise(shape, 1)
    system = penalty.adjoint(penalty.forward(x)) + 0.1 * x
    assert float((solve(system) - x).norm() / x.norm()) < 1e-12


def blocks_of(x, block, shift, volume):
    """The blocks of a grid shifted by ``shift``, cut out one by one, wrapping around; and where each came from."""
    sizes = [min(block, size) if axis or volume else 1 for axis, size in enumerate(x.shape[1:])]
    starts = [range(0, n, b) for n, b in zip(x.shape[1:], sizes, strict=True)]
    for corner in itertools.product(*starts):
        where = [
            [(c + i - s) % n for i in range(b)] for c, s, b, n in zip(corner, shift, sizes, x.shape[1:], strict=True)
        ]
        index = (slice(None), *torch.meshgrid(*(torch.tensor(w) for w in where), indexing="ij"))
        yield index, x[index]


@pytest.mark.parametrize("volume", [False, True])
@pytest.mark.parametrize(
    ("block", "shape"), [(3, (5, 2, 6, 9)), (4, (5, 2, 6, 9)), (4, (3, 1, 4, 7)), (8, (4, 1, 5, 6))]
)
def test_locally_low_rank_value_sums_all_blocks(block, shape, volume):
    """Also where blocks do not divide the image: the last ones continue at the other side."""
    x = noise(shape)
    expected = sum(nuclear_norm(part) for _, part in blocks_of(x, block, (0, 0, 0), volume))
    assert LocallyLowRank(shape, 0.3, block, 0, volume=volume).value(x) == pytest.approx(0.3 * expected, rel=1e-10)


@pytest.mark.parametrize("volume", [False, True])
@pytest.mark.parametrize("shape", [(5, 2, 6, 9), (5, 3, 7, 10), (3, 1, 4, 7), (4, 1, 2, 3), (1, 1, 5, 5)])
@pytest.mark.parametrize("block", [1, 3, 4])
def test_locally_low_rank_puts_blocks_back_where_they_were(shape, block, volume):
    x = noise(shape)
    penalty = LocallyLowRank(shape, 0.5, block, 1, volume=volume)
    for _ in range(5):  # each with a shift of its own
        assert float((penalty.prox(x, 0.0) - x).abs().max()) < 1e-12


@pytest.mark.parametrize("volume", [False, True])
def test_locally_low_rank_prox_is_the_mean_of_four_overlapping_grids_shifted_at_random(volume):
    shape, block, threshold = (5, 8 if volume else 2, 8, 12), 4, 1.3
    x = noise(shape)
    sizes = (block if volume else 1, block, block)
    by_shift = {}
    for shift in itertools.product(*map(range, sizes)):
        by_shift[shift] = torch.empty_like(x)
        for index, part in blocks_of(x, block, shift, volume):
            u, s, vh = torch.linalg.svd(casorati(part), full_matrices=False)
            by_shift[shift][index] = ((u * (s - threshold).clamp_min(0)) @ vh).reshape(part.shape)
    halves = [(0, 0, 0), (0, 1, 1), (1, 0, 1), (1, 1, 0)]
    grids = {
        frozenset(
            tuple((start + half * (size // 2)) % size for start, half, size in zip(first, moved, sizes, strict=True))
            for moved in halves
        )
        for first in by_shift
    }
    assert all(len(four) == 4 for four in grids)
    expected = {four: torch.stack([by_shift[shift] for shift in four]).mean(0) for four in grids}
    penalty = LocallyLowRank(shape, threshold, block, 3, volume=volume)
    seen = set()
    for _ in range(150 if volume else 60):
        found = penalty.prox(x, 1.0)
        matches = [four for four, mean in expected.items() if torch.allclose(found, mean, atol=1e-10)]
        assert len(matches) == 1
        seen.add(matches[0])
    assert seen == grids


def test_locally_low_rank_repeats_with_its_seed():
    x = noise(SHAPE)
    one, same, other = (LocallyLowRank(SHAPE, 1.0, 3, seed) for seed in (5, 5, 6))
    first = [one.prox(x, 1.0) for _ in range(6)]
    assert all(torch.equal(a, same.prox(x, 1.0)) for a in first)
    assert not all(torch.equal(a, other.prox(x, 1.0)) for a in first)


@each
def test_single_precision_stays_single(penalty, shape):
    x = noise(shape).to(torch.complex64)
    image = penalty.forward(x)
    assert image.dtype == penalty.prox(image, 0.1).dtype == penalty.adjoint(image).dtype == torch.complex64
