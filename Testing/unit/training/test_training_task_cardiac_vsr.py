"""What cardiac super-resolution is trained on: whole beats, patches at one place, losses, other scales."""

import numpy as np
import pytest
import torch
from training_clips import losses_of, moving_disk

from DynamicMRIReconLib import io
from DynamicMRIReconLib.acquisition.degradation import degraded
from DynamicMRIReconLib.data import ImageSeries
from DynamicMRIReconLib.errors import InputError
from DynamicMRIReconLib.models.architectures import build
from DynamicMRIReconLib.models.files import write_network
from DynamicMRIReconLib.operators.zero_filling import ZeroFilling
from DynamicMRIReconLib.training.config import Data, Phantoms, SeriesRule
from DynamicMRIReconLib.training.initial import start_from
from DynamicMRIReconLib.training.series_files import series_clips
from DynamicMRIReconLib.training.streams import PhantomStream
from DynamicMRIReconLib.training.tasks import get

TASK, SINGLE = get("cardiac-vsr"), get("single-image-sr")
SMALL = {"features": 4, "targets": 3, "context": 2, "patch": 8, "skip": True}


def options(task=TASK, **values):
    return task.options(
        **{**SMALL, **({"layers": 1, "stages": 2, "window": 1} if task is TASK else {"blocks": 1}), **values}
    )


def hearts(**values):
    return PhantomStream(Phantoms(**{"name": "heart", "cyclic": True, "frame_time_ms": (40, 60), **values}), "training")


def batch_of(items):
    return {name: torch.stack([item[name] for item in items]) for name in items[0]}


@pytest.fixture(scope="module")
def clip():
    return hearts().clip(0, 7, 48, np.random.default_rng(0))


def test_a_phantom_clip_is_one_beat_that_belongs_to_the_person(clip):
    assert clip.cyclic
    stream = hearts(pool=2, reuse=3)
    clips = [stream.clip(number, 7, 24, np.random.default_rng(number)) for number in range(6)]
    assert clips[0] is clips[2]
    assert clips[0].name != clips[1].name
    beat = float(clips[0].frame_times_ms[1]) * len(clips[0].frames)
    assert 700 < beat < 1200
    step = (clips[0].frames[1:] - clips[0].frames[:-1]).square().mean((1, 2)).max()
    assert (clips[0].frames[0] - clips[0].frames[-1]).square().mean() <= 2 * step


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_items_are_coarse_and_fine_patches_of_one_place_and_go_round_the_beat(scale):
    beat = hearts().clip(1, 7, 96, np.random.default_rng(0))
    given, starts = options(scale=scale, heart_share=0.5), set()
    for seed in range(20):
        item = TASK.sample(beat, np.random.default_rng(seed), given, augment=True)
        assert item["coarse"].shape == (7, 1, 8, 8)
        assert item["fine"].shape == (3, 1, 8 * scale, 8 * scale)
        starts.add(round(float(item["phase"][0]), 3))
        wanted, seen = torch.nn.functional.avg_pool2d(item["fine"], scale), item["coarse"][2:5]
        elsewhere = [(wanted - seen.roll(1, axis)).square().mean() for axis in (-1, -2, 0)]
        turned = [(wanted - seen.flip(axis)).square().mean() for axis in (-1, -2)]
        assert (wanted - seen).square().mean() < 0.8 * min(*elsewhere[:2], *turned) + 1e-4
    assert len(starts) > 8
    whole = TASK.sample(beat, np.random.default_rng(0), options(scale=scale, targets=64), augment=False)
    count = len(beat.frames)
    torch.testing.assert_close(whole["coarse"][:10], whole["coarse"][count : count + 10])
    torch.testing.assert_close(whole["phase"][:10], whole["phase"][count : count + 10])


def test_frames_in_the_middle_are_the_targets(clip):
    given = options(patch=24, scale=2)
    item = TASK.sample(clip, np.random.default_rng(3), given, augment=False)
    again = degraded(item["fine"][:, 0].numpy(), 2)
    torch.testing.assert_close(item["coarse"][2:5, 0], torch.from_numpy(again), atol=0.02, rtol=0)


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_noise_is_that_of_the_coarse_frames_and_stays_in_the_fine_ones(clip, scale):
    def items(noise, augment=True):
        given = options(scale=scale, noise=noise, patch=11)
        return [TASK.sample(clip, np.random.default_rng(seed), given, augment=augment) for seed in range(30)]

    def added(name):
        return [noisy[name] - plain[name] for noisy, plain in zip(items(0.1), items(1e-9), strict=True)]

    sizes = [float(one.std()) for one in added("coarse")]
    assert max(sizes) < 0.12
    assert 0.03 < np.mean(sizes) < 0.07
    assert min(sizes) < 0.02
    for coarse, fine in zip(added("coarse"), added("fine"), strict=True):
        # the same noise, at the same places and of the same frames, and nothing beyond its frequencies
        operator = ZeroFilling((11, 11), scale)
        wanted = operator(torch.complex(coarse[2:5], 0 * coarse[2:5])).real
        torch.testing.assert_close(fine, wanted, atol=1e-5, rtol=0)
    for noisy, plain in zip(items(0.1, augment=False), items(0.0, augment=False), strict=True):
        torch.testing.assert_close(noisy["coarse"], plain["coarse"], atol=0, rtol=0)
        torch.testing.assert_close(noisy["fine"], plain["fine"], atol=0, rtol=0)


@pytest.mark.parametrize("rounded", [False, True])
def test_half_of_the_clips_are_hearts_of_other_shapes_and_still_coarse_and_fine_of_one_thing(clip, rounded):
    whole = {"scale": 2, "patch": 64, "targets": 5, "context": 1, "rounded": rounded}
    plain, bent = options(**whole), options(**whole, deformed_voxels=6.0)
    stays = TASK.sample(clip, np.random.default_rng(0), plain, augment=False)
    torch.testing.assert_close(TASK.sample(clip, np.random.default_rng(0), bent, augment=False), stays)
    moved = 0
    for seed in range(16):
        item = TASK.sample(clip, np.random.default_rng(seed), bent, augment=True)
        again = degraded((255 if rounded else 1) * item["fine"][:, 0].numpy(), 2, rounded=rounded)
        seen = item["coarse"][1:6, 0] * (255 if rounded else 1)
        # turned after they were made coarse: ripples and ties of rounding may differ by a little
        assert float((seen - torch.from_numpy(again)).abs().mean()) < (0.6 if rounded else 2e-3)
        found = torch.sort(item["fine"][0].flatten()).values
        # mirror images and quarter turns have the same values as one of the frames
        moved += min(float((found - torch.sort(one.flatten()).values).abs().max()) for one in clip.frames) > 1e-3
    assert 4 <= moved <= 12


def test_clips_that_are_no_beat_are_not_wrapped():
    given, moving = options(patch=16, scale=2), moving_disk(7, shape=(48, 48), speed=2.0)
    assert TASK.clip_frames(given) == 7
    first, second = (TASK.sample(moving, np.random.default_rng(n), given, augment=False) for n in range(2))
    torch.testing.assert_close(first["coarse"], second["coarse"])


@pytest.mark.parametrize("task", [TASK, SINGLE])
def test_loss_falls_and_the_described_network_is_the_built_one(task, clip):
    torch.manual_seed(0)
    given = options(task)
    network = task.build(given)
    batch = batch_of([task.sample(clip, np.random.default_rng(n), given, augment=True) for n in range(2)])
    optimiser = torch.optim.Adam([one for one in network.parameters() if one.requires_grad], lr=1e-2)
    losses, _ = losses_of(task, network, batch, given, optimiser, 12)
    assert losses[-1] < 0.95 * losses[0]
    build(task.name, task.network_options(given)).load_state_dict(network.state_dict())
    figures = task.validate(network.eval(), batch, given)
    assert {"psnr", "ssim", "bicubic_psnr"} == set(figures)
    assert all(values.shape == (2,) for values in figures.values())


def test_earlier_stages_count_half(clip):
    torch.manual_seed(0)
    given = options()
    network = TASK.build(given)
    batch = batch_of([TASK.sample(clip, np.random.default_rng(0), given, augment=False)])
    # an untrained network with a skip gives the same six images
    total, one = (float(TASK.loss(network, batch, given, 0)[name].detach()) for name in ("loss", "fused"))
    assert total == pytest.approx(one * 3 * 1.5, rel=1e-5)
    alone = TASK.loss(network, batch, options(auxiliary=False), 0)
    assert float(alone["loss"].detach()) == pytest.approx(one, rel=1e-5)
    figures = TASK.validate(network, batch, given)
    torch.testing.assert_close(figures["psnr"], figures["bicubic_psnr"])


def test_another_scale_starts_with_all_but_the_upsampler(tmp_path):
    torch.manual_seed(0)
    first = options(scale=2)
    known = TASK.build(first)
    write_network(tmp_path / "x2.safetensors", known, TASK.name, TASK.network_options(first))
    for scale in (2, 3, 4):
        network = TASK.build(options(scale=scale))
        fresh = {name: tensor.clone() for name, tensor in network.state_dict().items()}
        start_from(network, tmp_path / "x2.safetensors")
        for name, tensor in network.state_dict().items():
            wanted = fresh if scale != 2 and name.startswith("upsample.") else known.state_dict()
            torch.testing.assert_close(tensor, wanted[name])


def test_a_video_network_begins_with_what_a_single_image_network_gives(tmp_path, clip):
    torch.manual_seed(0)
    first = options(SINGLE, blocks=2)
    single = SINGLE.build(first)
    torch.nn.init.normal_(single.upsample.head.weight, std=0.1)
    write_network(tmp_path / "single.safetensors", single, SINGLE.name, SINGLE.network_options(first))
    given = options(blocks=2, auxiliary=False)
    video = TASK.build(given)
    start_from(video, tmp_path / "single.safetensors")
    batch = batch_of([TASK.sample(clip, np.random.default_rng(n), given, augment=False) for n in range(2)])
    with torch.no_grad():
        expected = single(batch["coarse"][:, 2:5].flatten(0, 1)).unflatten(0, (2, 3))
        torch.testing.assert_close(video(batch["coarse"], batch["phase"], 2)[-1].fused, expected)
    TASK.loss(video, batch, given, 0)["loss"].backward()
    assert video.fusion.leave.weight.grad.abs().sum() > 0


def test_files_that_are_beats(tmp_path):
    for number in range(3):
        images = moving_disk(6 + number, seed=number).frames.numpy()
        series = ImageSeries(images[:, None], np.eye(4), 0.05 * np.arange(len(images)))
        io.write(tmp_path / f"beat{number}.seq.nrrd", series)
    paths = sorted(tmp_path.glob("*.nrrd"))
    settings = Data(matrix=(32,), series=(SeriesRule(files="beat*", cyclic=True),))
    training, validation = series_clips(paths, settings, clip_frames=19)
    assert [len(one.clip(0, 19, 32, np.random.default_rng(0)).frames) for one in training] == [6, 7]
    assert validation[0].clip(0, 19, 32, np.random.default_rng(0)).cyclic
    with pytest.raises(InputError, match="three files"):
        series_clips(paths[:2], settings, clip_frames=19)
    ranges = Data(matrix=(32,), series=(SeriesRule(files="beat*", cyclic=True, train=((0, 3),)),))
    with pytest.raises(InputError, match="whole beat"):
        series_clips(paths, ranges, clip_frames=19)


@pytest.mark.parametrize("task", [SINGLE, TASK])
def test_a_deeper_network_begins_with_what_the_shallower_one_gives(tmp_path, clip, task):
    torch.manual_seed(0)
    first = options(SINGLE, blocks=2)
    known = SINGLE.build(first)
    for one in known.parameters():
        torch.nn.init.normal_(one, std=0.1)
    write_network(tmp_path / "shallow.safetensors", known, SINGLE.name, SINGLE.network_options(first))
    given = options(task, blocks=5)
    deeper = task.build(given)
    start_from(deeper, tmp_path / "shallow.safetensors")
    batch = batch_of([task.sample(clip, np.random.default_rng(0), given, augment=False)])
    with torch.no_grad():
        wanted = SINGLE.validate(known, batch, first)["psnr"]
        torch.testing.assert_close(task.validate(deeper, batch, given)["psnr"], wanted)
    task.loss(deeper, batch, given, 0)["loss"].backward()
    assert deeper.body[4].body[2].weight.grad.abs().sum() > 0
    with pytest.raises(InputError, match="another network"):
        start_from(SINGLE.build(options(SINGLE, blocks=1)), tmp_path / "shallow.safetensors")
