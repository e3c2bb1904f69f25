"""Rigid registration: exact, repeatable, stoppable, with masks and in any orientation."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "methods"))
from stack_cases import rigid, volume

from DynamicMRIReconLib.registration.itk_images import itk_image, matrix_of, transform_of
from DynamicMRIReconLib.registration.rigid import Volume, register_rigid

MOTION = rigid((4, -3, 5), (3, -2, 4))


def as_volume(motion=None, mask=None) -> Volume:
    series = volume((24, 24, 24), 2.5, motion)
    return Volume(series.array[0], series.affine, mask)


def errors(matrix: np.ndarray) -> tuple[float, float]:
    """Degrees and millimetres that are left."""
    left = matrix @ MOTION
    turn = np.rad2deg(np.arccos(np.clip((np.trace(left[:3, :3]) - 1) / 2, -1, 1)))
    return float(turn), float(np.abs(left[:3, 3]).max())


def test_found_and_the_same_again():
    fractions = []
    first = register_rigid(as_volume(), as_volume(MOTION), step=fractions.append)
    turn, shift = errors(first)
    assert turn < 0.2
    assert shift < 0.2
    np.testing.assert_array_equal(first, register_rigid(as_volume(), as_volume(MOTION)))
    assert fractions == sorted(fractions)
    assert fractions[0] >= 0
    assert fractions[-1] <= 1


def test_scanner_axes_do_not_matter():
    """The moving volume stored with its axes in another order and direction."""
    moving = as_volume(MOTION)
    array = moving.array.transpose(1, 2, 0)[::-1]
    affine = moving.affine[:, [2, 0, 1, 3]].copy()
    # its axes x, y, z are now z, x, y; the last was reversed
    affine[:3, 3] += affine[:3, 2] * (array.shape[0] - 1)
    affine[:3, 2] *= -1
    turn, shift = errors(register_rigid(as_volume(), Volume(np.ascontiguousarray(array), affine)))
    assert turn < 0.2
    assert shift < 0.2


def test_only_what_a_mask_shows_counts():
    spoilt = as_volume(MOTION)
    spoilt.array[:, :, :6] += np.random.default_rng(0).uniform(0, 100, spoilt.array[:, :, :6].shape).astype(np.float32)
    mask = np.zeros(spoilt.array.shape, bool)
    mask[:, :, 7:] = True
    turn, shift = errors(register_rigid(as_volume(), Volume(spoilt.array, spoilt.affine, mask)))
    assert turn < 1
    assert shift < 1


def test_what_step_raises_stops_it():
    calls = []

    def step(fraction: float) -> None:
        calls.append(fraction)
        if len(calls) == 3:
            raise KeyError("stop")

    with pytest.raises(KeyError):
        register_rigid(as_volume(), as_volume(MOTION), step=step)
    assert len(calls) == 3


def test_itk_images_lie_where_arrays_do():
    series = volume((4, 5, 6), 2.0)
    affine = MOTION @ series.affine
    image = itk_image(series.array[0], affine)
    lps = np.array(image.TransformIndexToPhysicalPoint((5, 1, 2)))
    np.testing.assert_allclose(lps * [-1, -1, 1], (affine @ [5, 1, 2, 1])[:3], atol=1e-9)
    np.testing.assert_allclose(matrix_of(transform_of(MOTION)), MOTION, atol=1e-12)
