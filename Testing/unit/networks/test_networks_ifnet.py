"""IFNet: size, shapes, warping, that it learns."""

import pytest
import torch

from DynamicMRIReconLib.networks.ifnet import IFNet, begin_flow_by_he
from DynamicMRIReconLib.networks.warp import backward_warp

SMALL = {"widths": (16, 12, 8), "context": 4}


def count(module):
    return sum(p.numel() for p in module.parameters())


def blob(x, y, size=32):
    rows, columns = torch.meshgrid(torch.arange(float(size)), torch.arange(float(size)), indexing="ij")
    return torch.exp(-((columns - x) ** 2 + (rows - y) ** 2) / 18)[None, None]


def test_published_number_of_weights():
    assert count(IFNet()) == 10_057_868
    assert count(IFNet(teacher=True)) == 10_690_888
    assert count(IFNet(channels=3)) == 10_073_710
    assert count(IFNet(channels=3, teacher=True)) == 10_710_780


@pytest.mark.parametrize("shape", [(32, 64), (33, 50), (1, 7), (84, 84)])
def test_any_size_and_no_state_between_calls(shape):
    network = IFNet(**SMALL).eval()
    first, second = torch.rand(2, 2, 1, *shape)
    time = torch.tensor([0.25, 0.5])
    with torch.no_grad():
        found = network(first, second, time)
        network(first.flip(0), second, time)
        again = network(first, second, time)
    assert found.image.shape == (2, 1, *shape)
    assert [flow.shape for flow in found.flows] == [(2, 4, *shape)] * 3
    assert [weight.shape for weight in found.weights] == [(2, 1, *shape)] * 3
    assert found.teacher_merged is None
    assert found.image.min() >= 0
    assert found.image.max() <= 1
    torch.testing.assert_close(found.image, again.image, rtol=0, atol=0)


def test_the_time_matters_and_frames_of_a_batch_do_not_mix():
    torch.manual_seed(1)
    network = IFNet(**SMALL).eval()
    first, second = torch.rand(2, 2, 1, 32, 32)
    with torch.no_grad():
        both = network(first, second, torch.tensor([0.2, 0.8])).image
        alone = network(first[1:], second[1:], torch.tensor([0.8])).image
        other = network(first[1:], second[1:], torch.tensor([0.1])).image
    torch.testing.assert_close(both[1:], alone, atol=1e-5, rtol=1e-4)
    assert (alone - other).abs().max() > 1e-5


def test_the_teacher_sees_the_truth_and_the_student_does_not():
    torch.manual_seed(0)
    network = IFNet(**SMALL, teacher=True).eval()
    first, second, truth = torch.rand(3, 1, 1, 32, 32)
    time = torch.tensor([0.5])
    with torch.no_grad():
        one, two = network(first, second, time, truth), network(first, second, time, 1 - truth)
        without = network(first, second, time)
    torch.testing.assert_close(one.image, two.image, rtol=0, atol=0)
    torch.testing.assert_close(one.image, without.image, rtol=0, atol=0)
    assert (one.teacher_flow - two.teacher_flow).abs().max() > 0
    assert without.teacher_flow is None


def test_warping_looks_where_the_flow_points_x_before_y():
    image = blob(20.0, 10.0)
    flow = torch.zeros(1, 2, 32, 32)
    flow[:, 0], flow[:, 1] = 3.0, -2.0
    torch.testing.assert_close(backward_warp(image, flow)[0, 0, 2:, :-3], image[0, 0, :-2, 3:])
    half = backward_warp(image, torch.full_like(flow, 0.5))
    torch.testing.assert_close(half[0, 0, 5, 5], image[0, 0, 5:7, 5:7].mean())


def test_beyond_the_margin_lies_the_margin():
    image = torch.arange(12.0).reshape(1, 1, 3, 4)
    flow = torch.zeros(1, 2, 3, 4)
    flow[:, 0] = 100.0
    torch.testing.assert_close(backward_warp(image, flow), image[..., -1:].expand(-1, -1, -1, 4))
    gradient_of = torch.zeros(1, 2, 3, 4, dtype=torch.float64, requires_grad=True)
    torch.autograd.gradcheck(lambda f: backward_warp(image.double(), f + 0.3), gradient_of)


def test_signals_keep_their_size_with_initial_weights_by_he_and_brightness_does_not_matter():
    torch.manual_seed(0)
    network = IFNet(teacher=True)
    first, second = 0.5 + 0.1 * torch.randn(2, 1, 1, 64, 64)
    x = torch.cat([first, second, torch.full_like(first, 0.5)], dim=1)

    def sizes():
        block = network.blocks[2]
        entered = block.enter(x.repeat(1, 4, 1, 1)[:, :10])
        return (float(part.std((2, 3)).mean()) for part in (entered, block.body(entered)))

    with torch.no_grad():
        entered, left = sizes()
        assert left < 0.1 * entered
        begin_flow_by_he(network)
        entered, left = sizes()
        assert 0.2 * entered < left < 5 * entered
        entry = network.blocks[0].enter[0][0]
        # all but the margin, beyond which there are zeros
        brighter, plain = (entry(frames)[..., 1:-1, 1:-1] for frames in (x + 0.4, x))
    torch.testing.assert_close(brighter, plain, atol=1e-5, rtol=0)
    assert network.teacher.leave.bias.abs().max() == 0


def test_gradients_reach_every_weight():
    torch.manual_seed(0)
    network = IFNet(**SMALL, teacher=True)
    first, second, truth = torch.rand(3, 2, 1, 32, 32)
    found = network(first, second, torch.tensor([0.3, 0.6]), truth)
    ((found.image - truth).abs().mean() + (found.teacher_merged - truth).abs().mean()).backward()
    assert [name for name, p in network.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0] == []


def test_overfits_one_pair_better_than_the_mean_of_the_two_frames():
    torch.manual_seed(0)
    first, truth, second = blob(10.0, 16.0), blob(15.0, 16.0), blob(20.0, 16.0)
    network = IFNet(**SMALL)
    optimiser = torch.optim.Adam(network.parameters(), lr=3e-3)
    linear = (0.5 * (first + second) - truth).abs().mean()
    for _ in range(60):
        loss = (network(first, second, torch.tensor([0.5])).image - truth).abs().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert loss.detach() < 0.35 * linear


def test_half_precision_keeps_displacements_exact():
    torch.manual_seed(0)
    network = IFNet(**SMALL).eval()
    first, second = torch.rand(2, 1, 1, 64, 64)
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        found = network(first, second, torch.tensor([0.5]))
        moved = backward_warp(blob(20.0, 10.0, 256), torch.full((1, 2, 256, 256), 0.5, dtype=torch.bfloat16))
    assert found.flows[-1].dtype == found.image.dtype == torch.float32
    torch.testing.assert_close(moved[0, 0, 200, 200], blob(20.0, 10.0, 256)[0, 0, 200:202, 200:202].mean())
    torch.testing.assert_close(moved[0, 0, 10, 20], blob(20.0, 10.0, 256)[0, 0, 10:12, 20:22].mean())
