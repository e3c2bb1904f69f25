"""Stacks of others: moved against each other by another program, beside the volume that it expects of them."""

from pathlib import Path

import numpy as np
import pytest
from scipy.ndimage import map_coordinates

import DynamicMRIReconLib as dmr
from DynamicMRIReconLib.data import ImageSeries

SAMPLE = Path(__file__).resolve().parents[3] / "Resources" / "SampleData" / "fetal_stacks"
#: found once, in agreement with the expected volume: RAS motions of the second and the third stack
KNOWN = {
    1: [[0.9970, -0.0358, -0.0682, -5.1568], [0.0324, 0.9982, -0.0503, -6.6488], [0.0699, 0.0480, 0.9964, -2.4964]],
    2: [[0.9980, 0.0371, -0.0522, -3.7111], [-0.0349, 0.9985, 0.0412, 0.9883], [0.0536, -0.0393, 0.9978, 4.5956]],
}


def agreement(stack: ImageSeries, motion: np.ndarray, expected: ImageSeries) -> float:
    """Correlation of a moved stack with the expected volume, where both show something."""
    k, j, i = np.nonzero(expected.array[0] > 0)
    points = expected.geometry.to_ras(np.stack([i, j, k], -1))
    inverse = np.linalg.inv(motion @ stack.affine)
    at = points @ inverse[:3, :3].T + inverse[:3, 3]
    found = map_coordinates(stack.array[0], at[:, ::-1].T, order=1)
    inside = found > 0
    return float(np.corrcoef(found[inside], expected.array[0][k, j, i][inside])[0, 1])


def test_stacks_of_another_program_come_together():
    stacks = [dmr.read(SAMPLE / f"stack-{number}.nii.gz") for number in (1, 2, 3)]
    expected = dmr.read(SAMPLE / "expected.nii.gz")
    result = dmr.reconstruct(stacks, "bspline", device="cpu", registration_refinements=0, voxel_size_mm=8.0)
    for number, known in KNOWN.items():
        motion = np.array(result.metadata["stacks"][number]["matrix_ras"])
        before, after = (agreement(stacks[number], one, expected) for one in (np.eye(4), motion))
        assert after > before + 0.01
        left = motion @ np.linalg.inv(np.array([*known, [0, 0, 0, 1]]))
        turn = np.rad2deg(np.arccos(np.clip((np.trace(left[:3, :3]) - 1) / 2, -1, 1)))
        middle = stacks[number].geometry.to_ras((np.array(stacks[number].array.shape[:0:-1]) - 1) / 2)
        placed = np.array([*known, [0, 0, 0, 1]]) @ np.append(middle, 1)
        shift = np.linalg.norm((left @ placed - placed)[:3])
        assert turn == pytest.approx(0, abs=0.3)
        assert shift == pytest.approx(0, abs=0.3)
