"""IREM follows the noise; half precision, figures for L-curves, and what the published settings cost."""

import numpy as np
import pytest
import torch
from stack_cases import stacks, volume

import DynamicMRIReconLib as dmr
from DynamicMRIReconLib.data import ImageSeries
from DynamicMRIReconLib.errors import Cancelled, InputError
from DynamicMRIReconLib.methods import registry
from DynamicMRIReconLib.methods.base import Context
from DynamicMRIReconLib.methods.common.irem_points import Points, ProfilePoints
from DynamicMRIReconLib.methods.common.irem_training import Training, train
from DynamicMRIReconLib.methods.common.left_out_voxels import (
    FACTOR,
    WEAKEST,
    best_weight,
    cropped,
    lowest,
    middle_of,
)
from DynamicMRIReconLib.methods.common.stack_grid import VolumeGrid
from DynamicMRIReconLib.methods.common.stack_preparation import prepare
from DynamicMRIReconLib.sweep import sweep

SHAPE, SPACING_MM = (18, 18, 18), 3.3
SMALL = {"registration": "none", "slice_profile": "boxcar", "in_plane_blur": 0.0}


def noisy(deviation: float, **options) -> list[ImageSeries]:
    """Stacks with Gaussian noise, of which the magnitude is left; the object is 100 bright."""
    rng = np.random.default_rng(1)
    found = []
    for stack in stacks(shape=SHAPE, spacing_mm=SPACING_MM, **options):
        array = np.abs(stack.array + deviation * rng.standard_normal(stack.array.shape))
        found.append(ImageSeries(array.astype(np.float32), stack.affine, stack.times_s, metadata=stack.metadata))
    return found


def quality(result: ImageSeries) -> float:
    return dmr.evaluate(result, volume(SHAPE, SPACING_MM), scaled=False)["psnr_db"]["mean"]


def grid() -> dict:
    truth = volume(SHAPE, SPACING_MM)
    return {"shape": list(SHAPE), "affine": truth.affine.tolist()}


def test_the_lowest_is_found_on_the_way_up():
    asked = []

    def parabola(number: int) -> float:
        asked.append(number)
        return (number - 1.3) ** 2

    assert lowest(parabola, 9) == pytest.approx(1.3)
    assert asked == [0, 1, 2], "no trial beyond the first that is worse"
    assert lowest(lambda number: number, 5) == 0
    assert lowest(lambda number: -number, 5) == 4


def test_the_weight_follows_the_noise():
    weights = []
    for deviation in (0.0, 2.0, 8.0):
        data = noisy(deviation)
        parameters = registry.get("irem").parameters(**SMALL, grid=grid())
        prepared = prepare(data, parameters, Context())
        weights.append(best_weight(prepared.stacks, prepared.grid, "boxcar", 0.0, Context(seed=0)))
    assert weights[0] < WEAKEST * FACTOR
    assert weights[0] < weights[1] < weights[2]
    assert weights[2] > 4 * weights[0]


def test_noisy_stacks_become_smoother_and_clean_ones_stay_sharp():
    def made(deviation: float, **more) -> ImageSeries:
        settings = {"registration": "none", "grid": grid(), "epochs": 1}
        return dmr.reconstruct(noisy(deviation), "irem", device="cpu", **settings, **more)

    automatic, weak = made(6.0), made(6.0, regularization=4e-4)
    assert quality(automatic) > quality(weak) + 1.5
    assert automatic.metadata["regularization"] > 4e-4
    assert weak.metadata["regularization"] == 4e-4
    assert made(0.0).metadata["regularization"] < 0.5 * automatic.metadata["regularization"]


def test_the_middle_and_what_the_stacks_have_of_it():
    turned = np.array([[0, -2.0, 0, 5], [2.0, 0, 0, -7], [0, 0, 2.0, 1], [0, 0, 0, 1]])
    whole = VolumeGrid((60, 20, 70), turned)
    part = middle_of(whole)
    assert part.shape == (48, 20, 48)
    np.testing.assert_allclose(part.affine @ [0, 0, 0, 1], turned @ [11, 0, 6, 1])
    prepared = prepare(stacks(), registry.get("srr").parameters(**SMALL), Context())
    tiny = VolumeGrid((4, 5, 6), np.array([[2.0, 0, 0, 1], [0, 2.0, 0, 2], [0, 0, 2.0, 3], [0, 0, 0, 1]]))
    for stack in prepared.stacks:
        found = cropped(stack, tiny)
        assert found.values.size < stack.values.size / 4
        first = np.linalg.inv(stack.affine) @ found.affine @ [0, 0, 0, 1]
        i, j, k = np.rint(first[:3]).astype(int)
        np.testing.assert_allclose(first[:3], [i, j, k], atol=1e-9)
        assert found.values[0, 0, 0] == stack.values[k, j, i]
    away = VolumeGrid((4, 5, 6), tiny.affine + np.array([[0, 0, 0, 900.0]] * 3 + [[0, 0, 0, 0]]))
    assert cropped(prepared.stacks[0], away) is None


def _small_network(kind: str) -> torch.nn.Module:
    from DynamicMRIReconLib.networks.feature_grid import FeatureGridNetwork
    from DynamicMRIReconLib.networks.irem import IremNetwork

    torch.manual_seed(0)
    generator = torch.Generator().manual_seed(0)
    if kind == "fourier":
        return IremNetwork(features=16, width=16, layers=6, generator=generator)
    return FeatureGridNetwork((1.0, 1.0, 1.0), [0.5, 0.25], base_shape=(6, 6, 6), width=8, generator=generator)


@pytest.mark.parametrize("kind", ["grid", "fourier"])
def test_half_precision_is_close(kind):
    """Two trainings of 10 steps, the same but for the precision."""
    generator = torch.Generator().manual_seed(2)
    positions = torch.rand(200, 3, generator=generator) * 2 - 1
    values = 0.5 + 0.4 * torch.sin(2 * positions).prod(1)
    points = Points(positions, values, torch.zeros(200, dtype=torch.long), 0.1 * torch.eye(3)[None])
    found = {}
    for mixed in (False, True):
        network = _small_network(kind)
        how = Training(5, 100, 5e-3, 5e-3, 0, 1e-3, 0.1, mixed)
        context = Context()
        figures = train(
            network, points, ProfilePoints("boxcar", 2, 0.0), how, torch.Generator().manual_seed(3), context
        )
        assert all(parameter.dtype == torch.float32 for parameter in network.parameters())
        network.eval()
        found[mixed] = (network(positions).detach(), figures)
    difference = (found[True][0] - found[False][0]).square().mean().sqrt()
    assert difference > 0, "half precision was not used"
    assert difference < 0.03
    assert found[True][1] == pytest.approx(found[False][1], rel=0.2, abs=1e-4)


def test_positions_keep_their_precision():
    from DynamicMRIReconLib.networks.irem import FourierFeatures

    features = FourierFeatures(64, sigma=4.0, generator=torch.Generator().manual_seed(0))
    points = torch.rand(50, 3, generator=torch.Generator().manual_seed(1)) * 2 - 1
    plain = features(points)
    with torch.autocast("cpu", torch.bfloat16):
        torch.testing.assert_close(features(points).float(), plain, atol=1e-6, rtol=0)


@pytest.mark.parametrize("penalty", ["tikhonov", "tv", "huber"])
def test_srr_tells_its_penalty(penalty):
    result = dmr.reconstruct(
        noisy(1.0), "srr", device="cpu", penalty=penalty, regularization=0.01, iterations=4, grid=grid(), **SMALL
    )
    figures = result.metadata["figures"]
    assert figures["penalty"] == pytest.approx(0.01 * figures["penalty_per_regularization"])
    # the object has 100; the method scales its brightest voxels to 1
    peak = np.percentile(np.abs(noisy(1.0)[0].array), 99.9)
    array = result.array[0] / peak
    steps = [np.diff(array, axis=axis, append=np.take(array, [-1], axis)) for axis in range(3)]
    length = np.sqrt(sum(step**2 for step in steps))
    expected = {
        "tikhonov": (length**2).sum() / 2,
        "tv": length.sum(),
        "huber": np.where(length <= 0.01, length**2 / 2, 0.01 * (length - 0.005)).sum(),
    }[penalty]
    # borders, negative values and the exact scale are not in this
    assert figures["penalty_per_regularization"] == pytest.approx(expected, rel=0.15)


@pytest.mark.parametrize("method", ["srr", "irem"])
def test_a_sweep_over_stacks_draws_an_l_curve(method):
    quick = {"registration": "none", "voxel_size_mm": 5.0}
    quick |= {"iterations": 4, "penalty": "tv"} if method == "srr" else {"epochs": 1}
    found = sweep(noisy(4.0), method, {"regularization": [1e-4, 3e-3, 1e-1]}, device="cpu", **quick)
    misfits = [trial.figures["misfit"] for trial in found.trials]
    sizes = [trial.figures["penalty_per_regularization"] for trial in found.trials]
    assert misfits == sorted(misfits), "more smoothing explains less"
    assert sizes == sorted(sizes, reverse=True)
    assert found.series.frames == 1
    assert "Suggested" in found.choice.reason


def test_a_sweep_of_what_has_no_weight_is_refused():
    with pytest.raises(InputError, match="bspline has no regularization"):
        sweep(noisy(0.0), "bspline", {"voxel_size_mm": [2, 3, 4]}, device="cpu")
    # with a reference anything can be swept
    truth = volume(SHAPE, SPACING_MM)
    found = sweep(
        noisy(4.0), "srr", {"regularization": [1e-3, 1e-1]}, reference=truth, device="cpu", iterations=4, grid=grid(),
        registration="none",
    )  # fmt: skip
    assert found.choice.reason.startswith("Best")


def test_the_published_settings_say_what_they_cost_before_they_start():
    said, steps = [], []

    def progress(fraction: float, message: str) -> None:
        steps.append(message)
        assert said, "the cost comes first"

    with pytest.raises(Cancelled):
        dmr.reconstruct(
            stacks(),
            "irem",
            preset="faithful",
            registration="none",
            context=Context(warn=said.append, progress=progress, cancelled=lambda: len(steps) >= 3),
        )
    assert "hours on cpu" in said[0]
