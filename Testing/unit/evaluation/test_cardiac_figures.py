"""CardiacPSNR and CardiacSSIM against their formulas written out."""

import numpy as np
import pytest

from DynamicMRIReconLib.errors import InputError
from DynamicMRIReconLib.evaluation.cardiac import cardiac_figures

BOX = (4, 3, 24, 22)


def pair():
    rng = np.random.default_rng(0)
    reference = rng.random((3, 2, 26, 30)) * 0.9
    reference[0, 0, 0, 0] = 1.0
    return np.clip(reference + 0.05 * rng.standard_normal(reference.shape), 0, 1), reference


def ssim_by_hand(a, b, exponent):
    line = np.exp(-((np.arange(11) - 5) ** 2) / exponent)
    kernel = np.outer(line, line) / line.sum() ** 2
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    values = []
    for row in range(a.shape[0] - 10):
        for column in range(a.shape[1] - 10):
            x, y = (one[row : row + 11, column : column + 11] for one in (a, b))
            mx, my = (kernel * x).sum(), (kernel * y).sum()
            vx, vy = (kernel * x * x).sum() - mx**2, (kernel * y * y).sum() - my**2
            cov = (kernel * x * y).sum() - mx * my
            values.append((2 * mx * my + c1) * (2 * cov + c2) / ((mx**2 + my**2 + c1) * (vx + vy + c2)))
    return np.mean(values)


@pytest.mark.parametrize(("parity", "exponent"), [(False, 2 * 1.5**2), (True, (2 * 1.5) ** 2)])
def test_formulas(parity, exponent):
    result, reference = pair()
    found = cardiac_figures(result, reference, BOX, parity=parity)
    x0, y0, x1, y1 = BOX
    psnr, ssim = [], []
    for t, k in np.ndindex(3, 2):
        a, b = (np.rint(255 * one[t, k, y0:y1, x0:x1]) for one in (result, reference))
        psnr.append(10 * np.log10(255**2 / ((a - b) ** 2).mean()))
        ssim.append(ssim_by_hand(a, b, exponent))
    assert found["cardiac_psnr_db"] == pytest.approx(np.mean(psnr), abs=1e-9)
    assert found["cardiac_ssim"] == pytest.approx(np.mean(ssim), abs=1e-6)


def test_only_the_box_counts_and_equal_images_are_perfect():
    result, reference = pair()
    outside = result.copy()
    outside[..., :3, :] = 0
    assert cardiac_figures(outside, reference, BOX) == cardiac_figures(result, reference, BOX)
    assert cardiac_figures(reference, reference, BOX) == {"cardiac_psnr_db": 200.0, "cardiac_ssim": 1.0}
    scaled = cardiac_figures(9 * result, 9 * reference, BOX)
    assert scaled == cardiac_figures(result, reference, BOX)
    assert cardiac_figures(result, reference, BOX, bright=0.5) != scaled


@pytest.mark.parametrize(
    ("box", "words"), [((0, 0, 40, 20), "outside"), ((0, 0, 10, 20), "too small"), ("auto", "four whole numbers")]
)
def test_wrong_boxes(box, words):
    with pytest.raises(InputError, match=words):
        cardiac_figures(*pair(), box)


def test_what_cannot_be_compared():
    result, reference = pair()
    with pytest.raises(InputError, match="one shape"):
        cardiac_figures(result[:2], reference, BOX)
    with pytest.raises(InputError, match="above zero"):
        cardiac_figures(result, 0 * reference, BOX)
