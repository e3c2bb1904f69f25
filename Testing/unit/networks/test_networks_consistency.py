"""Data consistency: exact for one coil and for samples that fit the maps, the nearest image, the right weights."""

import pytest
import torch

from DynamicMRIReconLib.networks.consistency import combine, consistent, shared
from DynamicMRIReconLib.operators.fourier import fft2c


def case(coils=1, batch=3, shape=(20, 24), lines=0.4, seed=0):
    """Random complex images, smooth maps, a mask of whole lines of its own for each image, and the samples."""
    generator = torch.Generator().manual_seed(seed)
    images = torch.randn(batch, *shape, dtype=torch.complex64, generator=generator)
    mask = (torch.rand(batch, shape[0], 1, generator=generator) < lines).expand(batch, *shape).contiguous()
    y, x = torch.meshgrid(*(torch.linspace(-1, 1, n) for n in shape), indexing="ij")
    angle = torch.arange(coils)[:, None, None] * 2 * torch.pi / max(coils, 1)
    maps = torch.exp(-((x - angle.cos()) ** 2 + (y - angle.sin()) ** 2) / 2 + 1j * (angle + x * y))
    maps = (maps / maps.abs().square().sum(0).sqrt()).to(torch.complex64)
    samples = torch.where(mask[:, None], fft2c(maps * images[:, None]), 0)
    if coils == 1:
        samples = torch.where(mask[:, None], fft2c(images)[:, None], 0)
    return images, samples, mask, maps


def measured(images, mask, maps=None):
    """What the scanner would measure of ``images``."""
    coil_images = images[:, None] if maps is None else maps * images[:, None]
    return torch.where(mask[:, None], fft2c(coil_images), 0)


def test_one_coil_is_replaced_exactly_and_the_rest_kept():
    images, samples, mask, _ = case()
    wrong = torch.randn_like(images)
    found = consistent(wrong, samples, mask)
    torch.testing.assert_close(measured(found, mask), samples, rtol=0, atol=1e-5)
    torch.testing.assert_close(
        torch.where(mask, 0, fft2c(found)), torch.where(mask, 0, fft2c(wrong)), rtol=0, atol=1e-5
    )


@pytest.mark.parametrize(("coils", "lines"), [(2, 0.3), (4, 0.4), (6, 0.15)])
def test_several_coils_agree_with_samples_that_fit_the_maps(coils, lines):
    images, samples, mask, maps = case(coils, lines=lines)
    wrong = images + 0.3 * torch.randn_like(images)
    found = consistent(wrong, samples, mask, maps, iterations=1000)
    torch.testing.assert_close(measured(found, mask, maps), samples, rtol=0, atol=1e-5)
    few = measured(consistent(wrong, samples, mask, maps), mask, maps)
    assert (few - samples).norm() < 0.03 * (measured(wrong, mask, maps) - samples).norm()
    # the nearest of all such images is no farther than the true one
    assert (found - wrong).norm() <= (images - wrong).norm() * (1 + 1e-5)


def test_samples_of_no_image_are_met_by_least_squares():
    images, samples, mask, maps = case(4, lines=0.6)
    noisy = samples + torch.where(mask[:, None], 0.1 * torch.randn_like(samples), 0)
    found = consistent(images, noisy, mask, maps)
    left = noisy - measured(found, mask, maps)
    assert 0 < left.norm() < (noisy - measured(images, mask, maps)).norm()


@pytest.mark.parametrize("coils", [1, 4])
def test_noise_weight_is_the_published_mean_for_one_coil_and_the_minimum_for_several(coils):
    images, samples, mask, maps = case(coils)
    wrong, weight = torch.randn_like(images), 3.0
    if coils == 1:
        found = consistent(wrong, samples, mask, noise_weight=weight)
        expected = (fft2c(wrong) + weight * samples[:, 0]) / (1 + weight)
        torch.testing.assert_close(fft2c(found)[mask], expected[mask], rtol=0, atol=1e-5)
        with_map = consistent(wrong, samples, mask, torch.ones(1, *mask.shape[1:], dtype=torch.complex64), weight)
        torch.testing.assert_close(with_map, found, rtol=0, atol=1e-4)
        return
    found = consistent(wrong, samples, mask, maps, weight, 100).requires_grad_()
    left = measured(found, mask, maps) - samples
    ((found - wrong).abs().square().sum() + weight * left.abs().square().sum()).backward()
    assert found.grad.abs().max() < 1e-3


def test_gradients_pass_through_both_kinds():
    for coils in (1, 3):
        images, samples, mask, maps = case(coils)
        x = torch.randn_like(images).requires_grad_()
        consistent(x, samples, mask, maps if coils > 1 else None).abs().square().sum().backward()
        assert x.grad.abs().sum() > 0
        if coils == 1:
            # what is measured does not depend on what the network said
            torch.testing.assert_close(torch.where(mask, fft2c(x.grad), 0), torch.zeros_like(x), rtol=0, atol=1e-4)


def test_darkness_outside_the_maps_is_no_division_by_zero():
    _, samples, mask, maps = case(3)
    maps = maps.clone()
    maps[:, :4] = 0
    assert torch.isfinite(torch.view_as_real(consistent(torch.zeros_like(samples[:, 0]), samples, mask, maps))).all()
    assert not combine(samples, maps)[:, :4].any()


def test_shared_samples_fill_gaps_from_the_nearest_frames_and_keep_what_a_frame_has_itself():
    samples = torch.zeros(1, 5, 1, 4, 1, dtype=torch.complex64)
    mask = torch.zeros(1, 5, 4, 1, dtype=torch.bool)
    for t, line, value in ((0, 0, 8.0), (4, 0, 2.0), (2, 1, 5j), (0, 2, 1.0), (1, 2, 4.0)):
        samples[0, t, 0, line], mask[0, t, line] = value, True
    found = shared(samples, mask)[0, :, 0, :, 0]
    # line 0: means with weights halved with each frame; line 1: the one frame that has it; line 3: nobody
    expected = [8, 6.8, 5, 3.2, 2]
    torch.testing.assert_close(found[:, 0], torch.tensor(expected, dtype=torch.complex64))
    torch.testing.assert_close(found[:, 1], torch.full((5,), 5j, dtype=torch.complex64))
    assert found[:2, 2].tolist() == [1, 4]
    assert not found[:, 3].any()
    # a long series: nothing is lost in frames that are far away
    far = torch.zeros(1, 200, 1, 1, 1, dtype=torch.complex64)
    far[0, 0] = 3
    where = (far != 0)[:, :, 0]
    assert torch.isfinite(torch.view_as_real(shared(far, where))).all()
    torch.testing.assert_close(shared(far, where)[0, 199], torch.full((1, 1, 1), 3, dtype=torch.complex64))


def test_a_still_object_is_complete_once_every_line_was_measured_in_some_frame():
    images, _, _, maps = case(2, batch=1)
    still = fft2c(maps * images[:, None]).expand(4, -1, -1, -1)[None]
    mask = (torch.arange(20) % 4 == torch.arange(4)[:, None])[None, :, :, None].expand(1, 4, 20, 24)
    torch.testing.assert_close(shared(torch.where(mask[:, :, None], still, 0), mask), still)
