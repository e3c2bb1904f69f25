"""The three methods that make one volume of stacks: place, voxel size, quality, refusals, what travels along."""

import numpy as np
import pytest
from stack_cases import MARKER_MM, found_marker_mm, rigid, stacks, volume

import DynamicMRIReconLib as dmr
from DynamicMRIReconLib.acquisition.thick_slices import thick_slices
from DynamicMRIReconLib.data import ImageSeries
from DynamicMRIReconLib.errors import Cancelled, InputError
from DynamicMRIReconLib.io.stacks import with_masks
from DynamicMRIReconLib.methods import registry
from DynamicMRIReconLib.methods.base import Context
from DynamicMRIReconLib.phantoms.brain import BrainScene

METHODS = ("bspline", "srr", "irem")
QUICK = {"bspline": {}, "srr": {"iterations": 8}, "irem": {"epochs": 1}}
SIMULATED = {"bspline": {}, "srr": {"slice_profile": "boxcar", "in_plane_blur": 0.0}}
SIMULATED["irem"] = SIMULATED["srr"]


def made(method: str, data: list[ImageSeries], **more) -> ImageSeries:
    return dmr.reconstruct(data, method, device="cpu", **{"registration": "none", **QUICK[method], **more})


def psnr(result: ImageSeries, truth: ImageSeries) -> float:
    return dmr.evaluate(result, truth, scaled=False)["psnr_db"]["mean"]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("times", [0.5, 1.0, 1.7, 3.0])
def test_marker_stays_in_place_at_any_voxel_size(method, times):
    size = 2.0 * times
    # as small as it may be around the marker: a fine grid of everything would take long
    region = [float(v) for c in MARKER_MM for v in (c - 14, c + 14)]
    # slices thin enough for the marker: what lies between thicker ones no method can know to a tenth of a millimetre
    result = made(method, stacks(factor=2), voxel_size_mm=size, region_mm=region)
    assert result.frames == 1
    np.testing.assert_allclose(result.geometry.spacing_mm, size)
    extent = np.array(result.array.shape[:0:-1]) * size
    assert (np.abs(extent - 28) <= size).all()
    assert np.abs(found_marker_mm(result) - MARKER_MM).max() < 0.1 * size
    assert 50 < result.array.max() < 170  # the intensity scale of the input


@pytest.mark.parametrize("method", METHODS)
def test_oblique_stacks_and_a_reference_grid(method):
    turned = rigid((20, -15, 30), (3, -2, 5))
    data = stacks()
    # the same voxels, in a scanner that is turned as a whole
    moved = [ImageSeries(s.array, turned @ s.affine, s.times_s, metadata=s.metadata) for s in data]
    truth = volume()
    grid = {"shape": list(truth.array.shape[1:]), "affine": (turned @ truth.affine).tolist()}
    plain = {"shape": grid["shape"], "affine": truth.affine.tolist()}
    one, other = made(method, data, grid=plain), made(method, moved, grid=grid)
    np.testing.assert_allclose(other.affine, turned @ truth.affine, atol=1e-9)
    assert np.abs(one.array - other.array).max() < 0.02 * one.array.max()
    assert psnr(one, truth) > 25


def test_quality_rises_from_interpolation_to_models():
    """A part of a brain with folds and edges, in slices of four voxels."""
    scene = BrainScene()
    array = np.abs(scene.render([0.0], (72, 88, 88)))[:, 24:56, 20:52, 28:60]
    affine = scene.geometry((72, 88, 88)).affine
    truth = ImageSeries(array, affine, np.zeros(1))
    data = [thick_slices(truth, axis, 4) for axis in (0, 1, 2)]
    grid = {"shape": list(array.shape[1:]), "affine": truth.affine.tolist()}
    found = {m: psnr(made(m, data, grid=grid, **SIMULATED[m]), truth) for m in METHODS}
    assert found["bspline"] + 2 < found["srr"]
    assert found["srr"] + 0.3 < found["irem"]


@pytest.mark.parametrize("method", METHODS)
def test_result_says_how_it_was_made_and_repeats(method):
    data = stacks()
    data[1] = data[1].with_metadata(warnings=["one"])
    result, again = (made(method, data, voxel_size_mm=4) for _ in range(2))
    np.testing.assert_array_equal(result.array, again.array)
    assert [one["source"] for one in result.metadata["stacks"]] == ["s1", "s2", "s3"]
    assert [one["slice_thickness_mm"] for one in result.metadata["stacks"]] == [6, 6, 6]
    assert result.metadata["warnings"] == ["one"]
    assert result.metadata["simulated"]
    assert not result.synthetic.any()


def test_a_turned_and_shifted_stack_is_registered_back():
    motion = rigid((5, -4, 6), (4, -3, 5))
    result = dmr.reconstruct(stacks(motions={2: motion}), "bspline", device="cpu", registration_refinements=2)
    error = np.array(result.metadata["stacks"][2]["matrix_ras"]) @ motion
    degrees = np.rad2deg(np.arccos(np.clip((np.trace(error[:3, :3]) - 1) / 2, -1, 1)))
    assert degrees < 0.2
    assert np.abs(error[:3, 3]).max() < 0.2
    still = np.array(result.metadata["stacks"][1]["matrix_ras"])
    assert np.abs(still - np.eye(4)).max() < 0.2
    np.testing.assert_array_equal(result.metadata["stacks"][0]["matrix_ras"], np.eye(4))


def test_fixed_stack_decides_what_moves_and_what_is_bright():
    motion = rigid((0, 0, 0), (3, 0, 0))
    data = stacks(motions={0: motion})
    data[0] = ImageSeries(2 * data[0].array, data[0].affine, data[0].times_s, metadata=data[0].metadata)
    result = dmr.reconstruct(data, "bspline", device="cpu", fixed_stack=2, registration_refinements=0)
    notes = result.metadata["stacks"]
    np.testing.assert_array_equal(notes[1]["matrix_ras"], np.eye(4))
    assert notes[0]["matrix_ras"][0][3] == pytest.approx(-3, abs=0.2)
    assert notes[0]["intensity_factor"] == pytest.approx(0.5, rel=0.05)


@pytest.mark.parametrize("kind", ["scale", "linear"])
def test_brightness_is_matched(kind):
    data = stacks()
    offset = 10 if kind == "linear" else 0
    data[2] = ImageSeries(1.7 * data[2].array + offset, data[2].affine, data[2].times_s)
    notes = made("bspline", data, intensity_matching=kind).metadata["stacks"][2]
    assert notes["intensity_factor"] == pytest.approx(1 / 1.7, rel=0.05)
    assert notes["intensity_offset"] == pytest.approx(-offset / 1.7, abs=0.5)


def test_masks_of_another_grid_are_resampled_and_bound_the_result():
    data = stacks()
    inside = volume((16, 16, 16), 4.0)
    box = np.zeros_like(inside.array)
    box[:, 4:12, 4:12, 4:12] = 1
    mask = ImageSeries(box, inside.affine, inside.times_s)
    masked = with_masks(data, [mask])
    for stack in masked:
        share = stack.parts["mask"].sum() * np.prod(stack.geometry.spacing_mm)
        assert share == pytest.approx(32**3, rel=0.2)
    result = made("srr", masked)
    assert max(result.array.shape) < 25
    assert result.array[0, 0, 0, 0] == 0
    with pytest.raises(InputError, match="3 stacks but 2 masks"):
        with_masks(data, [mask, mask])
    empty = ImageSeries(box * 0, inside.affine, inside.times_s)
    with pytest.raises(InputError, match=r"mask of Stack 1 .* is empty"):
        made("srr", with_masks(data, [empty]))


def far(stack: ImageSeries) -> ImageSeries:
    affine = stack.affine.copy()
    affine[:3, 3] += 500
    return ImageSeries(stack.array, affine, stack.times_s, metadata={"source": "far.nii.gz"})


def test_refusals():
    data = stacks()
    zero = ImageSeries(0 * data[1].array, data[1].affine, data[1].times_s, metadata={"source": "zero.nii.gz"})
    cases = [
        (data[:1], {}, "One stack only"),
        (data[0], {}, "needs two or more image stacks"),
        ([data[0], zero], {}, r"Stack 2 \(zero.nii.gz\) is zero everywhere"),
        ([data[0], far(data[1])], {}, r"Stack 2 \(far.nii.gz\) does not overlap Stack 1"),
        ([data[0], data[1].with_metadata(slice_thickness_mm=0)], {}, "slice thickness of 0 mm"),
        (data, {"slice_thickness_mm": 0}, "slice_thickness_mm"),
        (data, {"fixed_stack": 4}, "fixed_stack is 4 but there are 3"),
        (data, {"region_mm": [0, 1, 0, 1, 5, 2]}, "each axis needs a start below its end"),
        (data, {"region_mm": [900, 910, 900, 910, 900, 910]}, "outside of all stacks"),
        (data, {"voxel_size_mm": 0}, "voxel_size_mm"),
    ]
    for input_data, parameters, message in cases:
        for method in METHODS:
            with pytest.raises(InputError, match=message):
                dmr.reconstruct(input_data, method, device="cpu", registration="none", **parameters)
    movie = ImageSeries(np.repeat(data[0].array, 2, 0), data[0].affine, np.arange(2.0))
    with pytest.raises(InputError, match="has 2 frames: a stack is one volume"):
        dmr.reconstruct([movie, data[1]], "srr")


@pytest.mark.parametrize("method", METHODS)
def test_cancelling_stops_within_a_step(method):
    for after in (0, 3, 12):
        calls = 0

        def cancelled(after=after) -> bool:
            nonlocal calls
            calls += 1
            return calls > after

        with pytest.raises(Cancelled):
            dmr.reconstruct(stacks(), method, context=Context(cancelled=cancelled), **QUICK[method])


@pytest.mark.parametrize("method", METHODS)
def test_estimate_grows_with_the_work(method):
    chosen, data = registry.get(method), stacks()
    small, large = (
        chosen.estimate(data, chosen.parameters(registration="none", voxel_size_mm=size), "cpu") for size in (3, 1)
    )
    assert 0 < small.seconds < large.seconds
    assert 0 < small.memory_bytes < large.memory_bytes
    registered = chosen.estimate(data, chosen.parameters(voxel_size_mm=3), "cpu")
    assert registered.seconds > small.seconds
    # the grid may be unknowable before the run has checked the stacks
    assert chosen.estimate(data, chosen.parameters(fixed_stack=9), "cpu").seconds > 0


def test_the_published_network_is_announced_and_runs():
    chosen = registry.get("irem")
    assert chosen.estimate(stacks(), chosen.parameters("faithful"), "cpu").seconds > 3600
    said = []
    result = dmr.reconstruct(
        stacks(factor=4, shape=(12, 12, 12), spacing_mm=5.0),
        "irem",
        preset="faithful",
        epochs=12,
        batch=200,
        learning_rate=2e-3,
        registration="none",
        context=Context(warn=said.append),
    )
    assert not said
    assert result.metadata["figures"]["misfit"] < 0.02
    assert np.isfinite(result.array).all()
