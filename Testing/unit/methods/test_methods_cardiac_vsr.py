"""The methods cardiac-vsr and bicubic: place, scale, phase, warnings, cancel, refusals."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from kspace_cases import OBLIQUE
from scipy import ndimage
from skimage.registration import phase_cross_correlation
from tiny_models import tiny_cardiac_vsr

sys.path.insert(0, str(Path(__file__).parents[1] / "cardiac"))
sys.path.insert(0, str(Path(__file__).parents[1] / "io"))
from beating import heart
from marker_series import MARKER_RAS_MM, ORIENTATIONS, found_ras_mm, marker_series

import DynamicMRIReconLib as dmr
from DynamicMRIReconLib.acquisition.degradation import degraded
from DynamicMRIReconLib.data import ImageSeries
from DynamicMRIReconLib.errors import Cancelled, InputError
from DynamicMRIReconLib.methods import cardiac_vsr, registry
from DynamicMRIReconLib.methods.base import Context
from DynamicMRIReconLib.methods.cardiac_vsr import around
from DynamicMRIReconLib.operators.zero_filling import ZeroFilling
from DynamicMRIReconLib.phantoms.marker import MarkerScene

SAMPLE = Path(__file__).resolve().parents[3] / "Resources" / "SampleData" / "cine_sax"
TIMES = np.array([0.1, 0.13, 0.18, 0.2, 0.26])


@pytest.fixture(scope="module")
def weights(folder):
    return {scale: str(tiny_cardiac_vsr(folder, scale)) for scale in (2, 3, 4)}


@pytest.fixture(scope="module")
def idle(folder):
    return {scale: str(tiny_cardiac_vsr(folder, scale, idle=True)) for scale in (2, 3, 4)}


def run(series, weights, scale=2, **values):
    return dmr.reconstruct(series, "cardiac-vsr", device="cpu", weights=weights[scale], scale=scale, **values)


def middle_of_mass(series, frame):
    return series.geometry.to_ras(ndimage.center_of_mass(series.array[frame])[::-1])


@pytest.mark.parametrize("scale", [2, 3, 4])
@pytest.mark.parametrize("method", ["bicubic", "cardiac-vsr"])
@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_the_marker_stays_in_its_place_and_time(idle, orientation, method, scale):
    series = marker_series(orientation, TIMES)
    more = {"weights": idle[scale]} if method == "cardiac-vsr" else {}
    result = dmr.reconstruct(series, method, device="cpu", scale=scale, **more)
    assert result.array.shape == (5, 5, scale * 20, scale * 26)
    np.testing.assert_array_equal(result.times_s, TIMES)
    np.testing.assert_allclose(result.geometry.spacing_mm, series.geometry.spacing_mm / [scale, scale, 1])
    for t in range(5):
        # the peak of an interpolated blob is off by less than a tenth of what was interpolated, its middle by nothing
        peak = found_ras_mm(result.array[t], result.affine)
        assert np.abs(peak - MARKER_RAS_MM).max() < 0.1 * series.geometry.spacing_mm.min()
        apart = middle_of_mass(result, t) - middle_of_mass(series, t)
        assert np.abs(apart).max() < 0.1 * result.geometry.spacing_mm.min()
    for corner in ((-0.5, -0.5), (25.5, -0.5), (25.5, 19.5)):
        fine = (np.array(corner) + 0.5) * scale - 0.5
        np.testing.assert_allclose(series.geometry.to_ras((*corner, 2)), result.geometry.to_ras((*fine, 2)), atol=1e-9)


@pytest.mark.parametrize("scale", [2, 4])
def test_the_marker_scene_after_degradation(idle, scale):
    """The sphere of the marker phantom, made coarse and fine again, is where the scene says."""
    scene = MarkerScene("oblique")
    shape = (1, 192, 192)
    truth = ImageSeries(
        np.abs(scene.render(0.4 * np.arange(5), shape)), scene.geometry(shape).affine, 0.4 * np.arange(5)
    )
    affine = truth.affine.copy()
    affine[:3, :2] *= scale
    affine[:3, 3] = truth.geometry.to_ras(((scale - 1) / 2, (scale - 1) / 2, 0))
    coarse = ImageSeries(degraded(truth.array, scale), affine, truth.times_s)
    result = run(coarse, idle, scale)
    np.testing.assert_allclose(result.affine, truth.affine, atol=1e-9)
    at = np.rint(truth.geometry.to_ijk(scene.marker_ras_mm)).astype(int)
    reach = int(1.6 * scene.marker_radius_mm / truth.geometry.spacing_mm[0])
    y, x = np.indices((2 * reach + 1, 2 * reach + 1)) - reach
    for series in (truth, result):
        window = series.array[2, 0, at[1] - reach : at[1] + reach + 1, at[0] - reach : at[0] + reach + 1]
        centre = [at[0] + (x * window).sum() / window.sum(), at[1] + (y * window).sum() / window.sum(), 0]
        expected = series.geometry.to_ijk(scene.marker_ras_mm)[:2]
        assert np.abs(np.array(centre[:2]) - expected).max() < 0.1


def test_parity_displaces_and_says_so():
    series = marker_series("axial", TIMES)
    warned = []
    method = registry.get("bicubic")
    result = method.run(series, method.parameters("faithful"), Context(warn=warned.append))
    assert "displaced" in warned[0]
    found = found_ras_mm(result.array[0], result.affine)
    assert np.abs(found - MARKER_RAS_MM).max() > 0.15 * result.geometry.spacing_mm[0]
    aligned = dmr.reconstruct(series, "bicubic", scale=2)
    assert np.abs(aligned.array - result.array).max() > 0.01


def test_bicubic_keeps_phase_and_scale():
    series = marker_series("oblique", TIMES)
    turned = replace(series, array=(4e5 * np.exp(0.7j) * series.array).astype(np.complex64))
    plain, result = (dmr.reconstruct(one, "bicubic", scale=3) for one in (series, turned))
    assert result.array.dtype == np.complex64
    np.testing.assert_allclose(result.array, 4e5 * np.exp(0.7j) * plain.array, rtol=1e-4, atol=1)


@pytest.mark.parametrize("scale", [1e-6, 1.0, 3e5])
def test_intensities_keep_their_scale_and_bright_voxels_are_not_cut_off(weights, scale):
    series = heart(size=32)
    array = series.array.copy()
    array[:, :, 3, 4] = 5.0
    unit = run(replace(series, array=array), weights)
    result = run(replace(series, array=(scale * array).astype(np.float32)), weights)
    np.testing.assert_allclose(result.array, scale * unit.array, rtol=1e-3, atol=1e-3 * scale)
    assert unit.array[0, 0, 5:9, 7:11].max() > 3.5
    assert unit.array.min() >= 0


@pytest.mark.parametrize(("size", "scale"), [(25, 2), (25, 3), (25, 4), (24, 2)])
def test_what_was_measured_of_kspace_is_kept(weights, size, scale):
    series = heart(size=size)
    # one voxel is the brightest: a plateau might have been cut off there, and would be left alone
    slope = np.linspace(1, 1.1, size, dtype=np.float32)
    series = replace(series, array=1e3 * (1 + series.array) * slope)
    kept, free = (run(series, weights, scale, data_consistency=one) for one in (True, False))
    operator = ZeroFilling((size, size), scale)

    def seen(result):
        fine = torch.from_numpy(result.array[:, 0])
        return operator.adjoint(torch.complex(fine, 0 * fine)).abs().numpy() / scale**2

    lacking = [np.abs(seen(one) - series.array[:, 0]).max() for one in (kept, free)]
    # half of what an even number of voxels has of its highest frequency cannot be told
    assert lacking[0] < (0.05 if size % 2 else 0.4) * lacking[1]
    np.testing.assert_array_equal(kept.times_s, free.times_s)
    # what is beyond is the network's in either
    beyond = kept.array - free.array
    rest = torch.from_numpy(beyond[:, 0])
    inside = operator(operator.adjoint(torch.complex(rest, 0 * rest))).real.numpy() / scale**2
    assert np.abs(beyond[:, 0] - inside).max() < 0.2 * np.abs(beyond).max()
    method = registry.get("cardiac-vsr")
    assert method.parameters("standard").data_consistency
    assert not method.parameters("faithful").data_consistency


def test_signs_are_kept(weights):
    """A real series that is no magnitude: its negative half is the mirror of the positive one."""
    series = heart(size=24)
    signed = replace(series, array=series.array - np.float32(0.5))
    result = run(signed, weights)
    assert result.array.min() < -0.2
    fine = torch.from_numpy(result.array[:, 0])
    seen = ZeroFilling((24, 24), 2).adjoint(torch.complex(fine, 0 * fine)).real.numpy() / 4
    np.testing.assert_allclose(seen, signed.array[:, 0], atol=0.02)


def test_complex_and_slices(weights):
    series = heart(size=32)
    two = np.concatenate([series.array, 0.5 * series.array], axis=1)
    result = run(replace(series, array=two), weights)
    turned = run(replace(series, array=(two * np.exp(1j)).astype(np.complex64)), weights)
    assert result.array.dtype == np.float32
    np.testing.assert_allclose(turned.array, result.array, atol=1e-4)
    assert np.abs(result.array[:, 0] - result.array[:, 1]).max() > 0.1


def test_slices_and_beats_of_the_real_cine_stay_where_and_when_they_are():
    """With the weights that ship: every frame and slice is nearest to its own, nothing is displaced by 0.1 voxel."""
    cine = dmr.read(SAMPLE)
    beat = np.concatenate([cine.array[..., 104:144, 104:144], cine.array[..., 104:144, 112:152]], axis=1)
    times = np.concatenate([cine.times_s, cine.times_s + 20 * np.median(np.diff(cine.times_s))])
    series = ImageSeries(np.concatenate([beat, beat]), np.diag([2.7, 2.7, 10, 1]), times)
    result = dmr.reconstruct(series, "cardiac-vsr", preset="fast", device="cpu", scale=2)
    found = result.metadata["cardiac_phase"]
    assert (found["frames_per_beat"], found["cyclic"]) == (pytest.approx(20, abs=0.1), True)
    np.testing.assert_allclose(result.times_s, times, atol=1e-6)
    coarse = result.array.reshape(40, 2, 40, 2, 40, 2).mean(axis=(3, 5))
    apart = ((coarse[:, None] - beat[None]) ** 2).mean(axis=(2, 3, 4))
    np.testing.assert_array_equal(apart.argmin(axis=1), np.arange(40) % 20)
    for frame, k in np.ndindex(40, 2):
        pair = series.array[frame, k], coarse[frame, k]
        moved = phase_cross_correlation(*pair, upsample_factor=50, normalization=None)[0]
        assert np.abs(moved).max() <= 0.1
        other = ((coarse[frame, k] - series.array[frame, 1 - k]) ** 2).mean()
        assert ((coarse[frame, k] - series.array[frame, k]) ** 2).mean() < other


def test_the_phase_found_travels_with_the_result(weights):
    series = heart(size=64)
    result = run(series, weights)
    phase = result.metadata["cardiac_phase"]
    assert phase["beats"] == 1
    assert len(phase["code"]) == len(phase["blood_pixels"]) == 20
    assert result.metadata["models"]["cardiac-vsr"]["warning"] == "Not for diagnostic use."
    figures = result.metadata["figures"]
    assert (figures["ed_frame"], figures["es_frame"]) == (phase["ed_frame"], phase["es_frame"])
    given = run(series, weights, ed_frame=3, es_frame=11, beats=1)
    assert given.metadata["cardiac_phase"]["code"][3] == 1
    assert given.metadata["cardiac_phase"]["code"][11] == -1
    assert given.metadata["cardiac_phase"]["ed_from"] == "user"
    assert np.abs(given.array - result.array).max() > 1e-6


def test_the_context_goes_round_a_beat_and_back_from_other_ends():
    np.testing.assert_array_equal(around(4, 3, cyclic=True), [1, 2, 3, 0, 1, 2, 3, 0, 1, 2])
    np.testing.assert_array_equal(around(4, 3, cyclic=False), [3, 2, 1, 0, 1, 2, 3, 2, 1, 0])
    np.testing.assert_array_equal(around(3, 7, cyclic=True) % 3, np.arange(-7, 10) % 3)
    assert set(around(3, 7, cyclic=False)) == {0, 1, 2}
    np.testing.assert_array_equal(around(5, 0, cyclic=True), np.arange(5))


def test_a_cycle_that_begins_elsewhere_gives_the_same_frames(weights):
    """With warm-up all round the beat, the first frame is no special one."""
    series = heart(size=32)
    method = registry.get("cardiac-vsr")
    arrays = []
    for first in (0, 8):
        turned = replace(series, array=np.roll(series.array, -first, axis=0))
        values = {"ed_frame": (0 - first) % 20, "es_frame": (7 - first) % 20, "beats": 1.0, "warmup": 20}
        parameters = method.parameters("standard", weights=weights[2], **values)
        arrays.append(np.roll(method.run(turned, parameters, Context()).array, first, axis=0))
    np.testing.assert_allclose(arrays[0], arrays[1], atol=2e-4)


def test_long_series_go_in_parts_that_give_the_same_frames(weights, monkeypatch):
    series, values = heart(size=24), {"ed_frame": 0, "es_frame": 7, "beats": 1.0, "warmup": 16}
    whole = run(series, weights, **values)
    lengths = []
    step_of = cardiac_vsr._finer

    def watched(images, *others):
        lengths.append(len(images))
        return step_of(images, *others)

    monkeypatch.setattr(cardiac_vsr, "MOST_FRAMES", 8)
    monkeypatch.setattr(cardiac_vsr, "_finer", watched)
    cut = run(series, weights, **values)
    assert lengths == [8 + 32, 8 + 32, 4 + 32]
    np.testing.assert_allclose(cut.array, whole.array, atol=2e-4 * whole.array.max())
    np.testing.assert_array_equal(cut.times_s, whole.times_s)


def test_the_memory_of_the_network_does_not_grow_with_the_series(weights):
    method = registry.get("cardiac-vsr")
    needed = []
    for frames in (400, 800):
        series = ImageSeries(np.ones((frames, 1, 64, 64), np.float32), np.eye(4), 0.04 * np.arange(frames))
        needed.append(method.estimate(series, method.parameters("standard"), "cpu").memory_bytes)
    # series and result only
    assert needed[1] - needed[0] == pytest.approx(400 * 64 * 64 * (2 * 4 + 2.5 * 16))


def test_warnings(folder, weights):
    method = registry.get("cardiac-vsr")

    def warned(series, **values):
        said = []
        method.run(series, method.parameters("fast", weights=weights[2], **values), Context(warn=said.append))
        return said

    half = heart(beats=0.4, size=32)
    assert any("does not lead back" in sentence for sentence in warned(half))
    still = ImageSeries(np.ones((5, 1, 16, 16), np.float32), np.eye(4), np.arange(5) * 0.04)
    assert any("Nothing moves" in sentence for sentence in warned(still))
    assert any("size of the" in one or "matrix" in one for one in warned(heart(size=96)))
    assert warned(heart(size=32)) == []


def test_cancel_is_seen_within_a_frame_and_progress_rises_to_one(weights):
    method, seen = registry.get("cardiac-vsr"), []
    series = heart(size=32)
    two = replace(series, array=np.repeat(series.array, 2, axis=1))
    parameters = method.parameters("standard", weights=weights[2])
    method.run(two, parameters, Context(progress=lambda fraction, message: seen.append((fraction, message))))
    fractions = [fraction for fraction, _ in seen]
    assert fractions == sorted(fractions)
    assert fractions[-1] == pytest.approx(1)
    assert {"slice 1 of 2", "slice 2 of 2"} <= {message for _, message in seen}
    calls = []

    def cancelled():
        calls.append(1)
        return len(calls) > 10

    with pytest.raises(Cancelled):
        method.run(two, parameters, Context(cancelled=cancelled))
    assert len(calls) == 11
    with pytest.raises(Cancelled):
        registry.get("bicubic").run(two, registry.get("bicubic").parameters(), Context(cancelled=lambda: True))


def test_refusals(folder, weights, tmp_path):
    series = heart(size=32)
    with pytest.raises(InputError, match="2 times finer, not 3"):
        dmr.reconstruct(series, "cardiac-vsr", device="cpu", weights=weights[2], scale=3)
    with pytest.raises(InputError, match="4 frames or more"):
        dmr.reconstruct(heart(frames=3, size=32), "cardiac-vsr", device="cpu", weights=weights[2])
    for values in ({"ed_frame": 20}, {"info_file": str(tmp_path / "none.cfg")}, {"beats": 15}):
        with pytest.raises(InputError):
            run(series, weights, **values)
    for values in ({"scale": 5}, {"scale": 1}, {"warmup": -1}):
        with pytest.raises(InputError, match=next(iter(values))):
            registry.get("cardiac-vsr").parameters("standard", **values)
    with pytest.raises(InputError, match="no model"):
        dmr.reconstruct(series, "cardiac-vsr", device="cpu", weights="unknown")


def test_input_stays_and_estimates_grow(weights):
    series = ImageSeries(heart(size=32).array, OBLIQUE, 0.04 * np.arange(20))
    before = series.array.copy()
    run(series, weights)
    np.testing.assert_array_equal(series.array, before)
    for key in ("cardiac-vsr", "bicubic"):
        method = registry.get(key)
        small, large = (method.estimate(series, method.parameters("standard", scale=scale), "cpu") for scale in (2, 4))
        assert small.memory_bytes < large.memory_bytes
        assert small.seconds <= large.seconds
