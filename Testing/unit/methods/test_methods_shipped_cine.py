"""The cine models that ship do what their cards say, on hearts that no training has seen."""

import numpy as np
import pytest
import torch

import DynamicMRIReconLib as dmr
from DynamicMRIReconLib import models
from DynamicMRIReconLib.acquisition.masks import variable_density_mask
from DynamicMRIReconLib.data import KSpace
from DynamicMRIReconLib.networks.consistency import shared
from DynamicMRIReconLib.operators.fourier import fft2c, ifft2c
from DynamicMRIReconLib.phantoms.heart import HeartScene

#: seeds from here on are for tests
PERSONS = (500_101, 500_102, 500_103)
SIZE, SIDE, FRAMES = 64, 107, 20
NAMES = ("cnn3d-cine-simple", "cnn3d-cine-complex", "cnn3d-cine-2", "cnn3d-cine")

pytestmark = pytest.mark.skipif(not set(NAMES) <= set(models.shipped()), reason="no trained weights in this checkout")


def heart(seed):
    """k-space of the middle of a heart over a second at an acceleration of 8, the true magnitudes, shared lines."""
    times, first = 0.3 + 0.05 * np.arange(FRAMES), (SIDE - SIZE) // 2
    cut = slice(first, first + SIZE)
    truth = np.abs(HeartScene(seed).render(times, (1, SIDE, SIDE)))[..., cut, cut]
    truth = np.clip(truth / np.percentile(truth, 99.9), 0, 1)
    mask = variable_density_mask(FRAMES, (1, SIZE, SIZE), 8.0, 3, seed)
    phase = np.exp(1j * np.linspace(0, 1, SIZE))
    samples = fft2c(torch.from_numpy((truth * phase)[:, None].astype(np.complex64))).numpy() * mask[:, None]
    lines = shared(torch.from_numpy(samples[None, :, :, 0]), torch.from_numpy(mask[None, :, 0]))[0]
    return KSpace(samples, np.eye(4), times, mask=mask), truth, ifft2c(lines).numpy()


def psnr(found, truth):
    return float(-10 * np.log10(((np.clip(np.abs(found), 0, 1) - truth) ** 2).mean()))


def test_every_model_is_closer_to_unseen_hearts_than_what_it_starts_with_and_longer_cascades_are_closer():
    gains = {name: [] for name in NAMES}
    for seed in PERSONS:
        kspace, truth, start = heart(seed)
        for name in NAMES:
            found = dmr.reconstruct(kspace, "cnn3d", device="cpu", weights=name).array
            gains[name].append(psnr(found, truth) - psnr(start, truth))
    means = {name: np.mean(values) for name, values in gains.items()}
    assert min(means.values()) > 0.3
    assert means["cnn3d-cine"] > means["cnn3d-cine-2"] > means["cnn3d-cine-simple"]


def test_the_cards_claim_what_was_measured_and_the_files_are_small():
    paths = [models.shipped()[name] for name in NAMES]
    assert sum(path.stat().st_size for path in paths) < 5e6
    for path in paths:
        card = models.load(path, "cnn3d").card
        held_out = [one for one in card.metrics if one.data.startswith("held-out") and one.compared_with]
        assert held_out
        assert {"acceleration", "matrix", "contrast", "frame_time_ms"} <= set(card.ranges)
