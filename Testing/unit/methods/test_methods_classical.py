"""The regularised methods on small scans of moving objects: what they gain, and that nothing is lost on the way."""

import numpy as np
import pytest
import torch
from kspace_cases import OBLIQUE, cartesian_case, coil_maps, difference, gaussian_spectrum, radial, times

import DynamicMRIReconLib as dmr
from DynamicMRIReconLib import phantoms
from DynamicMRIReconLib.acquisition.simulate import SimulationParameters, simulate
from DynamicMRIReconLib.data import Geometry, KSpace
from DynamicMRIReconLib.errors import Cancelled, InputError
from DynamicMRIReconLib.methods import registry
from DynamicMRIReconLib.methods.base import Context
from DynamicMRIReconLib.methods.common import regularised
from DynamicMRIReconLib.operators.nufft import BACKENDS

METHODS = ("grasp", "low-rank-sparse", "locally-low-rank", "space-time", "tv")
TEMPORAL = METHODS[:-1]


def heart(**changes):
    """A small beating heart, with noise, and the truth."""
    values = {"matrix": 32, "frames": 8, "coils": 4, "shots": 7, "include_coil_maps": True, **changes}
    return simulate(phantoms.get("heart"), SimulationParameters(**values))


@pytest.fixture(scope="module")
def scan():
    return heart()


@pytest.fixture(scope="module")
def grid_scan():
    return heart(trajectory="cartesian", acceleration=3.0, central_lines=4, shots=None)


@pytest.fixture(scope="module", params=["radial", "cartesian"])
def either(request, scan, grid_scan):
    return scan if request.param == "radial" else grid_scan


@pytest.mark.parametrize("method", METHODS)
def test_beats_cg_sense(method, either):
    kspace, truth = either
    ours, baseline = (
        dmr.evaluate(dmr.reconstruct(kspace, name, device="cpu"), truth)["psnr_db"]["mean"]
        for name in (method, "cg-sense")
    )
    assert ours > baseline + 1


@pytest.mark.parametrize("method", METHODS)
def test_back_ends_agree(method, scan):
    kspace, _ = scan
    one, other = (dmr.reconstruct(kspace, method, device="cpu", nufft_backend=name).array for name in BACKENDS)
    assert difference(one, other) < 1e-3


@pytest.mark.parametrize("method", METHODS)
def test_one_and_two_threads_agree(method, scan):
    kspace, _ = scan
    before = torch.get_num_threads()
    results = []
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            results.append(dmr.reconstruct(kspace, method, device="cpu", iterations=3).array)
    finally:
        torch.set_num_threads(before)
    assert difference(*results) < 1e-3


@pytest.mark.parametrize("method", METHODS)
def test_the_objective_falls_and_is_shown(method, scan):
    kspace, _ = scan
    shown = []
    dmr.reconstruct(
        kspace, method, device="cpu", iterations=20, tolerance=0.0, callback=lambda s: shown.append(s.message)
    )
    values = [float(message.rpartition("objective ")[2]) for message in shown if "objective" in message]
    assert len(values) == 20
    assert values[-1] == pytest.approx(min(values), rel=0.02)
    assert values[-1] < values[0]
    assert "iteration 20 of 20" in "".join(shown)


@pytest.mark.parametrize("method", METHODS)
def test_cancel_is_seen_within_one_iteration(method, scan):
    kspace, _ = scan
    messages = []
    context = Context(
        progress=lambda _, message: messages.append(message),
        cancelled=lambda: any(message.startswith("iteration 2 ") for message in messages),
    )
    with pytest.raises(Cancelled):
        dmr.reconstruct(kspace, method, context=context)
    assert messages[-1].startswith("iteration 2 ")


@pytest.mark.parametrize("method", METHODS)
def test_previews_arrive_and_look_like_the_result(method, scan, monkeypatch):
    kspace, truth = scan
    seen = []
    monkeypatch.setattr(regularised.Preview.__init__, "__defaults__", (0.0,))
    result = dmr.reconstruct(kspace, method, context=Context(preview=seen.append))
    assert len(seen) >= 2
    assert seen[-1].shape == truth.array.shape
    assert difference(seen[-1], np.abs(result.array)) < 1e-4


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("seconds", [0.1, 2.9])
def test_a_preview_arrives_at_least_every_five_seconds(method, seconds, scan, monkeypatch):
    """By a clock on which an iteration takes ``seconds``."""
    kspace, _ = scan
    now, shown = [100.0], [100.0]
    monkeypatch.setattr("DynamicMRIReconLib.methods.common.frames.time.monotonic", lambda: now[0])

    def progress(_, message):
        now[0] += seconds if message.startswith("iteration") else 0.0

    context = Context(progress=progress, preview=lambda _: shown.append(now[0]))
    dmr.reconstruct(kspace, method, context=context, iterations=60, tolerance=0.0)
    assert now[0] > 105
    assert np.diff([*shown, now[0]]).max() < 5


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("coils", [1, 3])
def test_odd_sizes_two_frames_and_few_coils(method, coils):
    kspace, truth = cartesian_case(frames=2, shape=(1, 25, 27), coils=coils, skip=1)
    series = dmr.reconstruct(kspace, method, device="cpu")
    assert series.array.shape == truth.shape
    # complete data: only the penalty is between the result and the truth
    assert difference(series.array, truth) < 0.06


@pytest.mark.parametrize("method", METHODS)
def test_a_coil_without_maps(method):
    kspace, _ = heart(coils=1, include_coil_maps=False, shots=16)
    assert np.isfinite(dmr.reconstruct(kspace, method, device="cpu").array).all()


@pytest.mark.parametrize("method", METHODS)
def test_slices_are_reconstructed_each_in_its_place(method):
    kspace, _ = cartesian_case(frames=3, shape=(2, 20, 24), coils=3)
    series = dmr.reconstruct(kspace, method, device="cpu", iterations=5)
    np.testing.assert_array_equal(series.affine, OBLIQUE)
    np.testing.assert_array_equal(series.times_s, times(3))
    for z, one in enumerate(kspace.slices()):
        alone = dmr.reconstruct(one, method, device="cpu", iterations=5).array
        assert difference(series.array[:, z : z + 1], alone) < 1e-4


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("factor", [1e-7, 3e6])
def test_intensity_follows_the_scale_of_the_data(method, factor, scan):
    kspace, _ = scan
    scaled = KSpace(**{**vars(kspace), "samples": kspace.samples * np.float32(factor)})
    plain, other = (dmr.reconstruct(one, method, device="cpu", iterations=4).array for one in (kspace, scaled))
    assert difference(other / np.float32(factor), plain) < 1e-3


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("kind", ["cartesian", "radial"])
def test_an_asymmetric_marker_is_where_it_was(method, kind):
    shape, frames = (1, 33, 38), 3
    places = np.array([[5.3, -6.7], [-7.2, 3.4]])
    if kind == "cartesian":
        ky, kx = np.meshgrid(*(np.arange(n) - n // 2 for n in shape[1:]), indexing="ij")
        k = np.stack([kx, ky], axis=-1)[None].repeat(frames, axis=0)
    else:
        k, _ = radial(frames, 40, shape[1:])
    spectrum = sum(
        height * gaussian_spectrum(k, shape[:0:-1], at, 1.3) for height, at in zip((1, 0.5), places, strict=True)
    )
    maps = coil_maps(1, shape) * 0 + 1
    given = {"coil_maps": maps} if kind == "cartesian" else {"coil_maps": maps, "trajectory": k, "image_shape": shape}
    samples = spectrum[:, None, None] if kind == "cartesian" else spectrum[:, None]
    series = dmr.reconstruct(KSpace(samples, OBLIQUE, times(frames), **given), method, device="cpu")
    middle = np.array([n // 2 for n in shape[::-1]], float)
    grid = np.stack(np.meshgrid(*(np.arange(n) for n in shape), indexing="ij")[::-1], axis=-1).astype(float)
    for at in places:
        expected = Geometry(OBLIQUE).to_ras(middle + np.append(at, 0.0))
        inside = series.geometry.to_ijk(expected)
        weights = np.abs(series.array[1]) * (np.linalg.norm(grid - inside, axis=-1) < 3.5)
        centroid = (grid * weights[..., None]).sum((0, 1, 2)) / weights.sum()
        assert np.abs(centroid - inside).max() < 0.1


@pytest.mark.parametrize("sparsity", ["temporal-tv", "temporal-fourier"])
def test_low_rank_and_sparse_parts_sum_to_the_series(sparsity, scan):
    kspace, _ = scan
    values = {"sparsity": sparsity, "low_rank_regularization": 0.003}
    series = dmr.reconstruct(kspace, "low-rank-sparse", device="cpu", **values)
    assert set(series.parts) == {"low-rank", "sparse"}
    np.testing.assert_allclose(series.parts["low-rank"] + series.parts["sparse"], series.array, atol=1e-6)
    background, moving = (np.linalg.norm(series.parts[name]) for name in ("low-rank", "sparse"))
    # most of a heart and its surroundings stays; what moves is not nothing
    assert background > moving > 0.02 * background
    values = np.linalg.svd(series.parts["low-rank"].reshape(8, -1), compute_uv=False)
    assert values[1] < 0.2 * values[0]


@pytest.mark.parametrize("method", METHODS)
def test_stronger_weights_leave_less_of_what_they_penalise(method, scan):
    kspace, _ = scan
    axis = (-1,) if method == "tv" else (0,)
    light, heavy = (
        np.abs(np.diff(dmr.reconstruct(kspace, method, device="cpu", regularization=value).array, axis=axis[0])).sum()
        for value in (0.001, 0.1)
    )
    assert heavy < 0.9 * light


def test_smoothness_holds_down_what_the_penalty_leaves_open(scan):
    kspace, _ = scan
    rough, smooth = (
        np.abs(np.diff(dmr.reconstruct(kspace, "grasp", device="cpu", smoothness=value).array, axis=-1)).sum()
        for value in (0.0, 0.03)
    )
    assert smooth < 0.9 * rough


@pytest.mark.parametrize("method", TEMPORAL)
def test_one_frame_is_refused_with_what_to_do(method):
    kspace, _ = cartesian_case(frames=1)
    assert "at least 2" in registry.get(method).why_not(kspace)
    with pytest.raises(InputError, match="use tv or cg-sense"):
        dmr.reconstruct(kspace, method, device="cpu")


def test_tv_takes_one_frame():
    kspace, truth = cartesian_case(frames=1, skip=2)
    assert difference(dmr.reconstruct(kspace, "tv", device="cpu").array, truth) < 0.1
