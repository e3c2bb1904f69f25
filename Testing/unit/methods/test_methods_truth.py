"""gridding and cg-sense against images that are known."""

import numpy as np
import pytest
from kspace_cases import (
    OBLIQUE,
    cartesian_case,
    coil_maps,
    difference,
    gaussian_spectrum,
    movie,
    radial,
    radial_case,
    sample,
    times,
)

import DynamicMRIReconLib as dmr
from DynamicMRIReconLib.data import Geometry, KSpace
from DynamicMRIReconLib.operators.nufft import BACKENDS

METHODS = ("gridding", "cg-sense")
CASES = {"cartesian": cartesian_case, "radial": radial_case}


@pytest.mark.parametrize("method", METHODS)
def test_complete_cartesian_data_give_the_image_back(method):
    kspace, truth = cartesian_case(skip=1, shape=(2, 24, 37))
    series = dmr.reconstruct(kspace, method, device="cpu")
    assert series.array.shape == truth.shape
    assert difference(series.array, truth) < 2e-3


@pytest.mark.parametrize(("case", "below", "gain"), [("cartesian", 0.03, 8), ("radial", 0.03, 4)])
def test_cg_sense_recovers_undersampled_data_far_better_than_gridding(case, below, gain):
    kspace, truth = CASES[case]()
    error = difference(dmr.reconstruct(kspace, "cg-sense", device="cpu").array, truth)
    baseline = difference(dmr.reconstruct(kspace, "gridding", device="cpu").array, truth)
    assert error < below
    assert baseline > gain * error


def test_more_iterations_without_regularization_come_closer_to_the_truth():
    kspace, truth = radial_case(spokes=9)
    few, many = (
        difference(dmr.reconstruct(kspace, "cg-sense", device="cpu", iterations=n, regularization=0.0).array, truth)
        for n in (4, 40)
    )
    assert many < few / 2


def test_cg_sense_without_density_weighting_reaches_the_same_image():
    kspace, truth = radial_case(spokes=24)
    values = {"iterations": 60, "regularization": 0.0, "tolerance": 0.0}
    weighted = dmr.reconstruct(kspace, "cg-sense", device="cpu", **values).array
    plain = dmr.reconstruct(kspace, "cg-sense", device="cpu", density_weighting=False, **values).array
    assert difference(weighted, truth) < 0.01
    assert difference(plain, truth) < 0.02


def test_regularization_draws_the_image_towards_zero():
    kspace, _ = cartesian_case(skip=1)
    light, heavy = (
        np.linalg.norm(dmr.reconstruct(kspace, "cg-sense", device="cpu", regularization=value).array)
        for value in (0.0, 1.0)
    )
    # complete data and maps of unit power: the gram is 1, so x / (1 + regularization)
    assert heavy == pytest.approx(light / 2, rel=1e-4)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("spokes", [5, 60])
def test_back_ends_agree(method, spokes):
    kspace, _ = radial_case(spokes=spokes, shape=(1, 25, 36))
    one, other = (dmr.reconstruct(kspace, method, device="cpu", nufft_backend=name).array for name in BACKENDS)
    assert difference(one, other) < 1e-3


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("factor", [1e-7, 3e6])
def test_intensity_follows_the_scale_of_the_data(method, case, factor):
    kspace, _ = CASES[case]()
    scaled = KSpace(**{**vars(kspace), "samples": kspace.samples * np.float32(factor)})
    plain = dmr.reconstruct(kspace, method, device="cpu").array
    assert difference(dmr.reconstruct(scaled, method, device="cpu").array / np.float32(factor), plain) < 1e-4


def test_root_sum_of_squares_is_the_magnitude_for_maps_of_unit_power():
    kspace, truth = cartesian_case(skip=1)
    series = dmr.reconstruct(kspace, "gridding", device="cpu", coil_combination="root-sum-of-squares")
    assert difference(series.array, np.abs(truth)) < 1e-4


def test_gridding_of_dense_radial_data_has_the_intensity_of_the_object():
    kspace, truth = radial_case(spokes=80)
    series = dmr.reconstruct(kspace, "gridding", device="cpu")
    assert difference(series.array, truth) < 0.05


def marker_kspace(kind, shape):
    """Two Gaussians of unlike height, off every axis, from their Fourier integral; and where they are in RAS mm."""
    sizes = shape[::-1] if kind == "volume" else shape[:0:-1]  # x, y (, z)
    big = np.array([5.3, -6.7, 2.2])[: len(sizes)]
    small = np.array([-7.2, 3.4, -2.6])[: len(sizes)]
    if kind == "cartesian":
        ky, kx = np.meshgrid(*(np.arange(n) - n // 2 for n in shape[1:]), indexing="ij")
        k = np.stack([kx, ky], axis=-1)[None]
    elif kind == "radial":
        k, _ = radial(1, 70, shape[1:])
    else:
        directions = np.random.default_rng(0).standard_normal((700, 1, 3))
        directions /= np.linalg.norm(directions, axis=-1, keepdims=True)
        radius = (np.arange(36) - 18) / 36
        k = (directions * radius[:, None] * np.array(sizes))[None]
    spectrum = gaussian_spectrum(k, sizes, big, 1.3) + 0.5 * gaussian_spectrum(k, sizes, small, 1.3)
    common = {"coil_maps": np.ones((1, *shape), np.complex64)}
    if kind == "cartesian":
        kspace = KSpace(spectrum[:, None, None], OBLIQUE, [0.0], **common)
    else:
        density = (
            (np.abs(radius) ** 2 + 1e-3) * np.ones(k.shape[:-1]) if kind == "volume" else radial(1, 70, shape[1:])[1]
        )
        common |= {"trajectory": k, "density": density, "image_shape": shape}
        kspace = KSpace(spectrum[:, None], OBLIQUE, [0.0], **common)
    middle = np.array([n // 2 for n in shape[::-1]], float)
    centres = [middle + np.pad(place, (0, 3 - len(place))) for place in (big, small)]
    return kspace, Geometry(OBLIQUE).to_ras(centres)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("kind", "shape"),
    [
        ("cartesian", (1, 32, 36)),
        ("cartesian", (1, 33, 41)),
        ("radial", (1, 32, 40)),
        ("radial", (1, 33, 37)),
        ("volume", (13, 26, 25)),
    ],
)
def test_an_asymmetric_marker_is_where_it_was(method, kind, shape):
    kspace, expected_ras = marker_kspace(kind, shape)
    series = dmr.reconstruct(kspace, method, device="cpu")
    image = np.abs(series.array[0])
    grid = np.stack(np.meshgrid(*(np.arange(n) for n in shape), indexing="ij")[::-1], axis=-1).astype(float)
    for ras, height in zip(expected_ras, (1.0, 0.5), strict=True):
        at = series.geometry.to_ijk(ras)
        near = np.linalg.norm(grid - at, axis=-1) < 3.5
        weights = image * near
        centroid = (grid * weights[..., None]).sum((0, 1, 2)) / weights.sum()
        assert np.abs(centroid - at).max() < 0.1
        if method == "cg-sense" or kind == "cartesian":
            assert weights.max() == pytest.approx(height, rel=0.25)


@pytest.mark.parametrize("method", METHODS)
def test_a_volume_trajectory_is_one_problem_with_coils(method):
    shape = (5, 12, 14)
    truth, maps = movie(2, shape), coil_maps(4, shape)
    # a stack of dense radial planes: every kz on the grid, so that the 2-D sum and a 1-D sum give the samples
    planes, ramp = radial(2, 40, shape[1:])
    kz = np.arange(5) - 2
    along_z = np.exp(-2j * np.pi * np.outer(kz, kz) / 5) / np.sqrt(5)
    seen = np.stack([sample((truth[:, None] * maps)[:, :, z], planes) for z in range(5)], axis=2)
    samples = np.einsum("kz,fczsr->fcksr", along_z, seen)
    trajectory = np.stack([np.concatenate([planes, np.full((*planes.shape[:-1], 1), k)], -1) for k in kz], axis=1)
    kspace = KSpace(
        samples.reshape(2, 4, -1, samples.shape[-1]),
        OBLIQUE,
        times(2),
        image_shape=shape,
        trajectory=trajectory.reshape(2, -1, samples.shape[-1], 3),
        density=np.stack([ramp] * 5, axis=1).reshape(2, -1, samples.shape[-1]),
        coil_maps=maps,
    )
    series = dmr.reconstruct(kspace, method, device="cpu")
    assert difference(series.array, truth) < (0.08 if method == "gridding" else 0.02)
