"""What a user sees of gridding and cg-sense beside the image: frames, slices, progress, cancelling, memory, errors."""

import numpy as np
import pytest
import torch
from kspace_cases import OBLIQUE, cartesian_case, coil_maps, difference, grid_samples, movie, radial_case, times

import DynamicMRIReconLib as dmr
from DynamicMRIReconLib.data import ImageSeries, KSpace
from DynamicMRIReconLib.errors import Cancelled, InputError
from DynamicMRIReconLib.methods import registry
from DynamicMRIReconLib.methods.base import Context
from DynamicMRIReconLib.methods.common.frames import BLOCK_BYTES, Preview, frames_at_once, in_frame_blocks
from DynamicMRIReconLib.operators.coil_compression import compress_coils

METHODS = ("gridding", "cg-sense")
CASES = {"cartesian": cartesian_case, "radial": radial_case}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("case", CASES)
def test_result_does_not_depend_on_the_blocks_of_frames(method, case):
    kspace, _ = CASES[case](frames=5)
    whole, single, pairs = (dmr.reconstruct(kspace, method, device="cpu", frames_at_once=n).array for n in (0, 1, 2))
    assert difference(single, whole) < 1e-5
    assert difference(pairs, whole) < 1e-5


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("case", CASES)
def test_slices_are_reconstructed_each_in_its_place_and_keep_what_travels_with_them(method, case):
    kspace, truth = CASES[case](shape=(3, 20, 24), metadata={"source": "test", "warnings": ["one"]})
    series = dmr.reconstruct(kspace, method, device="cpu")
    assert series.array.dtype == np.complex64
    assert series.array.shape == truth.shape == (3, 3, 20, 24)
    np.testing.assert_array_equal(series.times_s, times(3))
    np.testing.assert_array_equal(series.affine, OBLIQUE)
    assert {**series.metadata, "figures": None} == {"source": "test", "warnings": ["one"], "figures": None}
    assert not series.synthetic.any()
    for z, one in enumerate(kspace.slices()):
        alone = dmr.reconstruct(one, method, device="cpu").array
        assert difference(series.array[:, z : z + 1], alone) < 1e-5


@pytest.mark.parametrize("method", METHODS)
def test_a_trajectory_for_each_slice(method):
    kspace, _ = radial_case(shape=(2, 20, 24), spokes=24)
    turned = kspace.trajectory[:, ::-1].copy()  # the same spokes in another order: another trajectory, the same image
    both = KSpace(
        np.stack([kspace.samples[:, :, 0], kspace.samples[:, :, 1, ::-1]], axis=2),
        OBLIQUE,
        times(3),
        image_shape=(2, 20, 24),
        trajectory=np.stack([kspace.trajectory, turned], axis=1),
        density=np.stack([kspace.density, kspace.density[:, ::-1]], axis=1),
        coil_maps=kspace.coil_maps,
    )
    expected = dmr.reconstruct(kspace, method, device="cpu").array
    assert difference(dmr.reconstruct(both, method, device="cpu").array, expected) < 1e-4


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("shape", [(1, 16, 18), (1, 15, 17)])
def test_one_frame_and_one_coil_without_maps(method, shape):
    truth = movie(1, shape)
    kspace = KSpace(grid_samples(truth)[:, None], OBLIQUE, [2.5])
    series = dmr.reconstruct(kspace, method, device="cpu")
    assert difference(series.array, truth) < 2e-3
    assert series.times_s.tolist() == [2.5]


@pytest.mark.parametrize("method", METHODS)
def test_input_is_not_changed(method):
    kspace, _ = radial_case()
    before = {name: value.copy() for name, value in vars(kspace).items() if isinstance(value, np.ndarray)}
    dmr.reconstruct(kspace, method, device="cpu")
    for name, value in before.items():
        np.testing.assert_array_equal(getattr(kspace, name), value)


class TestCoilCompression:
    def test_virtual_coils_hold_the_image(self):
        kspace, truth = cartesian_case(coils=12)
        full, compressed = (dmr.reconstruct(kspace, "cg-sense", device="cpu", coil_compression=n).array for n in (0, 6))
        assert difference(compressed, full) < 0.02
        assert difference(compressed, truth) < 0.04

    def test_coils_of_low_rank_lose_nothing(self):
        kspace, _ = cartesian_case(coils=3)
        mix = np.random.default_rng(0).standard_normal((7, 3)).astype(np.complex64)
        many = KSpace(
            np.einsum("vc,fczyx->fvzyx", mix, kspace.samples),
            OBLIQUE,
            times(3),
            mask=kspace.mask,
            coil_maps=np.einsum("vc,czyx->vzyx", mix, kspace.coil_maps),
        )
        few = compress_coils(many, 3)
        assert few.coils == 3
        assert np.linalg.norm(few.samples) == pytest.approx(np.linalg.norm(many.samples), rel=1e-4)
        one, other = (dmr.reconstruct(k, "cg-sense", device="cpu").array for k in (many, few))
        assert difference(one, other) < 1e-3

    @pytest.mark.parametrize("number", [0, 6, 40])
    def test_as_many_as_there_are_or_none_changes_nothing(self, number):
        kspace, _ = cartesian_case(coils=6)
        assert compress_coils(kspace, number) is kspace


class TestWhileRunning:
    @pytest.mark.parametrize("method", METHODS)
    def test_progress_rises_to_one_over_slices_blocks_and_iterations(self, method):
        kspace, _ = cartesian_case(shape=(2, 16, 18), frames=4)
        fractions = []

        def callback(status):
            fractions.append(status.fraction)

        dmr.reconstruct(kspace, method, device="cpu", callback=callback, frames_at_once=2)
        assert fractions == sorted(fractions)
        assert fractions[0] == 0
        assert fractions[-1] == 1
        assert len(set(fractions)) >= (4 if method == "gridding" else 2 * 2 * 5)

    @pytest.mark.parametrize("method", METHODS)
    def test_cancel_is_seen_at_the_next_step(self, method):
        kspace, _ = radial_case(frames=4)
        seen = []

        def callback(status):
            seen.append(status.message)
            return len(seen) < 4

        with pytest.raises(Cancelled):
            dmr.reconstruct(kspace, method, device="cpu", callback=callback, frames_at_once=1)
        assert len(seen) == 4

    @pytest.mark.parametrize("method", METHODS)
    def test_preview_is_a_magnitude_in_the_scale_of_the_result(self, method):
        kspace, _ = cartesian_case(skip=1)
        scaled = KSpace(kspace.samples * 1000, OBLIQUE, times(3), coil_maps=kspace.coil_maps)
        pictures = []
        chosen = registry.get(method)
        series = chosen.run(scaled, chosen.parameters(), Context(preview=pictures.append))
        assert pictures
        assert pictures[0].dtype == np.float32
        assert difference(pictures[-1], np.abs(series.array)) < 0.02

    def test_previews_keep_their_distance_in_time(self, monkeypatch):
        now = [100.0]
        monkeypatch.setattr("DynamicMRIReconLib.methods.common.frames.time.monotonic", lambda: now[0])
        pictures = []
        preview = Preview(Context(preview=pictures.append), interval_s=3.0)
        for _ in range(10):
            preview.offer(torch.ones(1, 1, 2, 2))
            now[0] += 1.0
        assert len(pictures) == 4


class TestMemory:
    def test_out_of_memory_halves_the_block_and_says_so(self):
        warnings, blocks = [], []

        def work(frames, step):
            blocks.append((frames.start, frames.stop))
            if frames.stop - frames.start > 2:
                raise torch.OutOfMemoryError("no")
            return np.arange(frames.start, frames.stop)

        result = in_frame_blocks(7, 5, work, Context(warn=warnings.append))
        np.testing.assert_array_equal(result, np.arange(7))
        assert blocks == [(0, 5), (0, 2), (2, 4), (4, 6), (6, 7)]
        assert len(warnings) == 1
        assert "2 frames at once" in warnings[0]

    def test_a_frame_that_does_not_fit_is_an_error(self):
        def work(frames, step):
            raise MemoryError

        with pytest.raises(MemoryError):
            in_frame_blocks(4, 4, work, Context())

    def test_block_size(self):
        assert frames_at_once(100, BLOCK_BYTES / 10.5) == 10
        assert frames_at_once(5, BLOCK_BYTES / 10.5) == 5
        assert frames_at_once(100, 1e15) == 1
        assert frames_at_once(100, 1.0, chosen=7) == 7


class TestFit:
    @pytest.mark.parametrize("method", METHODS)
    def test_a_frame_without_samples_is_named(self, method):
        kspace, _ = cartesian_case(shape=(2, 16, 18))
        mask, samples = kspace.mask.copy(), kspace.samples.copy()
        mask[1, 1], samples[1, :, 1] = False, 0
        holes = KSpace(samples, OBLIQUE, times(3), mask=mask, coil_maps=kspace.coil_maps)
        with pytest.raises(InputError, match="Frame 1 of slice 1 has no sample"):
            dmr.reconstruct(holes, method, device="cpu")

    @pytest.mark.parametrize("method", METHODS)
    def test_a_series_is_not_kspace(self, method):
        series = ImageSeries(np.zeros((2, 1, 4, 4), np.float32), OBLIQUE, [0, 1])
        with pytest.raises(InputError, match="needs k-space; this is an image series"):
            dmr.reconstruct(series, method, device="cpu")

    @pytest.mark.parametrize(
        ("method", "values", "words"),
        [
            ("cg-sense", {"iterations": 0}, "iterations = 0"),
            ("cg-sense", {"regularization": -1}, "regularization = -1"),
            ("gridding", {"coil_combination": "sum"}, "coil_combination = 'sum'"),
            ("gridding", {"nufft_backend": "fast"}, "nufft_backend = 'fast'"),
        ],
    )
    def test_parameters_out_of_range(self, method, values, words):
        with pytest.raises(InputError, match=words):
            dmr.reconstruct(cartesian_case()[0], method, device="cpu", **values)

    @pytest.mark.parametrize("method", METHODS)
    @pytest.mark.parametrize("preset", ["fast", "standard", "faithful"])
    def test_presets_run(self, method, preset):
        kspace, truth = radial_case(coils=10, spokes=24)
        series = dmr.reconstruct(kspace, method, device="cpu", preset=preset)
        assert difference(np.abs(series.array), np.abs(truth)) < 0.2

    @pytest.mark.parametrize("method", METHODS)
    def test_estimate_grows_with_the_work(self, method):
        chosen = registry.get(method)
        small, large = (radial_case(shape=(1, n, n), frames=f)[0] for n, f in ((16, 2), (48, 12)))
        values = chosen.parameters()
        one, other = (chosen.estimate(data, values, "cpu") for data in (small, large))
        assert 1e8 < one.memory_bytes < other.memory_bytes < 2e9
        assert 0 < one.seconds < other.seconds < 60
        assert chosen.estimate(large, values, "cuda").seconds < other.seconds

    def test_estimate_of_cg_sense_follows_iterations_and_coils(self):
        chosen, data = registry.get("cg-sense"), radial_case(shape=(1, 40, 40), coils=4, frames=6)[0]
        seconds = [
            chosen.estimate(data, chosen.parameters(**values), "cpu").seconds
            for values in ({"iterations": 10}, {"iterations": 100}, {"iterations": 100, "coil_compression": 2})
        ]
        assert seconds[0] < seconds[2] < seconds[1]


def test_coil_maps_from_the_call_replace_estimated_ones():
    shape = (1, 20, 24)
    truth, maps = movie(2, shape), coil_maps(4, shape)
    kspace = KSpace(grid_samples(truth[:, None] * maps), OBLIQUE, times(2))
    series = dmr.reconstruct(kspace, "cg-sense", device="cpu", coil_maps=maps)
    assert difference(series.array, truth) < 2e-3
