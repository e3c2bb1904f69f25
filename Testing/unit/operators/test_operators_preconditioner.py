import math

import numpy as np
import pytest
import torch
from operator_checks import complex_normal, exact_dft, relative_error

from DynamicMRIReconLib.data import KSpace
from DynamicMRIReconLib.geometry import Geometry
from DynamicMRIReconLib.operators.acquisition_model import acquisition_model
from DynamicMRIReconLib.operators.finite_difference import FiniteDifferenceOperator
from DynamicMRIReconLib.operators.fourier import fftc, ifftc
from DynamicMRIReconLib.operators.preconditioner import SeriesPreconditioner, SumPreconditioner, sampling_density
from DynamicMRIReconLib.solvers.admm import improve


def random_mask(shape, seed=0):
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed)) < 0.4


def system(density, x, *, temporal, spatial, identity, wrap=0.0, spatial_axes=(2, 3), axes=(2, 3)):
    """What the preconditioner inverts, from the operators that the methods use."""
    result = ifftc(density * fftc(x, axes), axes) + identity * x
    time = FiniteDifferenceOperator(tuple(x.shape), (0,))
    space = FiniteDifferenceOperator(tuple(x.shape), spatial_axes, periodic=True)
    result = result + temporal * time.gram(x) + spatial * space.gram(x)
    result[0] += wrap * (x[0] - x[-1])
    result[-1] += wrap * (x[-1] - x[0])
    return result


@pytest.mark.parametrize("shape", [(5, 1, 8, 9), (5, 3, 7, 6), (1, 1, 8, 8), (2, 1, 1, 12)])
@pytest.mark.parametrize(
    "weights",
    [
        {"temporal": 0.7, "spatial": 0.3, "identity": 0.05},
        {"temporal": 20.0, "spatial": 0.0, "identity": 0.05},
        {"temporal": 20.0, "wrap": 20.0, "spatial": 0.3, "identity": 0.05},
        {"temporal": 0.0, "wrap": 3.0, "spatial": 0.0, "identity": 0.05},
        {"temporal": 0.0, "spatial": 2.0, "identity": 0.05},
        {"temporal": 0.0, "spatial": 0.0, "identity": 0.05},
    ],
    ids=["both", "temporal", "cyclic", "wrap alone", "spatial", "neither"],
)
def test_is_the_exact_inverse_for_masks(shape, weights):
    density, x = random_mask(shape).double(), complex_normal(shape, 1).to(torch.complex128)
    solve = SeriesPreconditioner(density, **weights)
    assert relative_error(solve(system(density, x, **weights)), x) < 1e-12
    assert relative_error(system(density, solve(x), **weights), x) < 1e-12


@pytest.mark.parametrize("spatial_axes", [(2, 3), (1, 2, 3), (3,)])
def test_is_the_exact_inverse_for_volumes(spatial_axes):
    shape, axes = (4, 4, 5, 6), (1, 2, 3)
    density = 3 * torch.rand(shape, generator=torch.Generator().manual_seed(0))
    x = complex_normal(shape, 1)
    weights = {"temporal": 0.7, "spatial": 0.3, "identity": 0.05, "spatial_axes": spatial_axes}
    solve = SeriesPreconditioner(density, **weights, transform_axes=axes)
    assert relative_error(solve(system(density, x, **weights, axes=axes)), x) < 1e-5


def noncartesian(trajectory, image_shape, coils=1):
    """K-space along a trajectory (frames, shots, readout, d); the operators do not look at its samples."""
    frames, shots, readout = trajectory.shape[:3]
    samples = np.ones((frames, coils, shots, readout), np.complex64)
    affine, times_s = Geometry.centred(image_shape).affine, np.arange(frames, dtype=float)
    return KSpace(samples, affine, times_s, image_shape=image_shape, trajectory=trajectory)


def cartesian(mask):
    samples = mask.numpy().astype(np.complex64)[:, None]
    affine = Geometry.centred(tuple(mask.shape[1:])).affine
    return KSpace(samples, affine, np.arange(len(mask), dtype=float), mask=mask.numpy())


def test_solves_cartesian_data_of_one_coil():
    shape = (5, 2, 8, 9)
    kspace = cartesian(random_mask(shape))
    density = sampling_density(kspace)
    assert torch.equal(density.bool(), random_mask(shape))
    model = acquisition_model(kspace, np.ones((1, *shape[1:]), np.complex64))
    x, y = complex_normal(shape, 1), complex_normal(shape, 2)
    assert relative_error(model.gram(x), ifftc(density * fftc(x, (2, 3)), (2, 3))) < 1e-5
    weights = {"temporal": 0.4, "spatial": 0.2, "identity": 0.1}
    time = FiniteDifferenceOperator(shape, (0,))
    space = FiniteDifferenceOperator(shape, (2, 3), periodic=True)

    def apply(v):
        return model.gram(v) + 0.4 * time.gram(v) + 0.2 * space.gram(v) + 0.1 * v

    assert relative_error(apply(SeriesPreconditioner(density, **weights)(y)), y) < 1e-5


def dense(apply, shape):
    """The matrix of a linear map, column by column, in double precision."""
    n = math.prod(shape)
    units = torch.eye(n, dtype=torch.complex128).reshape(n, *shape)
    return torch.stack([apply(unit).flatten() for unit in units], 1)


@pytest.mark.parametrize("temporal", [0.0, 0.8])
def test_series_preconditioner_is_hermitian_and_positive(temporal):
    shape = (3, 1, 4, 5)
    density = (3 * torch.rand(shape, generator=torch.Generator().manual_seed(0))).double()
    solve = SeriesPreconditioner(density, temporal=temporal, spatial=0.2, identity=0.01)
    matrix = dense(solve, shape)
    assert float((matrix - matrix.mH).abs().max()) < 1e-12 * float(matrix.abs().max())
    eigenvalues = torch.linalg.eigvalsh(matrix)
    assert float(eigenvalues[0]) >= 1 / (3 + 4 * temporal + 8 * 0.2 + 0.01)
    assert float(eigenvalues[-1]) <= 1 / 0.01


def test_sum_preconditioner_is_the_exact_inverse():
    shape = (3, 1, 4, 5)
    density = (3 * torch.rand(shape, generator=torch.Generator().manual_seed(0))).double()
    density[0] = 0
    first, second = 0.4, 0.05

    def apply(parts):
        measured = ifftc(density * fftc(parts.sum(0), (2, 3)), (2, 3))
        return torch.stack([measured + first * parts[0], measured + second * parts[1]])

    solve = SumPreconditioner(density, first, second)
    x = complex_normal((2, *shape)).to(torch.complex128)
    assert relative_error(solve(apply(x)), x) < 1e-12
    matrix = dense(solve, (2, *shape))
    assert float((matrix - matrix.mH).abs().max()) < 1e-12 * float(matrix.abs().max())
    assert float(torch.linalg.eigvalsh(matrix)[0]) > 0


def radial(frames, spokes, shape_yx, coils=1):
    """Golden-angle k-space of one slice."""
    ny, nx = shape_yx
    readout = 2 * max(shape_yx)
    radius = (np.arange(readout) - readout // 2) / readout
    angle = np.deg2rad(111.24611) * np.arange(frames * spokes).reshape(frames, spokes, 1)
    trajectory = np.stack([radius * np.cos(angle) * nx, radius * np.sin(angle) * ny], -1).astype(np.float32)
    return noncartesian(trajectory, (1, ny, nx), coils)


@pytest.mark.parametrize("shape_yx", [(8, 8), (9, 6), (7, 11)])
def test_density_of_radial_data_is_the_nearest_circulant(shape_yx):
    """The circulant nearest to G in the Frobenius norm has the eigenvalues ``diag(F G F^H)``, here by brute force."""
    kspace = radial(2, 5, shape_yx)
    density = sampling_density(kspace)
    assert density.shape == (2, 1, *shape_yx)
    n = math.prod(shape_yx)
    units = torch.eye(n, dtype=torch.complex128).reshape(1, n, *shape_yx)
    waves = ifftc(units, (2, 3)).expand(2, -1, -1, -1)  # one image per spatial frequency, centred as the density is
    samples = exact_dft(torch.as_tensor(kspace.trajectory), waves)
    expected = samples.abs().square().sum((2, 3)).reshape(2, 1, *shape_yx)
    assert relative_error(density, expected) < 1e-3
    # many samples at the centre: that is what the preconditioner is for
    assert float(density[0, 0, shape_yx[0] // 2, shape_yx[1] // 2]) > 3 * float(density.median())


def test_density_of_a_volume():
    shape = (4, 5, 6)
    k = torch.rand(2, 3, 40, 3, generator=torch.Generator().manual_seed(0)) - 0.5
    k = k * torch.tensor(shape[::-1])
    kspace = noncartesian(k.numpy(), shape)
    units = torch.eye(120, dtype=torch.complex128).reshape(1, 120, *shape)
    waves = ifftc(units, (2, 3, 4)).expand(2, -1, -1, -1, -1)
    expected = exact_dft(k, waves).abs().square().sum((2, 3)).reshape(2, *shape)
    assert relative_error(sampling_density(kspace), expected) < 1e-3


def test_radial_data_need_several_times_fewer_grams():
    shape = (4, 1, 32, 32)
    kspace = radial(4, 8, (32, 32), coils=3)
    y, x = np.meshgrid(*(np.linspace(-1, 1, 32),) * 2, indexing="ij")
    centres = [(1, 0), (-1, 0), (0, 1)]
    maps = np.stack([np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / 2 + 1j * cx * x) for cx, cy in centres])
    maps = (maps / np.sqrt((np.abs(maps) ** 2).sum(0)))[:, None].astype(np.complex64)
    model = acquisition_model(kspace, maps)
    time = FiniteDifferenceOperator(shape, (0,))
    temporal, identity = 0.5, 0.01
    truth = complex_normal(shape, 1) + 3

    def coupling(v):
        return temporal * time.gram(v) + identity * v

    target = model.gram(truth) + coupling(truth)
    solve = SeriesPreconditioner(sampling_density(kspace), temporal=temporal, identity=identity)
    zero = torch.zeros_like(target)

    def error_after(grams, preconditioner):
        found, gram_found = improve(model.gram, coupling, target, zero, zero, preconditioner, grams)
        assert relative_error(gram_found, model.gram(found)) < 1e-4  # carried along, not computed again
        return relative_error(found, truth)

    # a third of the grams, to whatever accuracy
    for grams in (20, 30):
        assert error_after(grams, solve) < error_after(3 * grams, lambda r: r)
    assert error_after(30, solve) < 1e-3


def test_refuses_differences_along_axes_that_are_not_transformed():
    density = torch.ones(2, 3, 4, 5)
    with pytest.raises(ValueError, match="spatial_axes"):
        SeriesPreconditioner(density, spatial=1.0, spatial_axes=(1, 2, 3), transform_axes=(2, 3))
    # with a single slice or without a weight there is nothing to refuse
    SeriesPreconditioner(density[:, :1], spatial=1.0, spatial_axes=(1, 2, 3), transform_axes=(2, 3))
    SeriesPreconditioner(density, spatial_axes=(1, 2, 3), transform_axes=(2, 3))
