"""What k-space methods share: misfit and penalty of their results, coils by energy, the user's density weights."""

from dataclasses import replace

import numpy as np
import pytest
from kspace_cases import cartesian_case, difference, grid_samples, radial_case, sample

import DynamicMRIReconLib as dmr
from DynamicMRIReconLib.acquisition import density
from DynamicMRIReconLib.methods import registry
from DynamicMRIReconLib.methods.common.kspace_parameters import KSpaceParameters

SHARING = [m for m in registry.all_methods().values() if issubclass(m.Parameters, KSpaceParameters)]
#: those with trained weights have no iterations, and tests of their own
ITERATIVE = [m.key for m in SHARING if "iterations" in m.Parameters.model_fields]
REGULARISED = [key for key in ITERATIVE if key != "cg-sense"]


def temporal_tv(images, cyclic):
    return np.abs(images.astype(complex) - np.roll(images, 1, 0))[0 if cyclic else 1 :].sum()


def spatial_tv(images):
    return np.sqrt(sum(np.abs(np.roll(images, -1, axis) - images) ** 2 for axis in (2, 3))).sum()


def test_every_method_on_k_space_but_gridding_shares_the_parameters():
    kspace_methods = {m.key for m in registry.all_methods().values() if m.input_kind == "kspace"}
    assert {m.key for m in SHARING} == kspace_methods - {"gridding"}
    assert set(ITERATIVE) == kspace_methods - {"gridding", "miccan", "speech", "cnn3d"}


@pytest.mark.parametrize("method", REGULARISED)
@pytest.mark.parametrize("case", [cartesian_case, radial_case])
def test_the_misfit_is_that_of_the_result(method, case):
    kspace, _ = case(frames=4, shape=(1, 24, 28))
    series = dmr.reconstruct(kspace, method, device="cpu", iterations=3)
    figures = series.metadata["figures"]
    images = series.array[:, None] * kspace.coil_maps
    if kspace.mask is None:
        predicted = sample(images[:, :, 0], kspace.trajectory)
    else:
        predicted = grid_samples(images) * kspace.mask[:, None]
    direct = np.sum(np.abs(predicted - kspace.samples) ** 2) / np.sum(np.abs(kspace.samples) ** 2)
    # the figures are in scaled units: compare parts of the energy of the data
    scale = dmr_scale(kspace)
    energy = np.sum(np.abs(kspace.samples / scale) ** 2)
    assert 2 * figures["misfit"] / energy == pytest.approx(direct, rel=2e-2, abs=1e-7)


def dmr_scale(kspace):
    from DynamicMRIReconLib.methods.common.preparation import intensity_scale, with_density

    return intensity_scale(with_density(kspace), kspace.coil_maps)


def test_the_penalty_is_told_with_and_without_its_weights():
    kspace, _ = cartesian_case(frames=4, shape=(1, 24, 28))
    scale = dmr_scale(kspace)
    series = dmr.reconstruct(
        kspace,
        "space-time",
        device="cpu",
        iterations=3,
        regularization=0.02,
        spatial_regularization=0.003,
        cyclic=False,
    )
    figures, images = series.metadata["figures"], series.array / scale
    assert figures["penalty_per_regularization"] == pytest.approx(temporal_tv(images, cyclic=False), rel=1e-3)
    assert figures["penalty_per_spatial_regularization"] == pytest.approx(spatial_tv(images), rel=1e-3)
    expected = 0.02 * temporal_tv(images, cyclic=False) + 0.003 * spatial_tv(images)
    assert figures["penalty"] == pytest.approx(expected, rel=1e-3)


def test_both_parts_have_their_own_penalty():
    kspace, _ = cartesian_case(frames=4, shape=(1, 24, 28))
    series = dmr.reconstruct(kspace, "low-rank-sparse", device="cpu", iterations=3)
    figures, scale = series.metadata["figures"], dmr_scale(kspace)
    low, sparse = (series.parts[name] / scale for name in ("low-rank", "sparse"))
    # the weight counts times the root of the voxels of a frame, and the mean over time is sparse as well
    nuclear = np.linalg.svd(low.reshape(4, -1), compute_uv=False).sum() * np.sqrt(24 * 28)
    mean = np.abs(sparse.sum(0)).sum() / np.sqrt(4)
    assert figures["penalty_per_low_rank_regularization"] == pytest.approx(nuclear, rel=1e-3)
    assert figures["penalty_per_regularization"] == pytest.approx(temporal_tv(sparse, cyclic=True) + mean, rel=1e-3)
    assert difference(series.parts["low-rank"] + series.parts["sparse"], series.array) < 1e-5


@pytest.mark.parametrize("method", ["cg-sense", "grasp"])
def test_slices_and_blocks_of_frames_add_up(method):
    kspace, _ = cartesian_case(frames=4, shape=(3, 20, 24))
    options = {"device": "cpu", "iterations": 3}
    blocks = {"frames_at_once": 3} if method == "cg-sense" else {}
    whole = dmr.reconstruct(kspace, method, **options, **blocks)
    single = [dmr.reconstruct(one, method, **options).metadata["figures"] for one in kspace.slices()]
    for name, value in whole.metadata["figures"].items():
        assert value == pytest.approx(sum(one[name] for one in single), rel=1e-3)


@pytest.mark.parametrize("method", ITERATIVE)
def test_coils_by_energy_work_alike_in_all_methods(method, monkeypatch):
    from DynamicMRIReconLib.operators import acquisition_model

    used = []
    original = acquisition_model.acquisition_model

    def model(kspace, *arguments, **options):
        used.append(kspace.coils)
        return original(kspace, *arguments, **options)

    monkeypatch.setattr(acquisition_model, "acquisition_model", model)
    kspace, _ = cartesian_case(frames=3, shape=(1, 20, 24), coils=12)
    full = dmr.reconstruct(kspace, method, device="cpu", iterations=4, coil_compression=0)
    few = dmr.reconstruct(kspace, method, device="cpu", iterations=4, coil_compression=2, coil_energy=0.999)
    assert used[0] == 12
    assert 2 < used[-1] < 12
    assert difference(few.array, full.array) < 0.05


@pytest.mark.parametrize("method", ITERATIVE)
@pytest.mark.parametrize("case", [cartesian_case, radial_case])
def test_the_result_does_not_depend_on_how_many_frames_the_model_takes_at_once(method, case, monkeypatch):
    from DynamicMRIReconLib.operators import acquisition_model

    kspace, _ = case(frames=5, shape=(1, 20, 24))
    whole = dmr.reconstruct(kspace, method, device="cpu", iterations=2).array
    monkeypatch.setattr(acquisition_model, "BLOCK_BYTES_ON_CPU", 2 * 8 * kspace.coil_maps.size)
    assert difference(dmr.reconstruct(kspace, method, device="cpu", iterations=2).array, whole) < 1e-4


@pytest.mark.parametrize("method", ["gridding", *ITERATIVE])
def test_density_weights_of_the_user_are_used_and_none_computed(method, monkeypatch):
    kspace, _ = radial_case(frames=3, shape=(1, 20, 24))

    def none(*_):
        raise AssertionError("weights were computed although the data bring their own")

    monkeypatch.setattr(density, "density_weights", none)
    options = {} if method == "gridding" else {"iterations": 2}
    series = dmr.reconstruct(kspace, method, device="cpu", **options)
    assert np.isfinite(series.array).all()


def test_other_weights_give_another_gridded_image():
    kspace, _ = radial_case(frames=3, shape=(1, 20, 24))
    doubled = replace(kspace, density=2 * kspace.density)
    one, two = (dmr.reconstruct(k, "gridding", device="cpu").array for k in (kspace, doubled))
    np.testing.assert_allclose(two, 2 * one, rtol=1e-4, atol=1e-5 * np.abs(one).max())


def test_a_context_that_is_used_again_starts_a_new_account():
    from DynamicMRIReconLib.methods.base import Context

    kspace, _ = cartesian_case(frames=3, shape=(1, 20, 24))
    context = Context()
    first, second = (dmr.reconstruct(kspace, "cg-sense", context=context, iterations=2) for _ in range(2))
    assert second.metadata["figures"]["misfit"] == pytest.approx(first.metadata["figures"]["misfit"], rel=1e-6)
