"""The method ifnet: times, synthetic flags, what is kept and what is not interpolated, flow in mm."""

import numpy as np
import pytest
import torch
from ifnet_cases import run, sliding
from kspace_cases import OBLIQUE, cartesian_case, difference
from tiny_models import shifting_ifnet, tiny_ifnet

import DynamicMRIReconLib as dmr
from DynamicMRIReconLib import io, models
from DynamicMRIReconLib.data import ImageSeries
from DynamicMRIReconLib.errors import Cancelled, InputError
from DynamicMRIReconLib.methods import registry
from DynamicMRIReconLib.methods.base import Context
from DynamicMRIReconLib.methods.common.interpolation import between, look_at_pairs


@pytest.fixture(scope="module")
def weights(folder):
    return str(tiny_ifnet(folder))


@pytest.mark.parametrize("kind", ["real", "complex"])
@pytest.mark.parametrize("upsampling", [2, 3, 5])
def test_measured_frames_stay_and_those_between_divide_the_time(weights, upsampling, kind):
    series = sliding(kind=kind, shape=(2, 40, 48))
    result = run(series, weights, temporal_upsampling=upsampling)
    assert result.frames == 3 * upsampling + 1
    assert result.array.dtype == series.array.dtype
    np.testing.assert_array_equal(result.array[::upsampling], series.array)
    np.testing.assert_array_equal(result.times_s[::upsampling], series.times_s)
    steps = np.diff(result.times_s).reshape(3, upsampling)
    np.testing.assert_allclose(steps, np.diff(series.times_s)[:, None].repeat(upsampling, 1) / upsampling, atol=1e-12)
    np.testing.assert_array_equal(result.synthetic, np.arange(result.frames) % upsampling != 0)
    np.testing.assert_array_equal(result.affine, OBLIQUE)


def test_a_frame_rate_of_its_own(weights):
    series = sliding()
    result = run(series, weights, frames_per_s=100.0)
    span = series.times_s[-1] - series.times_s[0]
    assert result.frames == int(span * 100 + 1e-6) + 1
    np.testing.assert_allclose(np.diff(result.times_s), 0.01, atol=1e-9)
    assert not result.synthetic[0]
    assert result.synthetic[1:].sum() >= result.frames - 4
    same = run(series, weights, temporal_upsampling=1)
    np.testing.assert_array_equal(same.array, series.array)
    assert not same.synthetic.any()


@pytest.mark.parametrize("kind", ["real", "complex"])
@pytest.mark.parametrize("scale", [1e-8, 1.0, 4e6])
def test_the_flow_moves_the_frames_themselves_in_their_scale_with_their_phase(folder, kind, scale):
    series = sliding(step=(2.0, -1.0), kind=kind, scale=scale)
    result = run(series, str(shifting_ifnet(folder, 2.0, -1.0)), temporal_upsampling=2)
    finer = sliding(frames=7, step=(1.0, -0.5), kind=kind, scale=scale).array
    inner = (slice(None), slice(None), slice(3, -3), slice(3, -3))
    assert difference(np.abs(result.array)[1::2][inner], np.abs(finer)[1::2][inner]) < 0.01
    if kind == "complex":
        # the phase that the image has at each place is the same at all times; moved with the image it is off a little
        bright = np.abs(finer[1::2]) > 0.3 * scale
        assert np.abs(np.angle(result.array[1::2] * finer[1::2].conj()))[bright].max() < 0.05
    blend = 0.5 * (series.array[:-1] + series.array[1:])
    assert difference(blend, finer[1::2]) > 0.02


def test_voxels_brighter_than_the_scale_and_negative_ones_are_not_cut_off(folder):
    series = sliding()
    series.array[:, 0, 0, 0] = 50.0
    series.array[:, 0, 5, 5] = -0.3
    series.array[1, 0, 20, 20] += 0.1
    result = run(series, str(shifting_ifnet(folder, 0.0, 0.0)), temporal_upsampling=2)
    assert result.array[1, 0, 0, 0] == pytest.approx(50.0)
    assert result.array[1, 0, 5, 5] == pytest.approx(-0.3)


def test_nothing_is_interpolated_where_nothing_moves_or_a_scene_ends(weights):
    array = sliding(6, (1.0, 0.0)).array.copy()
    array[2] = array[1]
    array[4:] = array[4:, :, ::-1, ::-1] + 0.5
    series = ImageSeries(array, np.eye(4), 0.1 * np.arange(6))
    said = []
    result = dmr.reconstruct(series, "ifnet", context=Context(warn=said.append), weights=weights, temporal_upsampling=4)
    np.testing.assert_array_equal(result.array[5:8], np.broadcast_to(array[1], (3, 1, 40, 48)))
    np.testing.assert_array_equal(result.array[13], array[3])
    np.testing.assert_array_equal(result.array[15], array[4])
    assert result.synthetic[5:8].all()
    assert result.synthetic[13:16].all()
    assert not np.array_equal(result.array[9], array[2])
    assert result.metadata["not_interpolated"] == {"static": [1], "cut": [3]}
    assert len(said) == 1
    assert "0.300 s" in said[0]
    through = run(series, weights, temporal_upsampling=2, cut_threshold=0)
    assert through.metadata["not_interpolated"] == {"static": [1], "cut": []}


def test_frames_that_were_synthetic_stay_so(weights):
    series = sliding()
    given = ImageSeries(series.array, series.affine, series.times_s, np.array([False, True, False, False]))
    assert run(given, weights, temporal_upsampling=2).synthetic.tolist() == [0, 1, 1, 1, 0, 1, 0]


def test_blocks_do_not_matter_and_a_cancel_is_seen_within_one(weights, monkeypatch):
    from DynamicMRIReconLib.methods.common import interpolated_series

    series = sliding(5, shape=(2, 40, 48))
    whole = run(series, weights, temporal_upsampling=3).array
    monkeypatch.setattr(interpolated_series, "PICTURES_ON_CPU", 3)
    assert difference(run(series, weights, temporal_upsampling=3).array, whole) < 1e-5
    fractions = []

    def callback(status):
        fractions.append(status.fraction)
        return len(fractions) < 6

    with pytest.raises(Cancelled):
        run(series, weights, temporal_upsampling=3, callback=callback)
    assert fractions == sorted(fractions)
    assert 0 < fractions[-1] < 0.3


@pytest.mark.parametrize("kind", ["real", "complex"])
def test_the_correction_of_the_network_reaches_dark_places_and_dims_at_most_to_nothing(folder, kind):
    series = sliding(kind=kind)
    series.array[:, :, :10] = 0
    network = models.load(shifting_ifnet(folder, 0.0, 0.0)).network
    first, second = (torch.as_tensor(series.array[n, 0])[None] for n in (0, 1))
    blend = 0.5 * (first.abs() + second.abs())[0]
    for bias in (0.4, -9.0):
        with torch.no_grad():
            network.refine.head.bias.fill_(bias)
            found = between(network, first, second, torch.tensor([0.5]))[0]
        expected = (blend + np.tanh(bias / 2)).clamp(0, 1)
        torch.testing.assert_close(found.abs(), expected, atol=2e-3, rtol=0)
        assert not blend[:9].any()


class TestFlowFile:
    STEP = (2.0, -1.0)

    @pytest.fixture
    def written(self, folder, tmp_path):
        import nrrd

        path = tmp_path / "flow.seq.nrrd"
        series = sliding(4, self.STEP, shape=(2, 40, 48))
        array = series.array.copy()
        array[3] = array[2]
        series = ImageSeries(array, OBLIQUE, series.times_s)
        run(series, str(shifting_ifnet(folder, *self.STEP)), save_flow=str(path))
        vectors, header = nrrd.read(str(path), index_order="C")
        return series, vectors, header, path

    def test_vectors_are_millimetres_along_left_posterior_superior(self, written):
        series, vectors, header, _ = written
        assert vectors.shape == (3, 2, 40, 48, 3)
        ras = OBLIQUE[:3, 0] * self.STEP[0] + OBLIQUE[:3, 1] * self.STEP[1]
        np.testing.assert_allclose(vectors[0], np.broadcast_to(ras * [-1, -1, 1], vectors[0].shape), atol=1e-4)
        assert header["space"] == "left-posterior-superior"
        assert header["kinds"] == ["vector", "domain", "domain", "domain", "list"]
        assert header["units"][0] == "mm"
        np.testing.assert_allclose(header["space directions"][1:4].T * [[-1], [-1], [1]], OBLIQUE[:3, :3])
        np.testing.assert_allclose(header["space origin"] * [-1, -1, 1], OBLIQUE[:3, 3])
        assert "half-way between two frames" in header["DynamicMRIRecon.vectors"]
        middle = (series.times_s[:-1] + series.times_s[1:]) / 2
        found = np.array(header["axis 4 index values"].split(), float)
        np.testing.assert_allclose(found * {"s": 1, "ms": 1e-3}[header["units"][4]], middle, atol=1e-8)

    def test_static_pairs_have_no_vectors_and_are_named(self, written):
        _, vectors, header, _ = written
        assert not vectors[2].any()
        assert header["DynamicMRIRecon.not_interpolated"] == "2"

    def test_a_vector_carries_the_marker_to_where_it_is_next(self, written):
        series, vectors, _, _ = written
        z, y, x = np.unravel_index(series.array[0].argmax(), series.array[0].shape)
        start = OBLIQUE @ [x, y, z, 1]
        z, y, x = np.unravel_index(series.array[1].argmax(), series.array[1].shape)
        end = OBLIQUE @ [x, y, z, 1]
        np.testing.assert_allclose(start[:3] + vectors[0, z, y, x] * [-1, -1, 1], end[:3], atol=1e-3)

    def test_it_replaces_only_its_like(self, written, weights, tmp_path):
        series, _, _, path = written
        run(series, weights, save_flow=str(path))
        other = io.write(tmp_path / "image.seq.nrrd", series)
        before = other.read_bytes()
        for target, said in (
            (other, "no flow"),
            (tmp_path / "flow.txt", "must end in"),
            (tmp_path / "no" / "flow.seq.nrrd", "does not exist"),
        ):
            with pytest.raises(InputError, match=said):
                run(series, weights, save_flow=str(target))
        assert other.read_bytes() == before


def test_what_does_not_fit_is_refused_with_the_reason(weights):
    one = ImageSeries(np.ones((1, 1, 8, 8), np.float32), np.eye(4), [0.0])
    with pytest.raises(InputError, match="at least 2 frames"):
        run(one, weights)
    with pytest.raises(InputError, match="needs an image series"):
        run(cartesian_case()[0], weights)
    with pytest.raises(InputError, match="at most"):
        run(sliding(), weights, frames_per_s=1e9)
    assert "use miccan" in registry.get("speech").why_not(cartesian_case(frames=1)[0])


@pytest.mark.parametrize("shape", [(1, 5, 7), (1, 1, 9), (3, 33, 20)])
def test_any_size(weights, shape):
    array = np.random.default_rng(0).random((3, *shape)).astype(np.float32)
    result = run(ImageSeries(array, np.eye(4), [0.0, 0.1, 0.2]), weights)
    assert result.array.shape == (5, *shape)
    assert np.isfinite(result.array).all()


class TestCuts:
    def scene(self, name, seed, frames=12, step_s=0.012):
        from DynamicMRIReconLib.phantoms.heart import HeartScene
        from DynamicMRIReconLib.phantoms.vocal_tract import VocalTractScene

        scene = {"heart": HeartScene, "speech": VocalTractScene}[name](seed=seed)
        return scene.render(step_s * np.arange(frames), (1, 84, 84))

    @pytest.mark.parametrize("step_s", [0.012, 0.05])
    @pytest.mark.parametrize(("one", "other"), [(("speech", 1), ("speech", 5)), (("speech", 0), ("heart", 1))])
    def test_another_scene_is_a_cut_and_speech_is_none(self, one, other, step_s):
        array = np.concatenate([self.scene(*one, step_s=step_s), self.scene(*other, step_s=step_s)])
        pairs = look_at_pairs(array, 0.2)
        assert np.flatnonzero(pairs.cut).tolist() == [11]
        assert not look_at_pairs(array, 0.0).cut.any()

    @pytest.mark.parametrize("step", [1.0, 4.0, 8.0])
    def test_a_fast_object_on_a_dark_background_is_no_cut(self, step):
        assert not look_at_pairs(sliding(5, (step, 0.0), (1, 64, 64)).array, 0.2).cut.any()

    def test_of_two_frames_only_another_picture_is_a_cut(self):
        array = np.stack([self.scene("speech", 1, 1)[0], self.scene("heart", 1, 1)[0]])
        assert look_at_pairs(array, 0.2).cut.all()
        assert not look_at_pairs(self.scene("heart", 1, 2, 0.1), 0.2).cut.any()

    def test_noise_is_not_static_and_a_still_scene_is(self):
        random = np.random.default_rng(0)
        still = np.broadcast_to(self.scene("speech", 1, 1), (4, 1, 84, 84))
        assert look_at_pairs(still, 0.2).static.all()
        assert not look_at_pairs(still + 0.02 * random.standard_normal(still.shape), 0.2).static.any()
        assert not look_at_pairs(self.scene("speech", 1), 0.2).static.any()
