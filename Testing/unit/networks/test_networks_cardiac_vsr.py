"""Cardiac video super-resolution: size, shapes, streaming, switches, that it learns."""

import weakref

import pytest
import torch

from DynamicMRIReconLib.networks.cardiac_vsr import CardiacVSR
from DynamicMRIReconLib.networks.single_image import SingleImageSR
from DynamicMRIReconLib.networks.upsampler import bicubic, in_scale, standardised

SMALL = {"features": 6, "layers": 2, "stages": 2, "window": 1}
SWITCHES = ("memory", "bidirectional", "phase_fusion")


def count(module):
    return sum(parameter.numel() for parameter in module.parameters())


def network(**options):
    torch.manual_seed(0)
    return CardiacVSR(**{**SMALL, **options})


def beat(frames, shape=(9, 12), batch=1):
    torch.manual_seed(1)
    return torch.rand(batch, frames, 1, *shape), torch.rand(batch, frames)


def streamed(net, frames, phase, context, **options):
    return torch.stack(list(net.super_resolve(frames[0], phase[0], context, **options)))


@pytest.mark.parametrize(("scale", "parameters"), [(2, 2_743_281), (3, 2_927_921), (4, 2_890_993)])
def test_published_number_of_weights(scale, parameters):
    net = CardiacVSR(scale=scale)
    assert count(net) == parameters
    assert count(net.extract) == 641
    assert count(net.onwards) == count(net.backwards) == 885_504
    assert count(net.fusion) == 823_343


@pytest.mark.parametrize("scale", [2, 3, 4])
@pytest.mark.parametrize(
    ("frames", "context", "shape"), [(1, 0, (5, 7)), (2, 3, (8, 8)), (9, 6, (1, 11)), (4, 1, (12, 9))]
)
def test_any_size_and_number_of_frames_streamed_as_at_once(scale, frames, context, shape):
    net = network(scale=scale)
    images, phase = beat(frames + 2 * context, shape)
    with torch.no_grad():
        stages = net(images, phase, context)
    assert [stage.fused.shape for stage in stages] == [(1, frames, 1, scale * shape[0], scale * shape[1])] * 2
    assert stages[-1].forward.shape == stages[-1].backward.shape == stages[-1].fused.shape
    torch.testing.assert_close(streamed(net, images, phase, context), stages[-1].fused[0])


def test_streaming_keeps_features_and_backward_states_only_and_reports_its_way():
    net, (images, phase) = network(window=1), beat(40)
    alive, most, fractions = [], 0, []

    def seen(module, inputs, output):
        nonlocal most
        alive.append(weakref.ref(output[0]))
        most = max(most, sum(one() is not None for one in alive))

    handle = net.onwards.register_forward_hook(seen)
    result = list(net.super_resolve(images[0], phase[0], 2, fractions.append))
    handle.remove()
    assert len(result) == 36
    # forward hidden states: the window, the newest, and what the loop still holds
    assert most <= 2 * net.window + 3
    assert fractions == sorted(fractions)
    assert fractions[-1] == pytest.approx(1)


def test_no_gradient_goes_through_the_context():
    net, (images, phase) = network(), beat(8)
    images.requires_grad_()
    net(images, phase, 2)[-1].fused.sum().backward()
    touched = images.grad.abs().sum((0, 2, 3, 4)) > 0
    assert touched.tolist() == [False, False, True, True, True, True, False, False]


def test_memory_reaches_far_in_both_directions_and_frames_of_a_batch_do_not_mix():
    net, (images, phase) = network(stages=1), beat(12, batch=2)
    with torch.no_grad():
        before = net(images, phase, 0)[0]
        changed = images.clone()
        changed[0, 6] += 1
        after = net(changed, phase, 0)[0]
    forward, backward = ((a - b).abs().amax((2, 3, 4)) > 0 for a, b in
                         ((before.forward, after.forward), (before.backward, after.backward)))  # fmt: skip
    assert forward[0].tolist() == [False] * 6 + [True] * 6
    assert backward[0].tolist() == [True] * 7 + [False] * 5
    assert not forward[1].any()
    assert not backward[1].any()


@pytest.mark.parametrize("switch", SWITCHES)
def test_switches_take_away_what_they_name(switch):
    full, without = network(), network(**{switch: False})
    images, phase = beat(7)
    with torch.no_grad():
        last = without(images, phase, 1)[-1]
        assert streamed(without, images, phase, 1).shape == last.fused[0].shape
        if switch == "memory":
            assert count(full) == count(without)
            changed = images.clone()
            changed[0, 1] += 1
            other = without(changed, phase, 1)[-1].fused
            assert ((last.fused - other).abs().amax((2, 3, 4)) > 0)[0].tolist() == [True, True, True, False, False]
        elif switch == "bidirectional":
            assert last.backward is None
            assert count(without) < count(full) - count(full.backwards) + 1
        else:
            torch.testing.assert_close(without(images, -phase, 1)[-1].fused, last.fused)
            assert (full(images, -phase, 1)[-1].fused - full(images, phase, 1)[-1].fused).abs().max() > 1e-6
        one = network(stages=1)
        assert len(one(images, phase, 1)) == 1


def test_published_fusion_is_linear_and_the_activation_can_be_switched_on():
    linear, activated = network(stages=1), network(stages=1, activated_fusion=True)
    window = torch.randn(1, linear.fusion.enter.in_channels, 5, 5)
    with torch.no_grad():
        zero = linear.fusion(torch.zeros_like(window))
        torch.testing.assert_close(linear.fusion(2 * window) - zero, 2 * (linear.fusion(window) - zero))
        assert (activated.fusion(window) - linear.fusion(window)).abs().max() > 1e-4
    assert not linear.fusion.slope.weight.requires_grad
    assert activated.fusion.slope.weight.requires_grad


def test_with_a_skip_an_untrained_network_interpolates():
    images, phase = beat(5)
    for net in (network(skip=True), SingleImageSR(features=6, blocks=2, skip=True)):
        with torch.no_grad():
            made = net(images[0]) if isinstance(net, SingleImageSR) else net(images, phase, 0)[-1].fused[0]
        torch.testing.assert_close(made, bicubic(images[0], 2), atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(in_scale(standardised(images)), images)


def test_learns_one_beat_by_heart():
    net, (images, phase) = network(skip=True, features=4, layers=1, stages=1), beat(3, (6, 6))
    target = in_scale(torch.sin(3 * standardised(images)).repeat_interleave(2, -1).repeat_interleave(2, -2))
    optimiser = torch.optim.Adam([one for one in net.parameters() if one.requires_grad], lr=2e-2)
    errors = []
    for _ in range(60):
        error = (net(images, phase, 0)[-1].fused - target).abs().mean()
        optimiser.zero_grad()
        error.backward()
        optimiser.step()
        errors.append(float(error.detach()))
    assert errors[-1] < 0.5 * errors[0]


def test_the_single_image_network_sees_one_image():
    net = SingleImageSR(scale=3, features=6, blocks=2)
    images = torch.rand(4, 1, 7, 9)
    with torch.no_grad():
        made = net(images)
        torch.testing.assert_close(made[2:3], net(images[2:3]))
    assert made.shape == (4, 1, 21, 27)


@pytest.mark.parametrize("options", [{"scale": 5}, {"stages": 0}, {"window": -1}])
def test_impossible_options(options):
    with pytest.raises(ValueError, match=r"must be"):
        CardiacVSR(**options)
