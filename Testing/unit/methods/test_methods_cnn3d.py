"""The method cnn3d: what it keeps, scales, coils, windows, place and time, weights."""

import numpy as np
import pytest
from kspace_cases import OBLIQUE, cartesian_case, difference, grid_samples, movie, radial_case, times, without_frame
from tiny_models import spoilt, tiny_cnn3d, tiny_miccan

import DynamicMRIReconLib as dmr
from DynamicMRIReconLib.data import KSpace
from DynamicMRIReconLib.errors import Cancelled, InputError
from DynamicMRIReconLib.methods import registry
from DynamicMRIReconLib.methods.base import Context
from DynamicMRIReconLib.methods.cnn3d import contrast
from DynamicMRIReconLib.models.card import Range
from DynamicMRIReconLib.phantoms.marker import MarkerScene


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return str(tiny_cnn3d(tmp_path_factory.mktemp("cnn3d")))


def run(kspace, weights, **values):
    return dmr.reconstruct(kspace, "cnn3d", device="cpu", weights=weights, **values)


def one_coil(shape=(1, 32, 36), frames=3, scale=1.0, **case):
    """Samples of the moving object without a coil map; and its images."""
    truth = movie(frames, shape)
    mask = cartesian_case(frames=frames, shape=shape, coils=1, **case)[0].mask
    samples = grid_samples(truth)[:, None] * mask[:, None] * np.float32(scale)
    return KSpace(samples, OBLIQUE, times(frames), mask=mask), truth


@pytest.mark.parametrize("scale", [1e-9, 1.0, 3e7])
@pytest.mark.parametrize("shape", [(1, 32, 36), (2, 31, 45)])
def test_what_was_measured_stays_and_scales_with_the_data(weights, shape, scale):
    kspace, truth = one_coil(shape, scale=scale)
    series = run(kspace, weights)
    assert series.array.dtype == np.complex64
    np.testing.assert_array_equal(series.times_s, times(3))
    np.testing.assert_array_equal(series.affine, OBLIQUE)
    assert not series.synthetic.any()
    measured = kspace.mask[:, None]
    found, known = grid_samples(series.array[:, None])[measured], kspace.samples[measured]
    assert np.abs(found - known).max() < 1e-5 * np.abs(known).max()
    reference = run(one_coil(shape)[0], weights).array
    assert difference(series.array / np.float32(scale), reference) < 1e-4
    assert difference(reference, truth) > 0.02


def test_long_series_in_windows_keep_what_was_measured_and_have_no_seams(tmp_path):
    kspace, _ = one_coil((1, 20, 24), frames=30)
    weights = str(tiny_cnn3d(tmp_path, options={"iterations": 1}))
    whole, parts = (run(kspace, weights, window=n, overlap=9).array for n in (30, 20))
    measured = kspace.mask[:, None]
    found, known = grid_samples(parts[:, None])[measured], kspace.samples[measured]
    assert np.abs(found - known).max() < 1e-5 * np.abs(known).max()
    # what a window shows near its end, where it lacks neighbours, counts little
    away = np.linalg.norm((parts - whole).reshape(30, -1), axis=1) / np.linalg.norm(whole.reshape(30, -1), axis=1)
    assert 0 < away.max() < 0.1
    np.testing.assert_allclose(parts[:6], whole[:6], atol=1e-4 * np.abs(whole).max())
    # no step from frame to frame that is not there in one piece
    jumps = [np.linalg.norm(np.diff(array, axis=0).reshape(29, -1), axis=1) for array in (parts, whole)]
    assert (jumps[0] < 1.2 * jumps[1]).all()


def test_any_number_of_frames(weights):
    for frames in (1, 2, 7):
        assert run(one_coil((1, 16, 20), frames=frames)[0], weights, window=4, overlap=2).frames == frames


@pytest.mark.parametrize("coils", [1, 5])
def test_fully_sampled_frames_come_back_with_their_phase_whatever_the_weights(weights, coils):
    kspace, truth = cartesian_case(coils=coils, skip=1)
    series = run(kspace, weights, coil_compression=0, coil_iterations=60)
    assert difference(series.array, truth) < 1e-4


def test_samples_of_several_coils_are_met_the_better_the_more_iterations(weights):
    kspace, _ = cartesian_case(coils=4, skip=4)
    left = []
    for iterations in (2, 12, 400):
        series = run(kspace, weights, coil_compression=0, coil_iterations=iterations)
        found = grid_samples(series.array[:, None] * kspace.coil_maps[None])
        left.append(np.abs((found - kspace.samples) * kspace.mask[:, None]).max() / np.abs(kspace.samples).max())
    assert left[0] > left[1] > left[2]
    assert left[2] < 1e-5


def test_without_corrections_it_is_the_shared_or_the_zero_filled_movie(tmp_path):
    kspace, truth = one_coil(frames=6)
    plain, sharing = (
        run(kspace, str(tiny_cnn3d(tmp_path, idle=True, options={"sharing": on, "iterations": 0}))).array
        for on in (False, True)
    )
    zero_filled = dmr.reconstruct(kspace, "gridding", device="cpu").array
    assert difference(plain, zero_filled) < 1e-5
    assert difference(sharing, truth) < 0.5 * difference(plain, truth)


def test_a_noise_weight_lets_go_of_the_samples(weights):
    kspace, _ = one_coil()
    away = []
    for weight in (0.1, 10.0, 0.0):
        series = run(kspace, weights, noise_weight=weight)
        away.append(np.abs((grid_samples(series.array[:, None]) - kspace.samples) * kspace.mask[:, None]).max())
    assert away[0] > away[1] > away[2]


def test_a_noise_weight_without_data_consistency_is_said(tmp_path):
    said = []
    weights = str(tiny_cnn3d(tmp_path, options={"iterations": 0}))
    dmr.reconstruct(one_coil()[0], "cnn3d", context=Context(warn=said.append), weights=weights, noise_weight=1.0)
    assert [sentence for sentence in said if "no effect" in sentence]


def test_a_marker_stays_in_place_and_time(weights):
    scene = MarkerScene("oblique")
    shape, frame_times = (1, 64, 64), np.array([0.1, 0.25, 0.6, 1.1])
    images = scene.render(frame_times, shape)
    affine = scene.geometry(shape).affine
    rows = (np.arange(64) % 2 == np.arange(4)[:, None] % 2) | (np.abs(np.arange(64) - 32) < 12)
    mask = np.broadcast_to(rows[:, None, :, None], images.shape).copy()
    kspace = KSpace(grid_samples(images)[:, None] * mask[:, None], affine, frame_times, mask=mask)
    series = run(kspace, weights)
    np.testing.assert_allclose(series.times_s, frame_times, atol=1e-6)
    columns, lines = np.meshgrid(np.arange(64), np.arange(64))
    points = np.stack([columns, lines, 0 * lines, 0 * lines + 1], -1) @ series.affine.T
    near = np.linalg.norm(points[..., :3] - scene.marker_ras_mm, axis=-1) < 1.5 * scene.marker_radius_mm
    for frame, truth in zip(np.abs(series.array[:, 0]), np.abs(images[:, 0]), strict=True):
        centres = [np.average(points[near][:, :3], axis=0, weights=image[near]) for image in (frame, truth)]
        assert np.linalg.norm(centres[0] - centres[1]) < 0.1 * 200 / 64
        # the sphere's brightness tells the time
        assert frame[near].sum() == pytest.approx(truth[near].sum(), rel=0.05)


class TestWhileRunning:
    def test_progress_rises_and_previews_are_magnitudes_in_the_scale_of_the_data(self, weights):
        kspace, _ = cartesian_case(frames=6, shape=(2, 16, 20), coils=2)
        fractions, previews = [], []
        context = Context(
            progress=lambda fraction, message: fractions.append(fraction), preview=lambda a: previews.append(a)
        )
        series = dmr.reconstruct(kspace, "cnn3d", context=context, weights=weights)
        assert fractions == sorted(fractions)
        assert fractions[-1] == 1
        assert len(set(fractions)) > 10
        np.testing.assert_allclose(previews[0], np.abs(series.array[:, :1]), rtol=1e-4, atol=1e-5)

    def test_a_cancel_is_seen_within_the_network_and_leaves_no_hook(self, weights):
        kspace, _ = one_coil(frames=4)
        steps = []

        def callback(status):
            steps.append(status.message)
            return len([message for message in steps if message.startswith("frames")]) < 3

        with pytest.raises(Cancelled):
            run(kspace, weights, callback=callback)
        assert steps[-1] == "frames 1-4"
        assert run(kspace, weights).frames == 4

    def test_the_model_is_named_in_the_result(self, weights):
        about = run(one_coil()[0], weights).metadata["models"]["cnn3d"]
        assert about["title"] == "tiny cnn3d"
        assert len(about["sha256"]) == 64

    def test_use_outside_of_the_cards_ranges_is_said(self, tmp_path):
        kspace, _ = one_coil()
        ranges = {
            "matrix": Range(low=84, high=128, unit="pixels", meaning="size of the images"),
            "acceleration": Range(low=20, high=30, meaning="acceleration"),
            "frame_time_ms": Range(low=5, high=20, unit="ms", meaning="time between frames"),
            "contrast": Range(low=0.9, high=1.0, meaning="brightness of the image as a whole"),
        }
        said = []
        weights = str(tiny_cnn3d(tmp_path, ranges=ranges))
        dmr.reconstruct(kspace, "cnn3d", context=Context(warn=said.append), weights=weights)
        for words in ("36 pixels", "The acceleration is", "time between frames is", "as a whole is"):
            assert [sentence for sentence in said if words in sentence], words
        assert len(said) == 4


def test_contrast_is_a_share_that_knows_no_unit_no_phase_and_no_mask():
    full, _ = one_coil(skip=1)
    kspace, truth = one_coil(frames=8)
    magnitude = np.abs(truth.mean(axis=0))
    expected = np.sqrt((magnitude**2).mean()) / np.percentile(magnitude, 99.9)
    assert contrast(full) == pytest.approx(expected, rel=0.02)
    assert contrast(kspace) == pytest.approx(expected, rel=0.05)
    assert contrast(one_coil(scale=1e12, skip=1)[0]) == pytest.approx(contrast(full), rel=1e-3)


def test_what_does_not_fit_is_refused_with_the_reason(weights):
    method = registry.get("cnn3d")
    kspace, _ = one_coil()
    assert method.why_not(kspace) is None
    assert "Cartesian" in method.why_not(radial_case(frames=2)[0])
    assert "Frame 1 of slice 0" in method.why_not(without_frame(kspace, 1))
    with pytest.raises(InputError, match="needs k-space"):
        run(dmr.reconstruct(kspace, "gridding", device="cpu"), weights)
    with pytest.raises(InputError, match="lower overlap"):
        run(kspace, weights, window=8, overlap=8)


class TestWeights:
    def test_changed_weights_are_refused(self, tmp_path):
        path = spoilt(tiny_cnn3d(tmp_path))
        with pytest.raises(InputError, match="SHA-256") as caught:
            run(one_coil()[0], str(path))
        assert "\n" not in str(caught.value)

    def test_another_network_and_missing_weights_are_refused(self, tmp_path):
        with pytest.raises(InputError, match="'cnn3d' is needed"):
            run(one_coil()[0], str(tiny_miccan(tmp_path)))
        with pytest.raises(InputError, match="do not exist"):
            run(one_coil()[0], str(tmp_path / "none.safetensors"))


def test_estimates_grow_with_the_work():
    method = registry.get("cnn3d")
    values = method.parameters()
    few, many = (method.estimate(cartesian_case(frames=n, coils=2)[0], values, "cpu") for n in (4, 40))
    assert many.seconds > few.seconds
    assert many.memory_bytes > few.memory_bytes > 0
    assert method.estimate(cartesian_case(frames=4, coils=8)[0], values, "cpu").seconds > few.seconds
