"""The method miccan: what it keeps, scales, coils, trajectories, blocks of frames, weights."""

import numpy as np
import pytest
from kspace_cases import (
    OBLIQUE,
    cartesian_case,
    coil_maps,
    difference,
    grid_samples,
    movie,
    radial_case,
    times,
    without_frame,
)
from tiny_models import idle_miccan, spoilt, tiny_miccan

import DynamicMRIReconLib as dmr
from DynamicMRIReconLib.data import KSpace
from DynamicMRIReconLib.errors import Cancelled, InputError
from DynamicMRIReconLib.methods import registry
from DynamicMRIReconLib.methods.base import Context
from DynamicMRIReconLib.methods.common.gridded import GriddedFrames, cells
from DynamicMRIReconLib.methods.common.preparation import with_density


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return str(tiny_miccan(tmp_path_factory.mktemp("miccan")))


def run(kspace, weights, **values):
    return dmr.reconstruct(kspace, "miccan", device="cpu", weights=weights, **values)


@pytest.mark.parametrize("scale", [1e-9, 1.0, 3e7])
@pytest.mark.parametrize("shape", [(1, 32, 36), (1, 31, 45)])
def test_what_was_measured_stays_and_scales_with_the_data(weights, shape, scale):
    truth = movie(3, shape)
    mask = cartesian_case(shape=shape, coils=1)[0].mask
    kspace = KSpace(grid_samples(truth)[:, None] * mask[:, None], OBLIQUE, times(3), mask=mask)
    scaled = KSpace(kspace.samples * np.float32(scale), OBLIQUE, times(3), mask=mask)
    series = run(scaled, weights)
    assert series.array.dtype == np.complex64
    np.testing.assert_array_equal(series.times_s, times(3))
    np.testing.assert_array_equal(series.affine, OBLIQUE)
    assert not series.synthetic.any()
    spectrum = grid_samples(series.array[:, None])
    found, known = spectrum[kspace.mask[:, None]] / scale, kspace.samples[kspace.mask[:, None]]
    assert np.linalg.norm(found - known) < 1e-4 * np.linalg.norm(known)
    reference = run(kspace, weights).array
    assert difference(series.array / np.float32(scale), reference) < 1e-4
    assert difference(reference, truth) > 0.05


@pytest.mark.parametrize("coils", [1, 5])
def test_fully_sampled_frames_come_back_with_their_phase_whatever_the_weights(weights, coils):
    kspace, truth = cartesian_case(coils=coils, skip=1)
    series = run(kspace, weights, coil_compression=0)
    assert difference(series.array, truth) < 1e-4


def test_without_corrections_it_is_the_zero_filled_image(tmp_path):
    kspace, _ = cartesian_case(coils=1)
    series = run(kspace, str(idle_miccan(tmp_path)))
    zero_filled = dmr.reconstruct(kspace, "gridding", device="cpu").array
    assert difference(series.array, zero_filled) < 1e-5


def test_several_coils_are_consistent_each_with_its_own_samples(tmp_path):
    """With corrections of zero, each block is a step towards the least-squares solution of all coils."""
    kspace, truth = cartesian_case(coils=6)
    two = run(kspace, str(idle_miccan(tmp_path)), coil_compression=0).array
    one = dmr.reconstruct(kspace, "gridding", device="cpu").array
    assert difference(two, truth) < 0.9 * difference(one, truth)


def test_blocks_of_frames_and_slices_do_not_matter(weights):
    kspace, _ = cartesian_case(frames=5, shape=(2, 20, 24), coils=3)
    whole, single = (run(kspace, weights, frames_at_once=n) for n in (0, 1))
    assert difference(single.array, whole.array) < 1e-5
    for z, one in enumerate(kspace.slices()):
        assert difference(run(one, weights).array, whole.array[:, z : z + 1]) < 1e-4


@pytest.mark.parametrize(("coils", "limit"), [(1, 0.2), (6, 0.08)])
def test_samples_of_a_trajectory_come_onto_the_grid(coils, limit):
    kspace, truth = radial_case(frames=4, coils=coils, spokes=13)
    maps = kspace.coil_maps
    gridded = GriddedFrames(kspace, maps, "cpu")
    samples, mask = gridded(slice(1, 3))
    assert samples.shape == (2, coils, 32, 36)
    np.testing.assert_array_equal(mask.numpy(), cells(kspace.trajectory[1:3], (32, 36)))
    known = grid_samples((truth[1:3, None] * maps)[:, :, 0]) * mask.numpy()[:, None]
    found = samples.numpy() * gridded.scale
    assert not found[np.broadcast_to(~mask.numpy()[:, None], found.shape)].any()
    error = np.linalg.norm(found - known) / np.linalg.norm(known)
    assert error < limit
    # moving each sample to the next grid point is several times worse
    c = np.rint(kspace.trajectory[1:3]).astype(int) + np.array([18, 16])
    inside = ((c >= 0) & (c < np.array([36, 32]))).all(-1)
    moved, count = np.zeros_like(known), np.zeros((2, 32, 36))
    for f in range(2):
        x, y = c[f][inside[f]].T
        np.add.at(count[f], (y, x), 1)
        for coil in range(coils):
            np.add.at(moved[f, coil], (y, x), kspace.samples[1 + f, coil][inside[f]])
    moved /= np.maximum(count, 1)[:, None]
    assert error < 0.5 * np.linalg.norm(moved - known) / np.linalg.norm(known)


def test_samples_on_the_grid_points_pass_unchanged():
    truth = movie(2, (1, 16, 16))
    ky, kx = np.indices((16, 16)) - 8
    trajectory = np.broadcast_to(np.stack([kx, ky], -1).astype(np.float32), (2, 16, 16, 2)).copy()
    samples = grid_samples(truth)
    kspace = KSpace(samples, OBLIQUE, times(2), trajectory=trajectory, image_shape=(1, 16, 16))
    gridded = GriddedFrames(with_density(kspace), np.ones((1, 1, 16, 16), np.complex64), "cpu")
    found, mask = gridded(slice(0, 2))
    assert mask.all()
    assert difference(found.numpy() * gridded.scale, samples) < 0.01


@pytest.mark.parametrize("coils", [1, 4])
def test_a_densely_sampled_trajectory_gives_the_image(weights, coils):
    kspace, truth = radial_case(coils=coils, spokes=64)
    bare = KSpace(
        kspace.samples, OBLIQUE, times(3), trajectory=kspace.trajectory, image_shape=(1, 32, 36),
        coil_maps=coil_maps(coils, (1, 32, 36)),
    )  # fmt: skip
    series = run(bare, weights, coil_compression=0)
    # the corners of k-space are not covered by spokes; the object has little there, the untrained network adds some
    inside = cells(kspace.trajectory, (32, 36)).all(axis=0)
    found, known = (grid_samples(a[:, 0])[:, inside] for a in (series.array, truth))
    assert np.linalg.norm(found - known) < 0.05 * np.linalg.norm(known)


def test_density_weights_of_the_user_are_used_and_none_computed(weights, monkeypatch):
    from DynamicMRIReconLib.acquisition import density

    def none(*_):
        raise AssertionError("weights were computed although the data bring their own")

    monkeypatch.setattr(density, "density_weights", none)
    assert np.isfinite(run(radial_case(frames=3, shape=(1, 20, 24))[0], weights).array).all()


def test_coils_are_compressed_by_number_or_energy(weights):
    kspace, _ = cartesian_case(coils=12)
    full = run(kspace, weights, coil_compression=0).array
    few = run(kspace, weights, coil_compression=2, coil_energy=0.999).array
    assert 0 < difference(few, full) < 0.05
    assert difference(run(kspace, weights, coil_compression=1).array, full) > 0.05


class TestWhileRunning:
    def test_progress_rises_and_previews_are_magnitudes_in_the_scale_of_the_data(self, weights):
        kspace, _ = cartesian_case(frames=6, shape=(2, 16, 20), coils=2)
        fractions, previews = [], []
        context = Context(
            progress=lambda fraction, message: fractions.append(fraction), preview=lambda a: previews.append(a)
        )
        series = dmr.reconstruct(kspace, "miccan", context=context, weights=weights, frames_at_once=2)
        assert fractions == sorted(fractions)
        assert fractions[-1] == 1
        assert len(set(fractions)) > 10
        np.testing.assert_allclose(previews[0], np.abs(series.array[:2, :1]), rtol=1e-4, atol=1e-5)

    def test_a_cancel_is_seen_within_a_block_of_frames_and_leaves_no_hook(self, weights):
        kspace, _ = cartesian_case(frames=4)
        steps = []

        def callback(status):
            steps.append(status.message)
            return len([message for message in steps if message.startswith("frames")]) < 2

        with pytest.raises(Cancelled):
            run(kspace, weights, callback=callback, frames_at_once=4)
        assert steps[-1] == "frames 1-4"
        assert run(kspace, weights).frames == 4

    def test_the_model_is_named_in_the_result(self, weights):
        kspace, _ = cartesian_case()
        about = run(kspace, weights).metadata["models"]["miccan"]
        assert about["title"] == "tiny miccan"
        assert len(about["sha256"]) == 64
        assert about["warning"] == "Not for diagnostic use."

    def test_use_outside_of_the_cards_ranges_is_said(self, tmp_path):
        from DynamicMRIReconLib.models.card import Range

        ranges = {
            "matrix": Range(low=84, high=128, unit="pixels", meaning="size of the images"),
            "acceleration": Range(low=2.5, high=17, meaning="acceleration"),
            "frame_time_ms": Range(low=5, high=20, unit="ms", meaning="time between frames"),
        }
        said = []
        kspace, _ = cartesian_case()
        context = Context(warn=said.append)
        weights = str(tiny_miccan(tmp_path, ranges=ranges))
        dmr.reconstruct(kspace, "miccan", context=context, weights=weights)
        assert [sentence for sentence in said if "36 pixels" in sentence]
        assert [sentence for sentence in said if "time between frames is" in sentence]
        assert len(said) == 3 - (kspace.acceleration >= 2.5)


def test_what_does_not_fit_is_refused_with_the_reason(weights):
    method = registry.get("miccan")
    kspace, _ = cartesian_case()
    assert "Frame 1 of slice 0" in method.why_not(without_frame(kspace, 1))
    trajectory = np.zeros((1, 2, 8, 3), np.float32)
    trajectory[..., 0] = np.arange(8) - 4
    volume = KSpace(np.ones((1, 1, 2, 8), np.complex64), OBLIQUE, [0.0], trajectory=trajectory, image_shape=(8, 8, 8))
    assert "locally-low-rank" in method.why_not(volume)
    with pytest.raises(InputError, match="needs k-space"):
        run(dmr.reconstruct(kspace, "gridding", device="cpu"), weights)


class TestWeights:
    def test_changed_weights_are_refused(self, tmp_path):
        path = spoilt(tiny_miccan(tmp_path))
        with pytest.raises(InputError, match="SHA-256") as caught:
            run(cartesian_case()[0], str(path))
        assert "\n" not in str(caught.value)

    def test_another_network_is_refused(self, tmp_path):
        from tiny_models import tiny_ifnet

        with pytest.raises(InputError, match="'miccan' is needed"):
            run(cartesian_case()[0], str(tiny_ifnet(tmp_path)))

    def test_missing_weights_are_refused(self, tmp_path):
        with pytest.raises(InputError, match="do not exist"):
            run(cartesian_case()[0], str(tmp_path / "none.safetensors"))
        with pytest.raises(InputError, match="There is no model 'nothing'"):
            run(cartesian_case()[0], "nothing")

    def test_the_card_names_the_weights_too(self, weights):
        kspace, _ = cartesian_case()
        card = weights.replace(".safetensors", ".json")
        np.testing.assert_array_equal(run(kspace, card).array, run(kspace, weights).array)


def test_estimates_grow_with_the_work():
    method = registry.get("miccan")
    values = method.parameters()
    few, many = (method.estimate(cartesian_case(frames=n)[0], values, "cpu") for n in (4, 40))
    assert many.seconds > few.seconds
    spokes = method.estimate(radial_case(frames=4)[0], values, "cpu")
    assert spokes.seconds > few.seconds
    assert spokes.memory_bytes > 0
