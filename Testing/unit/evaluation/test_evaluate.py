"""Comparison with a reference: figures against their definitions, regions, and what is refused."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

import DynamicMRIReconLib as dmr
from DynamicMRIReconLib.data import ImageSeries
from DynamicMRIReconLib.errors import InputError
from DynamicMRIReconLib.evaluation import report
from DynamicMRIReconLib.evaluation.regions import box_region, moving_box, moving_region

TIMES = np.arange(8) * 0.05
KEYS = ("psnr_db", "ssim", "nrmse")


def heart(shape: tuple[int, int, int] = (2, 40, 50), frames: int = 8) -> np.ndarray:
    """A still body with a disc in it that grows and shrinks once."""
    _, y, x = np.meshgrid(*(np.arange(n) for n in shape), indexing="ij")
    body = 60.0 * (((x - 25) / 22) ** 2 + ((y - 20) / 17) ** 2 < 1)
    radius = 6 + 3 * np.cos(2 * np.pi * np.arange(frames) / frames)
    discs = 1 / (1 + np.exp(2 * (np.hypot(x - 30, y - 18)[None] - radius[:, None, None, None])))
    return body[None] + 90 * discs


def series(array: np.ndarray, **changes: Any) -> ImageSeries:
    parts: dict[str, Any] = {"affine": np.diag([1.5, 1.5, 8, 1]), "times_s": TIMES[: len(array)]}
    return ImageSeries(array, **{**parts, **changes})


def noisy(sigma: float = 4.0, scale: float = 1.0) -> ImageSeries:
    return series(scale * (heart() + np.random.default_rng(1).normal(0, sigma, heart().shape)))


def test_figures_follow_their_definitions() -> None:
    reference, result = heart().astype(np.float32), noisy().array
    figures = dmr.evaluate(noisy(), series(reference), scaled=False)
    top = float(reference.max())
    assert figures["data_range"] == pytest.approx(top)
    for frame in range(8):
        expected = peak_signal_noise_ratio(reference[frame], result[frame], data_range=top)
        assert figures["psnr_db"]["per_frame"][frame] == pytest.approx(expected, abs=1e-3)
        similar = [structural_similarity(reference[frame, z], result[frame, z], data_range=top) for z in range(2)]
        assert figures["ssim"]["per_frame"][frame] == pytest.approx(np.mean(similar), abs=1e-4)
        error = np.sqrt(np.mean((result[frame] - reference[frame]) ** 2)) / np.sqrt(np.mean(reference**2))
        assert figures["nrmse"]["per_frame"][frame] == pytest.approx(error, rel=1e-4)
    for key in KEYS:
        assert figures[key]["mean"] == pytest.approx(np.mean(figures[key]["per_frame"]))


def test_the_same_series_is_perfect_and_fits_json() -> None:
    figures = dmr.evaluate(series(heart()), series(heart()))
    assert figures["psnr_db"]["mean"] == 200
    assert figures["ssim"]["mean"] == pytest.approx(1)
    assert figures["nrmse"]["mean"] == 0
    assert figures["temporal_sharpness"] == pytest.approx(1)
    assert json.loads(json.dumps(figures, allow_nan=False)) == figures


def test_one_scale_is_put_on_the_result_and_the_unscaled_figures_stay() -> None:
    reference = series(heart())
    plain, tripled = dmr.evaluate(noisy(), reference), dmr.evaluate(noisy(scale=3.0), reference)
    assert tripled["scale"] == pytest.approx(plain["scale"] / 3, rel=1e-4)
    for key in KEYS:
        assert tripled[key]["mean"] == pytest.approx(plain[key]["mean"], rel=1e-3)
    assert tripled["unscaled"]["psnr_db"]["mean"] < tripled["psnr_db"]["mean"] - 10
    result, truth = noisy(scale=3.0).array.astype(float), heart()
    assert tripled["scale"] == pytest.approx((result * truth).sum() / (result**2).sum(), rel=1e-5)
    bare = dmr.evaluate(noisy(scale=3.0), reference, scaled=False)
    assert bare["scale"] == 1
    assert bare["psnr_db"] == bare["unscaled"]["psnr_db"]


def test_complex_results_count_by_magnitude() -> None:
    turned = series(noisy().array * np.exp(1j * np.arange(50)))
    expected = dmr.evaluate(series(np.abs(noisy().array)), series(heart()))
    assert dmr.evaluate(turned, series(heart()))["psnr_db"]["mean"] == pytest.approx(
        expected["psnr_db"]["mean"], abs=1e-3
    )


def test_an_error_where_things_move_shows_in_the_moving_region() -> None:
    still = np.broadcast_to(heart().mean(axis=0), heart().shape)
    figures = dmr.evaluate(series(still), series(heart()))
    assert figures["moving"]["psnr_db"]["mean"] < figures["psnr_db"]["mean"] - 5
    assert figures["moving"]["ssim"]["mean"] < figures["ssim"]["mean"]
    assert 0.01 < figures["moving_fraction"] < 0.2
    assert figures["temporal_sharpness"] == pytest.approx(0, abs=1e-6)


def test_smoothing_over_time_lowers_the_sharpness() -> None:
    truth = heart()
    smooth = (np.roll(truth, 1, 0) + truth + np.roll(truth, -1, 0)) / 3
    assert 0.5 < dmr.evaluate(series(smooth), series(truth))["temporal_sharpness"] < 0.95
    assert dmr.evaluate(noisy(20), series(truth))["temporal_sharpness"] > 1.1


def test_a_box_counts_only_what_is_in_it() -> None:
    spoiled = heart()
    spoiled[..., 35, 45] += 50
    inside = dmr.evaluate(series(spoiled), series(heart()), roi=(20, 8, 41, 29), scaled=False)
    assert inside["roi"] == [20, 8, 41, 29]
    assert inside["psnr_db"]["mean"] == 200
    outside = dmr.evaluate(series(spoiled), series(heart()), roi="40,30,50,40", scaled=False)
    assert outside["psnr_db"]["mean"] < 40
    assert outside["moving"] is None


def test_the_automatic_box_holds_the_disc_tightly() -> None:
    figures = dmr.evaluate(noisy(), series(heart()), roi="auto")
    x0, y0, x1, y1 = figures["roi"]
    assert 15 <= x0 <= 21
    assert 3 <= y0 <= 9
    assert 39 <= x1 <= 45
    assert 27 <= y1 <= 33


def test_moving_region_is_the_rim_of_the_disc() -> None:
    region = moving_region(heart())
    assert region is not None
    assert region[:, 18, 37].all()
    assert not region[:, 18, 30].any()
    assert not region[:, 20, 6].any()


@pytest.mark.parametrize("array", [heart(frames=1), np.repeat(heart(frames=1), 5, axis=0)])
def test_without_motion_there_is_no_moving_region(array: np.ndarray) -> None:
    assert moving_region(array) is None
    figures = dmr.evaluate(series(array + 1), series(array))
    assert figures["moving"] is None
    assert figures["temporal_sharpness"] is None
    with pytest.raises(InputError, match="Nothing moves"):
        moving_box(array)


@pytest.mark.parametrize(
    ("roi", "words"),
    [
        ((0, 0, 51, 40), "outside the image of 50 x 40"),
        ((10, 10, 10, 20), "empty"),
        ((-1, 0, 5, 5), "outside"),
        ((1, 2, 3), "four whole numbers"),
        ((1.5, 2, 3, 4), "four whole numbers"),
        ("a,b,c,d", "four whole numbers"),
        (7, "four whole numbers"),
    ],
)
def test_refused_boxes(roi: Any, words: str) -> None:
    with pytest.raises(InputError, match=words):
        box_region(roi, (2, 40, 50))


def moved(mm: float) -> np.ndarray:
    affine = np.diag([1.5, 1.5, 8, 1.0])
    affine[1, 3] = mm
    return affine


@pytest.mark.parametrize(
    ("result", "words"),
    [
        (series(heart()[:7]), r"\(7, 2, 40, 50\) but the reference \(8, 2, 40, 50\)"),
        (series(heart(), affine=moved(0.2)), "voxels away"),
        (series(heart(), affine=np.diag([1.6, 1.5, 8, 1])), "voxels away"),
        (series(heart(), times_s=TIMES + 0.03), r"Frame times .* 0.03 s, more than half .* 0.05 s"),
        (np.ones(3), "must be an image series"),
        (dmr.KSpace(np.ones((1, 1, 1, 4, 4), complex), np.eye(4), [0.0]), "reconstruct it first"),
    ],
)
def test_refused_results(result: Any, words: str) -> None:
    with pytest.raises(InputError, match=words):
        dmr.evaluate(result, series(heart()))


def test_small_differences_of_place_and_time_are_allowed() -> None:
    near = series(heart(), affine=moved(0.1), times_s=TIMES + 0.02)
    assert dmr.evaluate(near, series(heart()))["psnr_db"]["mean"] == 200


def test_refused_references() -> None:
    with pytest.raises(InputError, match="no value above zero"):
        dmr.evaluate(noisy(), series(np.zeros((8, 2, 40, 50))))
    small = series(np.ones((2, 1, 6, 9)))
    with pytest.raises(InputError, match="at least 7 x 7"):
        dmr.evaluate(small, small)
    with pytest.raises(InputError, match="zero everywhere in the region"):
        dmr.evaluate(series(np.round(heart())), series(np.round(heart())), roi=(0, 0, 3, 3))


def test_report_is_one_table() -> None:
    results = {"gridding": dmr.evaluate(noisy(9), series(heart())), "cg-sense": dmr.evaluate(noisy(2), series(heart()))}
    lines = report(results, extra={"time (s)": {"gridding": "0.4"}}).splitlines()
    assert len({len(line) for line in lines}) == 1
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    assert cells[0][:4] == ["method", "PSNR (dB)", "SSIM", "NRMSE"]
    assert cells[2][0] == "gridding"
    assert cells[2][1] == f"{results['gridding']['psnr_db']['mean']:.2f}"
    assert cells[3][4] == f"{results['cg-sense']['moving']['psnr_db']['mean']:.2f}"
    assert [row[-1] for row in cells[2:]] == ["0.4", "-"]
