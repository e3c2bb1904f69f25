"""What the 3D CNN is trained on: samples of the right k-space, masks over time, losses, figures."""

import logging

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from training_clips import losses_of, moving_disk

from DynamicMRIReconLib.models.architectures import build
from DynamicMRIReconLib.networks.consistency import shared
from DynamicMRIReconLib.operators.fourier import fft2c, ifft2c
from DynamicMRIReconLib.training.losses.edge import edge_loss
from DynamicMRIReconLib.training.tasks import get
from DynamicMRIReconLib.training.tasks.cnn3d import Cnn3dOptions, figures_of
from DynamicMRIReconLib.training.undersampling import KtUndersampling

TASK = get("cnn3d")
SMALL = {"features": 4, "frames": 5}


def options(**values):
    return Cnn3dOptions(**{**SMALL, **values})


def item_of(given, seed=0, shape=(32, 32), **rest):
    return TASK.sample(
        moving_disk(given.frames, shape), np.random.default_rng(seed), given, **{"augment": True, **rest}
    )


def batch_of(items):
    return {name: torch.stack([item[name] for item in items]) for name in items[0]}


@pytest.mark.parametrize("shape", [(32, 32), (30, 44)])
def test_samples_are_the_masked_spectrum_of_the_target(shape):
    item = item_of(options(), shape=shape)
    assert item["samples"].shape == (5, 1, *shape)
    assert item["mask"].shape == item["target"].shape == item["start"].shape == (5, *shape)
    torch.testing.assert_close(item["samples"][:, 0], torch.where(item["mask"], fft2c(item["target"]), 0))
    torch.testing.assert_close(item["start"], ifft2c(item["samples"])[:, 0])
    assert item["target"].imag.abs().max() > 0.1


def test_masks_are_whole_lines_other_ones_in_each_frame_at_the_asked_acceleration():
    random = np.random.default_rng(0)
    sampling = KtUndersampling(accelerations=(8.0,))
    mask = sampling.draw((20, 192, 16), random)
    assert mask.all(-1).equal(mask.any(-1))
    lines = mask[..., 0]
    assert (lines.sum(1) == 24).all()
    assert (lines.all(0).nonzero()[:, 0] == torch.arange(91, 101)).all()
    assert len({tuple(frame.tolist()) for frame in lines}) == 20
    assert not sampling.draw((20, 192, 16), random).equal(mask)
    fixed = KtUndersampling(fixed=True)
    assert fixed.draw((3, 32, 32), random).equal(fixed.draw((3, 32, 32), random))
    found = {int(KtUndersampling(accelerations=(4.0, 8.0)).draw((1, 64, 8), random)[0, :, 0].sum()) for _ in range(12)}
    assert found == {16, 8}
    # as few lines as there may be
    assert KtUndersampling(accelerations=(60.0,)).draw((2, 16, 16), random)[..., 0].sum() == 2


def test_the_same_seed_gives_the_same_sample_and_validation_is_not_augmented():
    given = options(sampling={"noise": 0.02}, sharing=True, learned_columns=12)
    one, two = (item_of(given, 5) for _ in range(2))
    for name in one:
        torch.testing.assert_close(one[name], two[name], rtol=0, atol=0)
    plain = item_of(given, 5, augment=False)
    torch.testing.assert_close(plain["target"].abs(), moving_disk(5).frames)
    torch.testing.assert_close(plain["samples"][:, 0], torch.where(plain["mask"], fft2c(plain["target"]), 0))
    noise = one["samples"][:, 0] - torch.where(one["mask"], fft2c(one["target"]), 0)
    assert 1e-4 < noise[one["mask"]].abs().mean() < 0.05


def test_some_frames_and_columns_are_measured_as_if_they_were_alone():
    whole = item_of(options(sharing=True, frames=9))
    part = item_of(options(sharing=True, frames=9, learned_frames=4, learned_columns=12))
    assert part["samples"].shape == (4, 1, 32, 12)
    torch.testing.assert_close(
        part["samples"][:, 0], torch.where(part["mask"], fft2c(part["target"]), 0), rtol=1e-4, atol=1e-5
    )
    # the start knows all frames
    full_start = ifft2c(shared(whole["samples"][None], whole["mask"][None])[0])[:, 0]
    torch.testing.assert_close(whole["start"], full_start)
    places = [
        (t, x)
        for t in range(6)
        for x in range(21)
        if torch.equal(whole["target"][t : t + 4, :, x : x + 12], part["target"])
    ]
    assert places
    t, x = places[0]
    torch.testing.assert_close(part["start"], full_start[t : t + 4, :, x : x + 12])


@pytest.mark.parametrize(
    "values",
    [
        {"kind": "deep"},
        {"iterations": 11},
        {"pool_time": True},
        {"dropout": 1.0},
        {"edge_weight": 0.6, "perceptual_weight": 0.4},
        {"sampling": {"accelerations": []}},
        {"sampling": {"accelerations": [0.5]}},
        {"blocks": 3},
    ],
)
def test_impossible_options_are_refused(values):
    with pytest.raises(ValidationError):
        options(**values)


@pytest.mark.parametrize("values", [{}, {"kind": "complex", "iterations": 2, "sharing": True, "demodulate": True}])
def test_loss_falls_and_the_built_network_is_the_described_one(values, caplog):
    torch.manual_seed(0)
    given = options(perceptual_weight=0.2, **values)
    with caplog.at_level(logging.WARNING):
        network = TASK.build(given)
    assert "without the perceptual loss" in caplog.text
    build(TASK.name, TASK.network_options(given)).load_state_dict(network.state_dict())
    batch = batch_of([item_of(given, n) for n in range(2)])
    optimiser = torch.optim.Adam(network.parameters(), lr=5e-3)
    losses, _ = losses_of(TASK, network, batch, given, optimiser, 20)
    assert losses[-1] < 0.9 * losses[0]


def test_the_edge_loss_comes_after_so_many_epochs_and_takes_its_share():
    given = options(edge_weight=0.2, edge_from_epoch=3)
    batch = batch_of([item_of(given)])
    torch.manual_seed(0)
    network = TASK.build(given)
    before, after = (TASK.loss(network, batch, given, epoch) for epoch in (2, 3))
    movie = network(batch["samples"], batch["mask"])[-1]
    found, wanted = (x.abs().flatten(0, 1)[:, None] for x in (movie, batch["target"]))
    mse, edges = (found - wanted).square().mean(), edge_loss(found, wanted)
    torch.testing.assert_close(before["loss"], mse)
    torch.testing.assert_close(after["loss"], 0.8 * mse + 0.2 * edges)
    assert "edge" not in before


def test_magnitude_and_complex_losses_differ_by_the_phase():
    batch = batch_of([item_of(options())])

    def turned(samples, mask, start):
        return [batch["target"] * 1j]

    assert float(TASK.loss(turned, batch, options(), 0)["loss"]) == pytest.approx(0, abs=1e-6)
    wrong = TASK.loss(turned, batch, options(compared="complex"), 0)["loss"]
    assert float(wrong) == pytest.approx(2 * float(batch["target"].abs().square().mean()), rel=1e-4)


def test_figures_of_the_truth_of_the_start_and_of_zero_filling():
    given = options(sharing=True)
    batch = batch_of([item_of(given, n, augment=False) for n in range(3)])

    def perfect(samples, mask, start):
        return [start, batch["target"]]

    figures = TASK.validate(perfect, batch, given)
    assert set(figures) == {f"{of}{name}" for of in ("", "start_", "zero_filled_") for name in ("psnr", "ssim")}
    assert all(value.shape == (3,) for value in figures.values())
    assert (figures["psnr"] >= 99).all()
    torch.testing.assert_close(figures["ssim"], torch.ones(3))
    assert (figures["zero_filled_psnr"] < figures["start_psnr"]).all()
    # of the whole clip: not the mean over its frames
    wrong = batch["target"].clone()
    wrong[:, 0] = 0
    error = batch["target"][:, 0].abs().square().mean((1, 2)) / 5
    torch.testing.assert_close(figures_of(wrong, batch["target"])["psnr"], -10 * error.log10())
