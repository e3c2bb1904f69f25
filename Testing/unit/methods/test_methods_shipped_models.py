"""The weights that ship do what their cards say, on phantoms that no training has seen."""

import numpy as np
import pytest
from kspace_cases import grid_samples

import DynamicMRIReconLib as dmr
from DynamicMRIReconLib import models
from DynamicMRIReconLib.acquisition.degradation import degraded
from DynamicMRIReconLib.acquisition.masks import named_spiral_mask
from DynamicMRIReconLib.data import ImageSeries, KSpace
from DynamicMRIReconLib.phantoms.heart import HeartScene
from DynamicMRIReconLib.phantoms.vocal_tract import VocalTractScene

#: seeds from here on are for tests
PERSONS = (500_101, 500_102, 500_103)
SIZE = 64
TV_WEIGHTS = (0.003, 0.01, 0.03)

shipped = pytest.mark.skipif(
    not {"miccan-speech", "ifnet-speech"} <= set(models.shipped()), reason="no trained weights in this checkout"
)


def scaled(images):
    images = np.abs(images)
    return np.clip(images / np.percentile(images, 99.9), 0, 1)


def psnr(found, truth):
    return float(np.mean(-10 * np.log10(((np.abs(found) - truth) ** 2).mean(axis=(1, 2, 3)))))


@shipped
@pytest.mark.parametrize("mask", ["arms6_1", "arms6_2", "arms6_6"])
def test_miccan_is_closer_to_unseen_persons_than_total_variation_at_its_best_weight(mask):
    truth = np.concatenate([scaled(VocalTractScene(seed).render([0.8], (1, SIZE, SIZE))) for seed in PERSONS])
    sampled = named_spiral_mask(mask, SIZE)
    samples = grid_samples(truth[:, None] * np.exp(0.6j)) * sampled
    masks = np.broadcast_to(sampled, (len(truth), 1, SIZE, SIZE)).copy()
    kspace = KSpace(samples, np.eye(4), 0.1 * np.arange(len(truth)), mask=masks)
    found = psnr(dmr.reconstruct(kspace, "miccan", device="cpu").array, truth)
    classical = [
        psnr(dmr.reconstruct(kspace, "tv", device="cpu", regularization=weight).array, truth) for weight in TV_WEIGHTS
    ]
    claimed = next(
        one
        for one in models.load("miccan-speech").card.metrics
        if one.name.startswith("PSNR") and "phantom" in one.data and one.data.endswith(mask)
    )
    assert found - max(classical) > claimed.value - claimed.compared_with["ADMM+TV"] - 1.0 > 0


@shipped
def test_ifnet_is_closer_to_the_frame_between_than_the_mean_of_its_neighbours_on_fast_motion():
    gains = []
    for seed in PERSONS:
        times = 0.4 + 0.05 * np.arange(13)
        truth = scaled(VocalTractScene(seed).render(times, (1, SIZE, SIZE))).astype(np.float32)
        series = ImageSeries(truth[::2], np.eye(4), times[::2])
        found = dmr.reconstruct(series, "ifnet", device="cpu", temporal_upsampling=2)
        np.testing.assert_allclose(found.times_s, times)
        linear = 0.5 * (truth[:-2:2] + truth[2::2])
        gains.append(psnr(found.array[1::2], truth[1::2]) - psnr(linear, truth[1::2]))
    assert np.mean(gains) > 0
    assert min(gains) > -0.2


@shipped
def test_the_shipped_models_are_small_and_their_cards_complete():
    files = models.shipped().values()
    assert sum(path.stat().st_size for path in files) < 50e6
    for path in files:
        card = models.load(path).card
        assert card.metrics
        assert card.ranges
        assert card.trained_on
        assert card.licence
        assert card.command.startswith("dynamic-mri-recon train")


@pytest.mark.parametrize(("scale", "gain_db"), [(2, 2.0), (3, 1.2), (4, 0.8)])
def test_cardiac_vsr_is_closer_to_an_unseen_heart_than_bicubic_interpolation(scale, gain_db):
    if f"cardiac-vsr-x{scale}" not in models.shipped():
        pytest.skip("no trained weights in this checkout")
    scene = HeartScene(PERSONS[0])
    times = scene.duration_s / 20 * np.arange(20)
    truth = scaled(scene.render(times, (1, 256, 256)))[..., 72:168, 84:180].astype(np.float32)
    affine = np.diag([1.25 * scale, 1.25 * scale, 8, 1])
    coarse = ImageSeries(degraded(truth, scale), affine, times)
    found, plain = (
        psnr(dmr.reconstruct(coarse, method, device="cpu", scale=scale).array, truth)
        for method in ("cardiac-vsr", "bicubic")
    )
    assert found > plain + gain_db
