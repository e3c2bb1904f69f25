"""Keeping the coarse images' part of k-space: what is true stays, what is wrong there is mended, nothing else moves."""

import numpy as np
import pytest
import torch
from scipy import ndimage

from DynamicMRIReconLib.methods.common import coarse_kspace
from DynamicMRIReconLib.methods.common.coarse_kspace import CoarseKSpace
from DynamicMRIReconLib.operators.zero_filling import ZeroFilling


def picture(size=(30, 42)):
    """An asymmetric one, bright everywhere."""
    seeded = np.random.default_rng(3).random(size)
    smooth = ndimage.gaussian_filter(seeded, 1.2, mode="wrap")
    return torch.from_numpy((0.3 + 0.6 * (smooth - smooth.min()) / np.ptp(smooth)).astype(np.float32))


def coarse_of(fine, scale):
    """Samples of what the coarse grid has of k-space, complex."""
    shape = (fine.shape[-2] // scale, fine.shape[-1] // scale)
    return ZeroFilling(shape, scale).adjoint(torch.complex(fine, 0 * fine)) / scale**2


def rms(x):
    return float(x.square().mean().sqrt())


@pytest.mark.parametrize("scale", [2, 3])
def test_the_truth_stays(scale):
    truth = picture()
    coarse = coarse_of(truth, scale).abs()
    keep = CoarseKSpace(coarse.shape, scale, brightest=2.0)
    torch.testing.assert_close(keep(truth, coarse), truth, atol=1e-5, rtol=0)


@pytest.mark.parametrize("brightest", [None, 2.0])
def test_low_frequencies_are_mended_and_high_ones_left(brightest):
    truth, shape = picture((30, 42)), (15, 21)
    coarse = coarse_of(truth, 2)
    coarse = coarse.real if brightest is None else coarse.abs()
    noise = torch.randn(truth.shape, generator=torch.Generator().manual_seed(1))
    low = ZeroFilling(shape, 2)(coarse_of(noise, 2)).real
    keep = CoarseKSpace(shape, 2, brightest)
    torch.testing.assert_close(keep(truth + 0.02 * low, coarse), truth, atol=1e-5, rtol=0)
    high = 0.05 * (noise - low)
    torch.testing.assert_close(keep(truth + high, coarse), truth + high, atol=1e-5, rtol=0)


def test_dark_ripples_are_not_taken_for_brightness(monkeypatch):
    """Where the low-passed image is a little negative, its magnitude says the opposite of what is lacking."""
    truth = torch.zeros(48, 48)
    truth[13:30, 15:26] = 1.0
    exact = coarse_of(truth, 2)
    assert float(exact.real.min()) < -0.05
    keep = CoarseKSpace((24, 24), 2, brightest=2.0)
    torch.testing.assert_close(keep(truth, exact.abs()), truth, atol=1e-5, rtol=0)
    blurred = torch.from_numpy(ndimage.gaussian_filter(truth.numpy(), 1.0))
    mended = keep(blurred, exact.abs())
    assert rms(mended - truth) < 0.9 * rms(blurred - truth)
    monkeypatch.setattr(coarse_kspace, "DARK", 1e-6)
    outside = ndimage.distance_transform_edt((truth == 0).numpy()) > 6
    believed = keep(blurred, exact.abs())
    assert rms(mended[outside]) < 0.85 * rms(believed[outside])


def test_what_was_cut_off_may_be_brighter():
    truth = picture()
    coarse = coarse_of(truth, 2).abs()
    top = float(np.quantile(coarse.numpy(), 0.9))
    cut = coarse.clamp_max(top)
    bounded, wrong = (CoarseKSpace(coarse.shape, 2, one)(truth, cut) for one in (top, 2.0))
    torch.testing.assert_close(bounded, truth, atol=1e-5, rtol=0)
    assert rms(wrong - truth) > 0.005
    assert rms(CoarseKSpace(coarse.shape, 2, top)(0.5 * truth, cut) - truth) < rms(0.5 * truth)


def test_black_images_stay_black():
    keep = CoarseKSpace((4, 5), 2, brightest=1.0)
    assert torch.equal(keep(torch.zeros(8, 10), torch.zeros(4, 5)), torch.zeros(8, 10))
