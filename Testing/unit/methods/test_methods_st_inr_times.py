"""The neural representation asked for other times than the measured ones, at once or later, from a file."""

import numpy as np
import pytest
import torch
from kspace_cases import cartesian_case, difference, radial_case
from st_inr_cases import QUICK

import DynamicMRIReconLib as dmr
from DynamicMRIReconLib import phantoms
from DynamicMRIReconLib.acquisition.simulate import SimulationParameters, simulate
from DynamicMRIReconLib.errors import InputError


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    """A scan of few spokes, its truth, and the file of a whole fit to it."""
    path = tmp_path_factory.mktemp("fit") / "fit.safetensors"
    values = {"matrix": 40, "frames": 12, "coils": 4, "shots": 2, "include_coil_maps": True}
    kspace, truth = simulate(phantoms.get("heart"), SimulationParameters(**values))
    dmr.reconstruct(kspace, "st-inr", device="cpu", save_model=str(path))
    return kspace, truth, str(path)


def test_beats_grasp_on_few_spokes(fitted):
    kspace, truth, model = fitted
    ours = dmr.reconstruct(kspace, "st-inr", device="cpu", model=model)
    grasp = dmr.reconstruct(kspace, "grasp", device="cpu")
    found, baseline = dmr.evaluate(ours, truth), dmr.evaluate(grasp, truth)
    # at this size motion is of a voxel or two; docs/benchmarks-st-inr.md has real sizes
    assert found["psnr_db"]["mean"] > baseline["psnr_db"]["mean"] + 0.4
    assert found["moving"]["psnr_db"]["mean"] > baseline["moving"]["psnr_db"]["mean"] + 1


class TestTimes:
    def test_upsampling_divides_the_time_between_frames_and_marks_what_it_adds(self, heart):
        kspace, _ = heart
        series = dmr.reconstruct(kspace, "st-inr", device="cpu", temporal_upsampling=4, **QUICK["motion"])
        assert series.frames == 29
        np.testing.assert_allclose(series.times_s[::4], kspace.times_s, atol=1e-9)
        np.testing.assert_allclose(np.diff(series.times_s), np.diff(kspace.times_s).mean() / 4, rtol=1e-6)
        np.testing.assert_array_equal(series.synthetic, np.arange(29) % 4 != 0)

    def test_a_frame_rate_starts_at_the_first_frame_and_ends_before_the_last(self):
        kspace, _ = cartesian_case(frames=4)
        series = dmr.reconstruct(kspace, "st-inr", device="cpu", frames_per_s=50, **QUICK["motion"])
        np.testing.assert_allclose(series.times_s, kspace.times_s[0] + np.arange(series.frames) / 50)
        assert kspace.times_s[-1] - 1 / 50 < series.times_s[-1] <= kspace.times_s[-1] + 1e-9
        assert not series.synthetic[0]
        assert series.synthetic[1:].any()

    def test_measured_frames_do_not_depend_on_those_in_between(self, heart):
        kspace, _ = heart
        for settings in QUICK.values():
            plain = dmr.reconstruct(kspace, "st-inr", device="cpu", **settings).array
            finer = dmr.reconstruct(kspace, "st-inr", device="cpu", temporal_upsampling=3, **settings).array
            assert difference(finer[::3], plain) < 1e-5

    def test_frames_in_between_beat_linear_interpolation_of_the_measured_ones(self, fitted):
        kspace, _, model = fitted
        finer = dmr.reconstruct(kspace, "st-inr", device="cpu", model=model, temporal_upsampling=2)
        measured, between = np.abs(finer.array[::2]), np.abs(finer.array[1::2])
        linear = (measured[1:] + measured[:-1]) / 2
        frame_s = float(np.diff(kspace.times_s).mean())
        scene = phantoms.get("heart")
        scene.start_s = kspace.times_s[0]  # half a frame later
        values = {"matrix": 40, "frames": 11, "coils": 1, "shots": 2, "tr_s": frame_s / 2}
        truth = simulate(scene, SimulationParameters(**values))[1]
        np.testing.assert_allclose(truth.times_s, finer.times_s[1::2])
        target = np.abs(truth.array)

        def error(images):
            factor = (images * target).sum() / (images * images).sum()
            moving = target.std(axis=0) > 0.25 * target.std(axis=0).max()
            return float(np.mean((factor * images - target)[:, moving] ** 2))

        assert error(between) < error(linear)

    def test_both_ways_of_asking_are_refused(self, heart):
        with pytest.raises(InputError, match="not both"):
            dmr.reconstruct(heart[0], "st-inr", temporal_upsampling=2, frames_per_s=10)

    def test_absurd_numbers_of_frames_are_refused(self, heart):
        with pytest.raises(InputError, match="at most"):
            dmr.reconstruct(heart[0], "st-inr", frames_per_s=1e9)


class TestModelFile:
    @pytest.mark.parametrize("kind", QUICK)
    def test_asked_again_it_says_the_same_and_more(self, kind, tmp_path):
        kspace, _ = radial_case(shape=(2, 20, 24), frames=4)
        path = tmp_path / "fit.safetensors"
        first = dmr.reconstruct(kspace, "st-inr", device="cpu", save_model=str(path), **QUICK[kind])
        again = dmr.reconstruct(kspace, "st-inr", device="cpu", model=str(path))
        np.testing.assert_array_equal(again.array, first.array)
        finer = dmr.reconstruct(kspace, "st-inr", device="cpu", model=str(path), temporal_upsampling=2)
        assert difference(finer.array[::2], first.array) < 1e-6
        assert list(tmp_path.iterdir()) == [path]

    def test_of_another_scan_or_no_model_or_missing_is_refused(self, tmp_path):
        kspace, _ = radial_case(frames=4)
        path = tmp_path / "fit.safetensors"
        dmr.reconstruct(kspace, "st-inr", device="cpu", save_model=str(path), **QUICK["motion"])
        other, _ = radial_case(frames=5)
        for wrong, data, words in (
            (path, other, "another scan: its number of frames"),
            (tmp_path / "missing.safetensors", kspace, "does not exist"),
            (_written(tmp_path / "text.safetensors", b"not a model"), kspace, "damaged"),
            (_written(tmp_path / "cut.safetensors", path.read_bytes()[:-100]), kspace, "damaged"),
            (_pickled(tmp_path / "pickle.safetensors"), kspace, "damaged"),
        ):
            with pytest.raises(InputError, match=words):
                dmr.reconstruct(data, "st-inr", device="cpu", model=str(wrong))

    def test_foreign_weights_are_refused(self, tmp_path):
        from safetensors.torch import save_file

        path = tmp_path / "other.safetensors"
        save_file({"weight": torch.zeros(3)}, path)
        with pytest.raises(InputError, match="no fitted st-inr model"):
            dmr.reconstruct(radial_case()[0], "st-inr", model=str(path))

    @pytest.mark.parametrize(
        ("settings", "words"),
        [
            ("{", "is damaged"),
            ('{"representation": "motion"}', "does not fit together"),
            (
                '{"representation": "hash-grid", "shape": [3, 32, 36], "table_size": 1000000000000, "growth": 9.0}',
                "does not fit together",
            ),
        ],
    )
    def test_settings_that_were_tampered_with_are_refused_without_taking_memory(self, settings, words, tmp_path):
        from safetensors import safe_open
        from safetensors.torch import load_file, save_file

        kspace, _ = radial_case()
        path = tmp_path / "fit.safetensors"
        dmr.reconstruct(kspace, "st-inr", device="cpu", save_model=str(path), **QUICK["motion"])
        with safe_open(path, framework="pt") as file:
            notes = {**file.metadata(), "settings": settings}
        save_file(load_file(path), path, metadata=notes)
        with pytest.raises(InputError, match=words):
            dmr.reconstruct(kspace, "st-inr", device="cpu", model=str(path))

    def test_where_it_may_not_be_written_is_refused_before_the_fit_and_nothing_is_lost(self, tmp_path):
        other = _written(tmp_path / "mine.safetensors", b"something of the user's")
        for path, words in (
            (tmp_path / "no" / "fit.safetensors", "does not exist"),
            (tmp_path / "fit.txt", "must end in"),
            (other, "is no fitted st-inr model"),
        ):
            with pytest.raises(InputError, match=words):
                dmr.reconstruct(radial_case()[0], "st-inr", save_model=str(path))
        assert other.read_bytes() == b"something of the user's"

    def test_an_earlier_fit_may_be_replaced(self, tmp_path):
        kspace, _ = radial_case()
        path = tmp_path / "fit.safetensors"
        for _ in range(2):
            dmr.reconstruct(kspace, "st-inr", device="cpu", save_model=str(path), **QUICK["motion"])
        assert path.exists()


def _written(path, content):
    path.write_bytes(content)
    return path


def _pickled(path):
    torch.save({"weight": torch.zeros(3)}, path)
    return path
