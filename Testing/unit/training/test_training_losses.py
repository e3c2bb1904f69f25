"""Losses: known values, what they ignore, and files of weights."""

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from DynamicMRIReconLib.errors import InputError
from DynamicMRIReconLib.networks.ifnet import Interpolated
from DynamicMRIReconLib.training.figures import psnr_db, ssim
from DynamicMRIReconLib.training.losses.edge import edge_loss, sobel
from DynamicMRIReconLib.training.losses.interpolation import distillation_loss, laplacian_loss, laplacian_pyramid
from DynamicMRIReconLib.training.losses.perceptual import CONVOLUTIONS, PerceptualLoss


@pytest.fixture(scope="module")
def vgg(tmp_path_factory):
    """Random weights in the form of VGG16's, thinned by nothing: 1 MB."""
    torch.manual_seed(0)
    state = {}
    for number, inputs, outputs in CONVOLUTIONS:
        state[f"features.{number}.weight"] = torch.randn(outputs, inputs, 3, 3) * (2 / (9 * inputs)) ** 0.5
        state[f"features.{number}.bias"] = 0.1 * torch.randn(outputs)
    state["classifier.0.weight"] = torch.zeros(2, 2)
    path = tmp_path_factory.mktemp("vgg") / "vgg16.safetensors"
    save_file(state, path)
    return path, state


def test_perceptual_loss_is_the_sum_of_four_mean_squares(vgg):
    path, state = vgg
    loss = PerceptualLoss(path)
    image, target = torch.rand(2, 2, 1, 12, 13)

    def features(x):
        found = []
        for number, _, _ in CONVOLUTIONS:
            if number in (5, 10):
                x = torch.nn.functional.max_pool2d(x, 2)
            weight, bias = state[f"features.{number}.weight"], state[f"features.{number}.bias"]
            x = torch.nn.functional.conv2d(x, weight, bias, padding=1).clamp_min(0)
            found.append(x)
        return found[1:]

    pairs = zip(features(image.repeat(1, 3, 1, 1)), features(target.repeat(1, 3, 1, 1)), strict=True)
    expected = sum(((one - two) ** 2).mean() for one, two in pairs)
    torch.testing.assert_close(loss(image, target), expected, rtol=1e-4, atol=1e-6)
    assert [f.shape[1:] for f in loss.features(image)] == [(64, 12, 13), (128, 6, 6), (128, 6, 6), (256, 3, 3)]
    assert float(loss(image, image)) == 0
    assert float(PerceptualLoss(path, normalise=True)(image, target)) != pytest.approx(float(expected))


def test_perceptual_loss_of_one_layer(vgg):
    image, target = torch.rand(2, 1, 1, 12, 13)
    whole, one = PerceptualLoss(vgg[0]), PerceptualLoss(vgg[0], layers=(7,))
    expected = (whole.features(image)[2] - whole.features(target)[2]).square().mean()
    torch.testing.assert_close(one(image, target), expected)


def test_edge_loss_is_that_of_sobels_differences():
    generator = torch.Generator().manual_seed(0)
    image, target = torch.rand(2, 3, 1, 7, 9, generator=generator)
    difference = np.pad((image - target).numpy()[:, 0], ((0, 0), (1, 1), (1, 1)))

    def shifted(y, x):
        return difference[:, 1 + y : 8 + y, 1 + x : 10 + x]

    along_x = sum(w * (shifted(y, 1) - shifted(y, -1)) for y, w in ((-1, 1), (0, 2), (1, 1)))
    along_y = sum(w * (shifted(1, x) - shifted(-1, x)) for x, w in ((-1, 1), (0, 2), (1, 1)))
    expected = np.mean(np.stack([along_x**2, along_y**2]))
    assert float(edge_loss(image, target)) == pytest.approx(expected, rel=1e-5)
    # brightness alone has edges at the border of the image only, where zeros begin
    assert not sobel(torch.ones(1, 1, 6, 6))[..., 1:-1, 1:-1].any()
    ramp = torch.arange(6.0).expand(1, 1, 6, 6)
    assert (sobel(ramp)[0, 0, 1:-1, 1:-1] == 8).all()
    assert (sobel(ramp)[0, 1, 1:-1, 1:-1] == 0).all()


def test_perceptual_loss_teaches_the_image_and_never_its_own_weights(vgg):
    loss = PerceptualLoss(vgg[0])
    image = torch.rand(1, 1, 8, 8, requires_grad=True)
    loss(image, torch.rand(1, 1, 8, 8)).backward()
    assert image.grad.abs().sum() > 0
    assert not [p for p in loss.parameters() if p.requires_grad]


def test_files_that_are_no_such_weights(vgg, tmp_path):
    path, state = vgg
    with pytest.raises(InputError, match="does not exist"):
        PerceptualLoss(tmp_path / "no.safetensors")
    damaged = tmp_path / "damaged.safetensors"
    damaged.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(InputError, match="damaged"):
        PerceptualLoss(damaged)
    other = tmp_path / "other.safetensors"
    save_file({"features.0.weight": state["features.0.weight"]}, other)
    with pytest.raises(InputError, match=r"features\.0\.bias"):
        PerceptualLoss(other)
    save_file({**state, "features.2.weight": torch.zeros(64, 64, 1, 1)}, other)
    with pytest.raises(InputError, match=r"features\.2\.weight is not"):
        PerceptualLoss(other)


@pytest.mark.parametrize("shape", [(64, 64), (37, 50), (5, 3)])
def test_the_pyramid_can_be_put_together_again(shape):
    image = torch.rand(2, 1, *shape)
    bands = laplacian_pyramid(image)
    assert len(bands) == 6
    x = bands[-1]
    for band in bands[-2::-1]:
        spread = torch.zeros_like(band)
        spread[..., ::2, ::2] = x
        line = torch.tensor([1.0, 4, 6, 4, 1]) / 16
        mode = "reflect" if min(band.shape[-2:]) > 2 else "replicate"
        padded = torch.nn.functional.pad(spread, (2, 2, 2, 2), mode=mode)
        x = band + 4 * torch.nn.functional.conv2d(padded, (line[:, None] * line)[None, None])
    torch.testing.assert_close(x[..., : shape[0], : shape[1]], image)


def test_laplacian_loss_sees_brightness_and_sorts_errors_by_scale():
    image = torch.rand(1, 1, 64, 64)
    assert float(laplacian_loss(image, image)) == 0
    assert float(laplacian_loss(image + 0.1, image)) == pytest.approx(0.1, rel=0.2)
    sizes = [float(level.abs().mean()) for level in laplacian_pyramid(torch.full((1, 1, 64, 64), 0.1))]
    assert sizes == pytest.approx([0, 0, 0, 0, 0, 0.1], abs=0.02)
    # a fine pattern is in the first band, a broad one in the others
    fine = torch.ones(1, 1, 64, 64) - 2 * (torch.arange(64) % 2)
    broad = torch.cos(torch.arange(64) * torch.pi / 16).expand(1, 1, 64, 64)
    shares = [[float(level.abs().mean()) for level in laplacian_pyramid(image)] for image in (fine, broad)]
    assert shares[0][0] > 10 * sum(shares[0][1:])
    assert shares[1][0] < 0.1 * sum(shares[1][1:])


def test_the_flow_is_learnt_only_where_the_teacher_is_better():
    truth = torch.zeros(1, 1, 4, 4)
    merged = torch.zeros(1, 1, 4, 4)
    merged[..., :2] = 0.5
    teacher_merged = torch.full((1, 1, 4, 4), 0.1)
    flow = torch.zeros(1, 4, 4, 4, requires_grad=True)
    teacher_flow = torch.full((1, 4, 4, 4), 2.0, requires_grad=True)
    found = Interpolated(merged, [merged], [flow], [merged], teacher_merged, teacher_flow)
    loss = distillation_loss(found, truth)
    assert float(loss.detach()) == pytest.approx(2.0 / 2)
    loss.backward()
    assert teacher_flow.grad is None
    assert not flow.grad[..., 2:].any()
    assert (flow.grad[..., :2] < 0).all()


def test_figures_of_merit_agree_with_their_definitions():
    from scipy.ndimage import correlate

    generator = torch.Generator().manual_seed(0)
    image, target = torch.rand(2, 3, 1, 20, 24, generator=generator)
    expected = -10 * ((image - target) ** 2).mean((1, 2, 3)).log10()
    torch.testing.assert_close(psnr_db(image, target), expected)
    x, y = image[0, 0].double().numpy(), target[0, 0].double().numpy()
    line = np.exp(-((np.arange(11) - 5) ** 2) / (2 * 1.5**2))
    kernel = np.outer(line, line) / line.sum() ** 2

    def mean(a):
        return correlate(a, kernel, mode="constant")

    mx, my = mean(x), mean(y)
    numerator = (2 * mx * my + 1e-4) * (2 * (mean(x * y) - mx * my) + 9e-4)
    denominator = (mx**2 + my**2 + 1e-4) * (mean(x * x) - mx**2 + mean(y * y) - my**2 + 9e-4)
    assert float(ssim(image, target)[0]) == pytest.approx(float((numerator / denominator).mean()), abs=1e-5)
