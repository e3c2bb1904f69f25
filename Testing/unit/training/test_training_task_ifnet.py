"""What IFNet is trained on: pairs at any distance, the right time, losses, figures."""

import numpy as np
import pytest
import torch
from training_clips import losses_of, moving_disk

from DynamicMRIReconLib.models.architectures import build
from DynamicMRIReconLib.networks.ifnet import Interpolated
from DynamicMRIReconLib.training.tasks import get
from DynamicMRIReconLib.training.tasks.ifnet import IfnetOptions

TASK = get("ifnet")


def options(**values):
    return IfnetOptions(**{"widths": (12, 8, 8), "context": 4, **values})


def batch_of(items):
    return {name: torch.stack([item[name] for item in items]) for name in items[0]}


def number(clip, frame):
    return int((clip.frames - frame).abs().flatten(1).sum(1).argmin())


def test_pairs_lie_at_all_distances_and_the_time_is_that_of_the_clock():
    clip, given = moving_disk(7), options(span=6)
    assert TASK.clip_frames(given) == 7
    random, seen = np.random.default_rng(0), set()
    for _ in range(60):
        item = TASK.sample(clip, random, given, augment=False)
        numbers = [number(clip, frame) for frame in item["frames"]]
        times = clip.frame_times_ms[numbers]
        assert float(item["time"]) == pytest.approx(float((times[1] - times[0]) / (times[2] - times[0])), abs=1e-6)
        assert numbers[0] < numbers[1] < numbers[2]
        seen.add(numbers[2] - numbers[0])
    assert seen == {2, 3, 4, 5, 6}
    middle = options(span=6, time="middle")
    for _ in range(20):
        item = TASK.sample(clip, random, middle, augment=False)
        first, asked, second = (number(clip, frame) for frame in item["frames"])
        assert second - asked == asked - first


def test_augmented_pairs_are_reversed_with_their_time():
    clip, given = moving_disk(3, shape=(32, 40)), options(span=2, intensity=(1.0, 1.0))
    times = set()
    for seed in range(20):
        times.add(round(float(TASK.sample(clip, np.random.default_rng(seed), given, augment=True)["time"]), 4))
    assert len(times) == 2
    assert sum(times) == pytest.approx(1, abs=1e-3)


def test_loss_falls_and_the_described_network_is_the_built_one():
    torch.manual_seed(0)
    given = options(merged_weight=0.5)
    network = TASK.build(given)
    assert network.teacher is not None
    batch = batch_of([TASK.sample(moving_disk(9), np.random.default_rng(n), given, augment=False) for n in range(2)])
    optimiser = torch.optim.AdamW(network.parameters(), lr=3e-3)
    losses, terms = losses_of(TASK, network, batch, given, optimiser, 15)
    assert losses[-1] < 0.8 * losses[0]
    assert set(terms) == {"loss", "laplacian", "teacher", "distillation"}
    build(TASK.name, TASK.network_options(given)).load_state_dict(network.state_dict())


def test_weights_of_the_distillation_follow_the_time():
    batch = batch_of([TASK.sample(moving_disk(3), np.random.default_rng(0), options(span=2), augment=False)])
    torch.manual_seed(0)
    network = TASK.build(options())

    def total(**values):
        terms = TASK.loss(network, batch, options(**values), 0)
        return float((terms["loss"] - terms["laplacian"] - terms["teacher"]).detach()), float(terms["distillation"])

    rest, distillation = total()
    assert rest == pytest.approx(0.002 * distillation, abs=1e-6)
    rest, distillation = total(time="middle")
    assert rest == pytest.approx(0.01 * distillation, abs=1e-6)
    rest, _ = total(distillation_weight=0.0)
    assert rest == pytest.approx(0, abs=1e-6)


def test_figures_of_linear_interpolation():
    given = options(span=6)
    batch = batch_of([TASK.sample(moving_disk(7), np.random.default_rng(n), given, augment=False) for n in range(4)])

    def linear(first, second, time):
        at = time[:, None, None, None]
        return Interpolated((1 - at) * first + at * second, [], [], [])

    figures = TASK.validate(linear, batch, given)
    torch.testing.assert_close(figures["psnr"], figures["linear_psnr"])
    assert (figures["psnr"] < 40).all()
    assert figures["ssim"].shape == (4,)
