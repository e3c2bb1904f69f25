"""MICCAN: size, shapes, data consistency, that it learns."""

import pytest
import torch

from DynamicMRIReconLib.networks.miccan import AttentionUNet, Miccan, data_consistency
from DynamicMRIReconLib.operators.fourier import fft2c, ifft2c


def count(module):
    return sum(p.numel() for p in module.parameters())


def case(shape=(20, 24), batch=2, coils=1, seed=0):
    """Random complex images, maps with sum of squares 1, a random mask, and the samples."""
    generator = torch.Generator().manual_seed(seed)
    image = torch.randn(batch, *shape, dtype=torch.complex64, generator=generator)
    mask = torch.rand(batch, *shape, generator=generator) < 0.4
    maps = torch.randn(coils, *shape, dtype=torch.complex64, generator=generator)
    maps = maps / maps.abs().square().sum(0).sqrt() if coils > 1 else torch.ones_like(maps)
    samples = torch.where(mask[:, None], fft2c(maps * image[:, None]), 0)
    return image, samples, mask, maps


def test_published_number_of_weights():
    assert count(AttentionUNet()) == 524_382
    assert count(AttentionUNet(attention=False)) == 518_754
    assert count(Miccan()) == 2_621_910
    assert count(Miccan(attention=False)) == 2_593_770
    assert count(Miccan(long_skip=False)) == 2_621_910


@pytest.mark.parametrize("shape", [(16, 16), (17, 30), (3, 5), (84, 84)])
def test_any_size_and_no_state_between_calls(shape):
    network = Miccan(blocks=2, features=8).eval()
    _, samples, mask, _ = case(shape)
    with torch.no_grad():
        images = network(samples, mask)
        network(*case((8, 12))[1:3])
        again = network(samples, mask)
    assert [tuple(image.shape) for image in images] == [(2, *shape)] * 3
    assert images[-1].dtype == torch.complex64
    torch.testing.assert_close(images[-1], again[-1], rtol=0, atol=0)


@pytest.mark.parametrize("long_skip", [True, False])
def test_every_block_keeps_what_was_measured(long_skip):
    _, samples, mask, _ = case()
    network = Miccan(blocks=3, features=8, long_skip=long_skip)
    images = network(samples, mask)
    torch.testing.assert_close(images[0], ifft2c(samples)[:, 0])
    for image in images[1:]:
        torch.testing.assert_close(torch.where(mask, fft2c(image), 0), samples[:, 0], rtol=1e-4, atol=1e-5)
        assert (torch.where(mask, 0, fft2c(image))).abs().max() > 1e-4


def test_all_samples_give_the_image_whatever_the_weights():
    image, _, mask, _ = case()
    everything = torch.ones_like(mask)
    found = Miccan(blocks=2, features=8)(fft2c(image)[:, None], everything)[-1]
    torch.testing.assert_close(found, image, rtol=1e-4, atol=1e-5)


def test_long_skip_starts_the_last_block_at_the_zero_filled_image():
    """With a correction of zero everywhere but in the first block, its correction is lost at the end."""
    _, samples, mask, _ = case()
    for long_skip in (True, False):
        network = Miccan(blocks=2, features=8, long_skip=long_skip).eval()
        with torch.no_grad():
            network.blocks[0].head.bias.fill_(0.5)
            network.blocks[1].head.weight.zero_()
            images = network(samples, mask)
        assert torch.allclose(images[-1], images[0], atol=1e-5) == long_skip


def test_data_consistency_of_several_coils_has_the_truth_as_fixed_point_and_is_that_of_one_coil_for_one():
    image, samples, mask, maps = case(coils=4)
    torch.testing.assert_close(data_consistency(image, samples, mask, maps), image, rtol=1e-4, atol=1e-5)
    start = torch.zeros_like(image)
    nearer = data_consistency(start, samples, mask, maps)
    assert (nearer - image).norm() < (start - image).norm()
    image, samples, mask, maps = case(coils=1)
    wrong = torch.randn_like(image)
    torch.testing.assert_close(
        data_consistency(wrong, samples, mask, maps), data_consistency(wrong, samples, mask), rtol=1e-4, atol=1e-5
    )


def test_several_coils_need_maps_and_darkness_outside_them_is_no_division_by_zero():
    _, samples, mask, maps = case(coils=3)
    network = Miccan(blocks=1, features=8).eval()
    with pytest.raises(ValueError, match="coil maps"):
        network(samples, mask)
    maps[:, :4] = 0
    images = network(samples, mask, maps)
    assert torch.isfinite(torch.view_as_real(images[-1])).all()
    assert not images[0][:, :4].any()


def test_attention_looks_at_the_whole_image():
    network = AttentionUNet(features=8).eval()
    x = torch.randn(1, 2, 64, 64)
    changed = x.clone()
    changed[..., :8, :8] += 5
    with torch.no_grad():
        far = (network(changed) - network(x))[..., 56:, 56:].abs().max()
        plain = AttentionUNet(features=8, attention=False).eval()
        assert far > 0
        torch.testing.assert_close(plain(changed)[..., 56:, 56:], plain(x)[..., 56:, 56:])


def test_gradients_reach_every_weight():
    torch.manual_seed(0)
    _, samples, mask, _ = case()
    network = Miccan(blocks=2, long_skip=False)
    network(samples, mask)[-1].abs().mean().backward()
    lacking = [name for name, p in network.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    # what batch normalisation takes away again
    assert all(name.endswith("bias") for name in lacking), lacking
    assert not [name for name, p in network.named_parameters() if p.grad is None]


def test_overfits_one_sample():
    torch.manual_seed(0)
    y, x = torch.meshgrid(torch.arange(16.0) - 7.3, torch.arange(16.0) - 8.6, indexing="ij")
    image = (((x / 5) ** 2 + (y / 6) ** 2 < 1) * torch.exp(0.3j * x)).to(torch.complex64)[None]
    mask = torch.rand(1, 16, 16) < 0.3
    samples = torch.where(mask, fft2c(image), 0)[:, None]
    network = Miccan(blocks=2, features=8)
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-2)
    with torch.no_grad():
        start = (network(samples, mask)[0].abs() - image.abs()).abs().mean()
    for _ in range(60):
        loss = (network(samples, mask)[-1].abs() - image.abs()).abs().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert loss.detach() < 0.3 * start


def test_half_precision_of_the_convolutions_keeps_what_was_measured():
    _, samples, mask, _ = case()
    network = Miccan(blocks=2, features=8).eval()
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        image = network(samples, mask)[-1]
    torch.testing.assert_close(torch.where(mask, fft2c(image), 0), samples[:, 0], rtol=1e-4, atol=1e-5)
