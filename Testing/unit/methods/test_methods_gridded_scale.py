"""The scale of frames for a trained network does not depend on how much of k-space was measured."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from DynamicMRIReconLib import phantoms
from DynamicMRIReconLib.acquisition.masks import SPIRAL_MASKS, named_spiral_mask
from DynamicMRIReconLib.data import KSpace
from DynamicMRIReconLib.methods.common.gridded import GriddedFrames, rms
from DynamicMRIReconLib.operators.fourier import fft2c

N = 64


def scan(mask: np.ndarray, seed: int, brightness: float = 7.0) -> tuple[KSpace, np.ndarray]:
    """Two frames of a vocal tract through a mask at rest, and the images."""
    images = brightness * phantoms.get("vocal-tract", seed).render([0.4, 0.8], (1, N, N))
    samples = np.where(mask, fft2c(torch.from_numpy(images)).numpy(), 0)[:, None].astype(np.complex64)
    masks = np.broadcast_to(mask, (2, 1, N, N)).copy()
    return KSpace(
        samples, np.eye(4), np.array([0.0, 0.1]), mask=masks, coil_maps=np.ones((1, 1, N, N), np.complex64)
    ), images


@pytest.mark.parametrize("name", SPIRAL_MASKS)
def test_a_mask_at_rest_leaves_the_scale(name: str) -> None:
    for seed in (0, 5):
        kspace, images = scan(named_spiral_mask(name, N), seed)
        assert rms(kspace) == pytest.approx(float(np.sqrt(np.mean(np.abs(images) ** 2))), rel=0.2)
        assert kspace.coil_maps is not None
        scale = GriddedFrames(kspace, kspace.coil_maps, "cpu").scale
        # of the training's own spread
        assert scale == pytest.approx(float(np.percentile(np.abs(images), 99.9)), rel=0.35)


def test_full_sampling_takes_the_percentile() -> None:
    kspace, images = scan(np.ones((N, N), bool), 3)
    assert rms(kspace) == pytest.approx(float(np.sqrt(np.mean(np.abs(images) ** 2))), rel=1e-5)
    assert kspace.coil_maps is not None
    average = np.abs(images.mean(axis=0))
    assert GriddedFrames(kspace, kspace.coil_maps, "cpu").scale == pytest.approx(np.percentile(average, 99.9), rel=1e-4)
