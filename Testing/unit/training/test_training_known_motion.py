"""Motion that is made: nothing folds, frames and flow agree, and the network is told what is known."""

import math

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from training_clips import losses_of, moving_disk

from DynamicMRIReconLib.networks.ifnet import Interpolated
from DynamicMRIReconLib.networks.warp import backward_warp
from DynamicMRIReconLib.training.known_motion import STEEPEST, moved, moving_frames, smooth_displacement, texture
from DynamicMRIReconLib.training.losses.interpolation import flow_loss
from DynamicMRIReconLib.training.tasks import get
from DynamicMRIReconLib.training.tasks.cnn3d import Cnn3dOptions
from DynamicMRIReconLib.training.tasks.ifnet import IfnetOptions
from DynamicMRIReconLib.training.tasks.miccan import MiccanOptions


def waves(height=56, width=64):
    y, x = torch.meshgrid(torch.arange(float(height)), torch.arange(float(width)), indexing="ij")
    return 0.5 + 0.25 * torch.sin(x / 5) + 0.25 * torch.cos(y / 6 + x / 9)


@pytest.mark.parametrize("seed", range(8))
def test_displacements_are_as_large_as_asked_or_less_and_fold_nothing(seed):
    field = smooth_displacement((48, 64), np.random.default_rng(seed), 9.0)
    assert field.shape == (2, 48, 64)
    assert 0 < float(field.norm(dim=0).max()) <= 9.0001
    # the Jacobian of p + u(p) by differences: positive everywhere
    along_x, along_y = torch.diff(field, dim=2)[:, :-1], torch.diff(field, dim=1)[:, :, :-1]
    jacobian = (1 + along_x[0]) * (1 + along_y[1]) - along_x[1] * along_y[0]
    assert float(jacobian.min()) > (1 - STEEPEST) ** 2 - 1e-3


def test_places_stay_unless_everything_moves():
    stays, moves = (
        np.median(
            [
                float(smooth_displacement((64, 64), np.random.default_rng(n), 5.0, everywhere=which).norm(dim=0).min())
                for n in range(20)
            ]
        )
        for which in (False, True)
    )
    assert stays < 0.05 < moves


def test_textures_fill_their_range_and_have_something_to_follow_at_every_place():
    found = [texture((40, 56), np.random.default_rng(seed)) for seed in range(12)]
    assert all(image.shape == (40, 56) and image.min() >= 0 and image.max() <= 1 for image in found)
    assert all(image.max() - image.min() > 0.8 for image in found)
    torch.testing.assert_close(found[3], texture((40, 56), np.random.default_rng(3)), rtol=0, atol=0)
    # in every patch of 16 x 16
    assert all(image.unfold(0, 16, 12).unfold(1, 16, 12).std((2, 3)).min() > 0.01 for image in found)
    shades = [len(image.unique()) for image in found]
    assert 2 < sum(count < 12 for count in shades) < 10


def test_images_move_to_where_the_displacement_points():
    image = waves()
    shift = torch.zeros(2, *image.shape)
    shift[0], shift[1] = 3.0, -2.0
    found = moved(image[None], shift)[0]
    np.testing.assert_allclose(found[4:-4, :-8], image[2:-6, 3:-5], atol=1e-5)


@pytest.mark.parametrize("still", [0.0, 0.4, 1.0])
def test_the_flow_leads_from_the_middle_frame_to_the_others(still):
    image = waves()
    displacement = smooth_displacement((56, 64), np.random.default_rng(5), 6.0)
    frames, flow = moving_frames(image, displacement, 0.3, still)
    assert frames.shape == (3, 56, 64)
    inner = (slice(10, -10), slice(10, -10))
    for frame, way in ((frames[0], flow[:2]), (frames[2], flow[2:])):
        there = backward_warp(frame[None, None], way[None])[0, 0]
        before = (frame - frames[1])[inner].abs().max()
        # what is left is the bilinear interpolation's own
        assert float((there - frames[1])[inner].abs().max()) < min(0.012, 0.2 * float(before))


def test_a_steady_shift_has_opposite_flows_in_the_ratio_of_the_times():
    shift = torch.full((2, 32, 32), 4.0)
    _, flow = moving_frames(waves(32, 32), shift, 0.25, 0.5)
    np.testing.assert_allclose(flow[:2], 1.0, atol=1e-5)
    np.testing.assert_allclose(flow[2:], -3.0, atol=1e-5)


def found_with(flow):
    image = torch.zeros(len(flow), 1, *flow.shape[-2:])
    return Interpolated(image, [image, image], [flow, 2 * flow], [image, image])


def test_only_known_flows_are_compared():
    flow = torch.ones(2, 4, 8, 8)
    truth = torch.stack([torch.zeros(4, 8, 8), torch.full((4, 8, 8), 50.0)])
    assert float(flow_loss(found_with(flow), truth, torch.tensor([1.0, 0.0]))) == pytest.approx(3.0)
    assert float(flow_loss(found_with(flow), truth, torch.tensor([0.0, 0.0]))) == 0


def test_ifnet_is_shown_moved_frames_in_training_only():
    task, clip = get("ifnet"), moving_disk(5)
    given = IfnetOptions(widths=(12, 8, 8), context=4, span=4, moved_share=0.5, intensity=(1.0, 1.0))
    random = np.random.default_rng(0)
    items = [task.sample(clip, random, given, augment=True) for _ in range(40)]
    known = [bool(item["known"]) for item in items]
    assert 8 < sum(known) < 32
    assert all(bool(item["flow"].any()) == is_known for item, is_known in zip(items, known, strict=True))
    assert all(0 < float(item["time"]) < 1 and item["frames"].shape == items[0]["frames"].shape for item in items)
    assert "flow" not in task.sample(clip, random, given, augment=False)
    torch.manual_seed(0)
    batch = {name: torch.stack([item[name] for item in items[:3]]) for name in items[0]}
    terms = task.loss(task.build(given), batch, given, 0)
    assert terms["flow"] > 0
    rest = IfnetOptions(**{**given.model_dump(), "flow_weight": 0.0})
    assert "flow" not in task.loss(task.build(rest), batch, rest, 0)


def test_the_flow_alone_can_be_learned_and_textures_shown():
    task, clip = get("ifnet"), moving_disk(5)
    given = IfnetOptions(
        widths=(24, 16, 12), context=4, span=4, moved_share=1.0, textured_share=1.0, learns="flow",
        initial="he", flow_weight=1.0, moved_voxels=(2.0, 4.0),
    )  # fmt: skip
    random = np.random.default_rng(0)
    items = [task.sample(clip, random, given, augment=True) for _ in range(4)]
    assert all(len(item["frames"][0].unique()) > 4 for item in items)
    assert all((item["frames"][0] - clip.frames[0]).abs().mean() > 0.05 for item in items)
    batch = {name: torch.stack([item[name] for item in items]) for name in items[0]}
    torch.manual_seed(0)
    network = task.build(given)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    optimiser = torch.optim.AdamW(network.parameters(), lr=1e-3)
    _, terms = losses_of(task, network, batch, given, optimiser, 60)
    still = 3 * float(batch["flow"].abs().mean())
    assert float(terms["flow"]) < 0.6 * still
    changed = {name.split(".")[0] for name, tensor in network.state_dict().items() if (tensor != before[name]).any()}
    assert changed == {"blocks"}
    assert set(terms) == {"loss", "laplacian", "flow"}
    # the refinement, which learns nothing, adds nothing
    first, middle, second = (batch["frames"][:, n : n + 1] for n in range(3))
    with torch.no_grad():
        blend = network(first, second, batch["time"]).merged[-1]
    wanted = -10 * torch.log10((blend.clamp(0, 1) - middle).square().mean((1, 2, 3)))
    torch.testing.assert_close(task.validate(network, batch, given)["psnr"], wanted, atol=1e-3, rtol=0)


def test_miccan_learns_from_deformed_frames_when_asked_to():
    task, clip = get("miccan"), moving_disk(1)
    plain = MiccanOptions(orientations=False, intensity=(1.0, 1.0), phase=0.0)
    bent = MiccanOptions(**{**plain.model_dump(), "deformed_voxels": 6.0})
    original = clip.frames[0]

    def targets(options, augment):
        items = [task.sample(clip, np.random.default_rng(seed), options, augment=augment) for seed in range(12)]
        return [float((item["target"].abs() - original).abs().max()) for item in items]

    assert max(targets(plain, True)) < 1e-6
    assert max(targets(bent, False)) < 1e-6
    changed = np.array(targets(bent, True)) > 1e-3
    assert 2 <= changed.sum() <= 10


@pytest.mark.parametrize("options", [IfnetOptions, MiccanOptions, Cnn3dOptions])
@pytest.mark.parametrize("interval", [(1.3, 0.7), (0.0, 1.0), (-1.0, 1.0), (math.nan, 1.0), (1.0, math.inf)])
def test_intervals_of_brightness_and_displacement_are_above_zero_and_in_order(options, interval):
    names = [name for name in ("intensity", "moved_voxels") if name in options.model_fields]
    assert "intensity" in names
    for name in names:
        with pytest.raises(ValidationError, match=r"\[smallest, largest\]"):
            options(**{name: interval})
