"""The penalties of the regularised methods: K with its adjoint, f with its proximal map and its value."""

import itertools
import math

import pytest
import torch

from DynamicMRIReconLib.methods.common.penalties import (
    LocallyLowRank,
    LowRank,
    SpatialTotalVariation,
    TemporalFourierSparsity,
    TemporalMeanSparsity,
    TemporalTotalVariation,
)
from DynamicMRIReconLib.methods.common.penalty_of_part import OfPart
from DynamicMRIReconLib.operators.preconditioner import SeriesPreconditioner

SHAPE = (5, 2, 6, 8)
PARTS = (2, *SHAPE)
PENALTIES = {
    "temporal TV": (TemporalTotalVariation(SHAPE, 0.7), SHAPE),
    "cyclic temporal TV": (TemporalTotalVariation(SHAPE, 0.7, cyclic=True), SHAPE),
    "temporal mean": (TemporalMeanSparsity(SHAPE, 0.7), SHAPE),
    "spatial TV": (SpatialTotalVariation(SHAPE, 0.7), SHAPE),
    "spatial TV of a volume": (SpatialTotalVariation(SHAPE, 0.7, (1, 2, 3)), SHAPE),
    "low rank": (LowRank(2.5), SHAPE),
    "temporal Fourier": (TemporalFourierSparsity(0.7), SHAPE),
    "one block": (LocallyLowRank(SHAPE, 2.5, 100, volume=True), SHAPE),
    "overlapping blocks": (LocallyLowRank(SHAPE, 2.5, 2), SHAPE),
    "overlapping blocks, mean weighted": (LocallyLowRank(SHAPE, 2.5, 2, mean_weight=0.6), SHAPE),
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


@each
def test_gram(penalty, shape):
    x = noise(shape, 1)
    torch.testing.assert_close(penalty.gram(x), penalty.adjoint(penalty.forward(x)), atol=1e-12, rtol=1e-12)


def test_cyclic_adds_the_way_from_the_last_frame_to_the_first():
    x = noise(SHAPE, 1)
    plain, cyclic = (TemporalTotalVariation(SHAPE, 0.7, cyclic=choice) for choice in (False, True))
    added = cyclic.value(cyclic.forward(x)) - plain.value(plain.forward(x))
    assert added == pytest.approx(0.7 * float((x[0] - x[-1]).abs().sum()), rel=1e-10)


def test_two_frames_have_one_difference():
    x = noise((2, *SHAPE[1:]), 1)
    cyclic = TemporalTotalVariation((2, *SHAPE[1:]), 0.7, cyclic=True)
    assert cyclic.value(cyclic.forward(x)) == pytest.approx(0.7 * float((x[1] - x[0]).abs().sum()), rel=1e-12)


NAMES = ["temporal TV", "cyclic temporal TV", "spatial TV", "low rank", "temporal Fourier", "one block"]


@pytest.mark.parametrize("name", NAMES)
def test_smoothness_is_the_gram_of_k(name):
    """The preconditioner inverts ``K^H K`` as the penalty describes it."""
    penalty, shape = PENALTIES[name]
    asked = penalty.smoothness
    solve = SeriesPreconditioner(
        torch.zeros(shape, dtype=torch.float64),
        temporal=asked.temporal,
        wrap=asked.wrap,
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


def shifts_of(shape, block, volume):
    """Half a block along each axis that has more than one block of more than one voxel."""
    sizes = [min(block, size) if axis or volume else 1 for axis, size in enumerate(shape[1:])]
    return list(itertools.product(*([0, b // 2] if 1 < b < n else [0] for b, n in zip(sizes, shape[1:], strict=True))))


@pytest.mark.parametrize("volume", [False, True])
@pytest.mark.parametrize(
    ("block", "shape"), [(3, (5, 2, 6, 9)), (4, (5, 2, 6, 9)), (4, (3, 1, 4, 7)), (8, (4, 1, 5, 6))]
)
def test_locally_low_rank_value_sums_all_blocks(block, shape, volume):
    """Also where blocks do not divide the image: the last ones continue at the other side."""
    x = noise(shape)
    shifts = shifts_of(shape, block, volume)
    sums = [sum(nuclear_norm(part) for _, part in blocks_of(x, block, shift, volume)) for shift in shifts]
    penalty = LocallyLowRank(shape, 0.3, block, volume=volume)
    assert penalty.grids == len(shifts)
    assert penalty.value(penalty.forward(x)) == pytest.approx(0.3 * sum(sums) / len(sums), rel=1e-10)


@pytest.mark.parametrize("volume", [False, True])
@pytest.mark.parametrize("shape", [(5, 2, 6, 9), (5, 3, 7, 10), (3, 1, 4, 7), (4, 1, 2, 3), (1, 1, 5, 5)])
@pytest.mark.parametrize("block", [1, 3, 4])
def test_locally_low_rank_puts_blocks_back_where_they_were(shape, block, volume):
    penalty = LocallyLowRank(shape, 0.5, block, volume=volume)
    copies = noise((penalty.grids, *shape))
    assert float((penalty.prox(copies, 0.0) - copies).abs().max()) < 1e-12


@pytest.mark.parametrize("volume", [False, True])
def test_locally_low_rank_prox_is_that_of_each_grid(volume):
    shape, block, threshold = (5, 4, 6, 8), 2, 1.3
    penalty = LocallyLowRank(shape, threshold, block, volume=volume)
    shifts = shifts_of(shape, block, volume)
    copies = noise((len(shifts), *shape))
    found = penalty.prox(copies, 2.0)
    for copy, result, shift in zip(copies, found, shifts, strict=True):
        for index, part in blocks_of(copy, block, shift, volume):
            u, s, vh = torch.linalg.svd(casorati(part), full_matrices=False)
            expected = (u * (s - 2.0 * threshold / len(shifts)).clamp_min(0)) @ vh
            torch.testing.assert_close(casorati(result[index]), expected, atol=1e-10, rtol=0)


def test_no_seam_of_one_grid_is_a_seam_of_all():
    """Every pair of neighbours lies in one block of some grid."""
    shape, block = (2, 1, 8, 8), 4
    together = torch.zeros(8, dtype=torch.bool)
    for _, _, shift in shifts_of(shape, block, False):
        number = (torch.arange(8) + shift) % 8 // block
        together |= number == number.roll(-1)
    assert bool(together.all())
    x = torch.zeros(shape, dtype=torch.complex128)
    x[:, 0, 3:5] = noise((2, 2, 8))  # rank two across the seam of the first grid
    penalty = LocallyLowRank(shape, 1.0, block)
    first, *_, last = penalty.prox(penalty.forward(x), 1.0)
    assert not torch.allclose(first, last)


@each
def test_single_precision_stays_single(penalty, shape):
    x = noise(shape).to(torch.complex64)
    image = penalty.forward(x)
    assert image.dtype == penalty.prox(image, 0.1).dtype == penalty.adjoint(image).dtype == torch.complex64


def test_locally_low_rank_counts_the_mean_over_time_less():
    still, moving = noise((1, 2, 6, 8)).expand(SHAPE), noise(SHAPE, 1)
    moving = moving - moving.mean(0)
    plain, weighted = LocallyLowRank(SHAPE, 1.0, 2), LocallyLowRank(SHAPE, 1.0, 2, mean_weight=0.6)
    assert weighted.value(weighted.forward(still)) == pytest.approx(0.6 * plain.value(plain.forward(still)))
    assert weighted.value(weighted.forward(moving)) == pytest.approx(plain.value(plain.forward(moving)))
