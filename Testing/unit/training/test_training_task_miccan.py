"""What MICCAN is trained on: samples of the right k-space, losses, figures."""

import logging

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from training_clips import losses_of, moving_disk

from DynamicMRIReconLib.models.architectures import build
from DynamicMRIReconLib.operators.fourier import fft2c
from DynamicMRIReconLib.training.augmentation import flipped_and_turned, random_phase
from DynamicMRIReconLib.training.tasks import get
from DynamicMRIReconLib.training.tasks.miccan import MiccanOptions

TASK = get("miccan")
SMALL = {"blocks": 1, "features": 8}


def options(**values):
    return MiccanOptions(**{**SMALL, **values})


def batch_of(items):
    return {name: torch.stack([item[name] for item in items]) for name in items[0]}


@pytest.mark.parametrize("mask", ["arms6_2", "cartesian_4"])
@pytest.mark.parametrize("shape", [(32, 32), (30, 44)])
def test_samples_are_the_masked_spectrum_of_the_target(mask, shape):
    given = options(sampling={"masks": [mask]})
    item = TASK.sample(moving_disk(1, shape), np.random.default_rng(1), given, augment=True)
    assert item["samples"].shape == (1, *shape)
    assert item["mask"].shape == item["target"].shape == shape
    assert item["mask"][shape[0] // 2, shape[1] // 2]
    assert 0.05 < item["mask"].float().mean() < 0.6
    torch.testing.assert_close(item["samples"][0], torch.where(item["mask"], fft2c(item["target"]), 0))
    assert item["target"].imag.abs().max() > 0.1


def test_the_same_seed_gives_the_same_sample_and_validation_is_not_augmented():
    clip, given = moving_disk(1), options(sampling={"noise": 0.02})
    one, two = (TASK.sample(clip, np.random.default_rng(5), given, augment=True) for _ in range(2))
    for name in one:
        torch.testing.assert_close(one[name], two[name], rtol=0, atol=0)
    plain = TASK.sample(clip, np.random.default_rng(5), given, augment=False)
    torch.testing.assert_close(plain["target"].abs(), clip.frames[0])
    torch.testing.assert_close(plain["samples"][0], torch.where(plain["mask"], fft2c(plain["target"]), 0))
    noisy = one["samples"][0] - torch.where(one["mask"], fft2c(one["target"]), 0)
    assert 1e-4 < noisy[one["mask"]].abs().mean() < 0.05
    assert not noisy[~one["mask"]].any()


def test_all_masks_of_the_list_are_drawn_and_spirals_turn():
    given = options(sampling={"masks": ["arms6_1", "arms6_6"], "turned": 1.0})
    random = np.random.default_rng(0)
    masks = [given.sampling.draw((64, 64), random, augment=True) for _ in range(12)]
    fractions = {round(float(mask.float().mean()), 1) for mask in masks}
    assert fractions <= {0.1, 0.3, 0.4}
    assert len(fractions) > 1
    assert len({mask.numpy().tobytes() for mask in masks}) == 12
    fixed = [given.sampling.draw((64, 64), random, augment=False) for _ in range(8)]
    assert len({mask.numpy().tobytes() for mask in fixed}) == 2


@pytest.mark.parametrize(
    "values",
    [
        {"sampling": {"masks": ["arms7"]}},
        {"sampling": {"masks": []}},
        {"features": 9},
        {"dropout": 1},
        {"sampling": {"masks": ["cartesian_0.5"]}},
    ],
)
def test_impossible_options_are_refused(values):
    with pytest.raises(ValidationError):
        options(**values)


def test_loss_falls_and_the_built_network_is_the_described_one(caplog):
    torch.manual_seed(0)
    given = options(phase=0.0)
    with caplog.at_level(logging.WARNING):
        network = TASK.build(given)
    assert "L1" in caplog.text
    build(TASK.name, TASK.network_options(given)).load_state_dict(network.state_dict())
    batch = batch_of([TASK.sample(moving_disk(1), np.random.default_rng(n), given, augment=True) for n in range(2)])
    optimiser = torch.optim.Adam(network.parameters(), lr=5e-3)
    losses, _ = losses_of(TASK, network, batch, given, optimiser, 20)
    assert losses[-1] < 0.8 * losses[0]


def test_magnitude_and_complex_losses_differ_by_the_phase():
    batch = batch_of([TASK.sample(moving_disk(1), np.random.default_rng(0), options(), augment=False)])

    def turned(samples, mask):
        return [batch["target"] * 1j]

    assert float(TASK.loss(turned, batch, options(), 0)["loss"]) == pytest.approx(0, abs=1e-6)
    wrong = TASK.loss(turned, batch, options(compared="complex"), 0)["loss"]
    assert float(wrong) == pytest.approx(np.sqrt(2) * float(batch["target"].abs().mean()), rel=1e-4)


def test_figures_of_the_truth_and_of_zero_filling():
    given = options(sampling={"masks": ["arms6_6"]})
    batch = batch_of([TASK.sample(moving_disk(1), np.random.default_rng(n), given, augment=False) for n in range(3)])

    def perfect(samples, mask):
        return [torch.fft.fftshift(samples[:, 0]), batch["target"]]

    figures = TASK.validate(perfect, batch, given)
    assert {name: value.shape for name, value in figures.items()} == {
        "psnr": (3,),
        "ssim": (3,),
        "zero_filled_psnr": (3,),
    }
    assert (figures["psnr"] >= 99).all()
    torch.testing.assert_close(figures["ssim"], torch.ones(3))
    assert (figures["zero_filled_psnr"] < 30).all()


def test_flips_and_turns_are_the_same_for_all_frames_and_all_happen():
    frames = torch.stack([torch.arange(12.0).reshape(3, 4), 100 + torch.arange(12.0).reshape(3, 4)])
    random = np.random.default_rng(0)
    seen = set()
    for _ in range(40):
        changed = flipped_and_turned(frames, random)
        torch.testing.assert_close(changed[1] - changed[0], torch.full((3, 4), 100.0))
        seen.add(float(changed[0, 0, 0]))
    assert seen == {0.0, 3.0, 8.0, 11.0}
    square = torch.arange(9.0).reshape(1, 3, 3)
    seen = {tuple(flipped_and_turned(square, random).flatten().tolist()) for _ in range(200)}
    assert len(seen) == 8


def test_phase_maps_are_smooth_and_of_the_asked_size():
    for seed in range(3):
        phase = random_phase((48, 40), np.random.default_rng(seed), 1.0)
        torch.testing.assert_close(phase.abs(), torch.ones(48, 40))
        steps = torch.angle(phase[1:] * phase[:-1].conj())
        assert steps.abs().max() < 0.6
        spread = np.unwrap(np.unwrap(torch.angle(phase).numpy(), axis=0), axis=1).std()
        assert spread == pytest.approx(1.0, rel=0.05)
