"""The neural representation: that it can say anything, what it gains, when it may be asked, and what it refuses."""

import numpy as np
import pytest
import torch
from kspace_cases import OBLIQUE, cartesian_case, coil_maps, difference, grid_samples, movie, radial_case, times
from st_inr_cases import QUICK, psnr

import DynamicMRIReconLib as dmr
from DynamicMRIReconLib import phantoms
from DynamicMRIReconLib.acquisition.simulate import SimulationParameters, simulate
from DynamicMRIReconLib.data import ImageSeries, KSpace
from DynamicMRIReconLib.errors import Cancelled, InputError
from DynamicMRIReconLib.methods import registry
from DynamicMRIReconLib.methods.base import Context
from DynamicMRIReconLib.networks.motion_field import MotionField
from DynamicMRIReconLib.networks.st_inr import SpatioTemporalField

PENALTIES = ("regularization", "spatial_regularization", "change_regularization", "motion_regularization")


@pytest.mark.parametrize(
    "settings",
    [
        {"iterations": 10, **dict.fromkeys(PENALTIES, 0.0)},
        {
            "representation": "hash-grid",
            "epochs": 450,
            "temporal_variation": 0.0,
            "low_rank_regularization": 0.0,
            "epsilon": 0.1,
            "table_size": 2**10,
            "growth": 1.2,
            "hidden_width": 64,
        },
    ],
    ids=["motion", "hash-grid"],
)
def test_can_become_any_fully_sampled_series(settings):
    truth = movie(2, (1, 12, 10))
    maps = coil_maps(2, (1, 12, 10))
    kspace = KSpace(grid_samples(truth[:, None] * maps), OBLIQUE, times(2), coil_maps=maps)
    found = dmr.reconstruct(kspace, "st-inr", device="cpu", held_out=0.0, **settings).array
    error = np.sqrt(np.mean(np.abs(found - truth) ** 2))
    assert 20 * np.log10(np.abs(truth).max() / error) > 45


def test_cartesian_and_spiral_samples_are_explained():
    for trajectory in ({"trajectory": "cartesian", "acceleration": 4.0}, {"trajectory": "spiral", "shots": 6}):
        values = {"matrix": 32, "frames": 4, "coils": 3, "include_coil_maps": True, **trajectory}
        kspace, truth = simulate(phantoms.get("heart"), SimulationParameters(**values))
        assert psnr(dmr.reconstruct(kspace, "st-inr", device="cpu", iterations=5), truth) > 22


@pytest.mark.parametrize("kind", QUICK)
class TestOnTheWay:
    def test_the_same_seed_gives_the_same_and_another_one_does_not(self, kind, heart):
        one, again, other = (
            dmr.reconstruct(heart[0], "st-inr", device="cpu", seed=seed, **QUICK[kind]).array for seed in (3, 3, 4)
        )
        np.testing.assert_array_equal(one, again)
        assert difference(one, other) > 1e-6

    def test_cancel_is_seen_in_the_next_step(self, kind, heart):
        calls = []

        def stop():
            calls.append(1)
            return len(calls) > 8

        with pytest.raises(Cancelled):
            dmr.reconstruct(heart[0], "st-inr", context=Context(cancelled=stop), **QUICK[kind])
        assert len(calls) == 9

    def test_progress_rises_and_pictures_are_shown(self, kind):
        kspace, _ = radial_case(shape=(2, 20, 24), frames=4)
        fractions, shown = [], []
        context = Context(progress=lambda fraction, _: fractions.append(fraction), preview=shown.append)
        series = dmr.reconstruct(kspace, "st-inr", context=context, **QUICK[kind])
        assert fractions == sorted(fractions)
        assert fractions[-1] == 1
        assert shown
        assert all(picture.shape == (4, 1, 20, 24) for picture in shown)
        assert series.array.shape == (4, 2, 20, 24)
        np.testing.assert_array_equal(series.affine, OBLIQUE)
        assert series.metadata["figures"]["misfit"] > 0

    def test_units_of_the_data_are_kept_and_do_not_matter(self, kind, heart):
        kspace = heart[0]
        plain = dmr.reconstruct(kspace, "st-inr", device="cpu", **QUICK[kind]).array
        larger = KSpace(
            kspace.samples * np.float32(1024.0),
            kspace.affine,
            kspace.times_s,
            image_shape=kspace.image_shape,
            trajectory=kspace.trajectory,
            coil_maps=kspace.coil_maps,
        )
        assert difference(dmr.reconstruct(larger, "st-inr", device="cpu", **QUICK[kind]).array / 1024, plain) < 1e-3

    def test_one_coil_and_estimated_maps(self, kind):
        for coils in (1, 3):
            truth, maps = movie(3, (1, 16, 18)), coil_maps(coils, (1, 16, 18))
            kspace = KSpace(grid_samples(truth[:, None] * maps), OBLIQUE, times(3))
            assert dmr.reconstruct(kspace, "st-inr", device="cpu", **QUICK[kind]).array.shape == truth.shape


@pytest.mark.parametrize(
    ("kind", "network", "name"), [("hash-grid", SpatioTemporalField, "forward"), ("motion", MotionField, "parts")]
)
def test_a_network_that_does_not_fit_into_memory_goes_on_with_fewer_frames(kind, network, name, heart, monkeypatch):
    kspace, _ = heart
    whole = dmr.reconstruct(kspace, "st-inr", device="cpu", **QUICK[kind]).array
    evaluate, warnings = getattr(network, name), []

    def narrow(self, numbers):
        if torch.is_grad_enabled() and len(numbers) > 3:
            raise MemoryError
        return evaluate(self, numbers)

    monkeypatch.setattr(network, name, narrow)
    context = Context(warn=warnings.append)
    parts = dmr.reconstruct(kspace, "st-inr", context=context, **QUICK[kind]).array
    # the steps of Adam divide by small gradients, and so make much of their last digits: those are compared below
    assert difference(parts, whole) < 0.1
    assert [warning.split(" with ")[1] for warning in warnings] == ["4 frames at once.", "2 frames at once."]


class TestRefusals:
    def test_one_frame(self):
        kspace, _ = cartesian_case(frames=1)
        with pytest.raises(InputError, match="at least 2 frames"):
            dmr.reconstruct(kspace, "st-inr")

    def test_a_volume(self):
        trajectory = np.random.default_rng(0).uniform(-4, 4, (2, 5, 9, 3)).astype(np.float32)
        samples = np.ones((2, 1, 5, 9), np.complex64)
        kspace = KSpace(samples, OBLIQUE, times(2), trajectory=trajectory, image_shape=(8, 8, 8))
        with pytest.raises(InputError, match="covers a volume"):
            dmr.reconstruct(kspace, "st-inr")

    def test_a_series(self):
        with pytest.raises(InputError, match="needs k-space"):
            dmr.reconstruct(ImageSeries(np.zeros((2, 1, 4, 4)), np.eye(4), [0, 1]), "st-inr")


def test_estimates_grow_with_the_work():
    kspace, _ = radial_case(frames=4)
    method = registry.get("st-inr")
    few, many, asked = (
        method.estimate(kspace, method.parameters(**values), "cpu")
        for values in ({"iterations": 5}, {"iterations": 500}, {"iterations": 5, "model": "x"})
    )
    assert many.seconds > few.seconds > asked.seconds
    faithful = method.estimate(kspace, method.parameters("faithful"), "cpu")
    assert faithful.memory_bytes > 6e9
