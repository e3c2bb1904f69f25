"""The voxel grid: its parts, its refusals, and that right_handed moves no voxel."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from DynamicMRIReconLib.data import Geometry, right_handed
from DynamicMRIReconLib.errors import InputError


def rotation(x: float, y: float, z: float) -> np.ndarray:
    """Rotation matrix from angles in radians about the three axes."""
    cx, sx, cy, sy, cz, sz = (f(a) for a in (x, y, z) for f in (np.cos, np.sin))
    return (
        np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
        @ np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
        @ np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    )


def changed(row: int, column: int, value: float) -> np.ndarray:
    affine = np.eye(4)
    affine[row, column] = value
    return affine


@pytest.mark.parametrize(
    ("affine", "words"),
    [
        (np.eye(3), "4x4 matrix"),
        ("nonsense", "not a matrix of numbers"),
        ([[1, 2], [3]], "not a matrix of numbers"),
        (changed(0, 3, np.nan), "not finite"),
        (changed(1, 1, np.inf), "not finite"),
        (changed(3, 0, 1.0), "last row"),
        (changed(2, 2, 0.0), "singular"),
        (np.array([[1, 2, 0, 0], [1, 2, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1.0]]), "singular"),
        (np.diag([1, 1, -1, 1.0]), "left-handed"),
    ],
)
def test_refuses_what_is_no_voxel_grid(affine: object, words: str) -> None:
    with pytest.raises(InputError, match=words):
        Geometry(affine)


def test_parts_come_back() -> None:
    directions = rotation(0.3, -0.5, 1.1)
    geometry = Geometry.from_parts((1.5, 2.0, 8.0), (10, -20, 30), directions)
    np.testing.assert_allclose(geometry.spacing_mm, (1.5, 2.0, 8.0), atol=1e-12)
    np.testing.assert_allclose(geometry.origin_mm, (10, -20, 30), atol=1e-12)
    np.testing.assert_allclose(geometry.directions, directions, atol=1e-12)


def test_centred_grid_has_index_half_n_at_zero() -> None:
    geometry = Geometry.centred((3, 8, 5), (2.0, 1.0, 4.0))
    np.testing.assert_allclose(geometry.to_ras((2, 4, 1)), 0, atol=1e-12)
    np.testing.assert_allclose(geometry.to_ras((3, 4, 1)), (2, 0, 0), atol=1e-12)


def test_the_affine_is_a_copy_that_cannot_be_changed() -> None:
    mine = np.eye(4)
    geometry = Geometry(mine)
    mine[0, 3] = 5
    assert geometry.affine[0, 3] == 0
    with pytest.raises(ValueError, match="read-only"):
        geometry.affine[0, 3] = 1


def test_slice_begins_at_that_slice() -> None:
    geometry = Geometry.from_parts((1, 1, 8), (1, 2, 3), rotation(0.2, 0.4, -0.3))
    part = geometry.slice(2)
    np.testing.assert_allclose(part.to_ras((4, 5, 0)), geometry.to_ras((4, 5, 2)), atol=1e-9)


angles = st.floats(-3.1, 3.1)
sizes = st.floats(0.2, 12)


@settings(max_examples=60, deadline=None)
@given(st.tuples(angles, angles, angles), st.tuples(sizes, sizes, sizes), st.sampled_from([-1.0, 1.0]))
def test_index_to_ras_and_back(turn: tuple, spacing: tuple, hand: float) -> None:
    affine = np.eye(4)
    affine[:3, :3] = rotation(*turn) * np.array(spacing) * (1, 1, hand)
    affine[:3, 3] = (-100, 40, 7)
    array = np.arange(2 * 3 * 4 * 5, dtype=float).reshape(2, 3, 4, 5)
    flipped, matrix = right_handed(array, affine)
    assert np.linalg.det(matrix[:3, :3]) > 0
    geometry = Geometry(matrix)
    for frame, k, j, i in np.ndindex(*array.shape):
        ras = affine @ (i, j, k, 1.0)
        new = np.rint(geometry.to_ijk(ras[:3])).astype(int)
        np.testing.assert_allclose(geometry.to_ras(new), ras[:3], atol=1e-9)
        assert flipped[frame, new[2], new[1], new[0]] == array[frame, k, j, i]


def test_right_handed_input_is_left_alone() -> None:
    array = np.zeros((1, 2, 3, 4))
    same, matrix = right_handed(array, np.eye(4))
    assert same is array
    np.testing.assert_array_equal(matrix, np.eye(4))


def test_right_handed_needs_a_slice_axis() -> None:
    with pytest.raises(InputError, match=r"\(\.\.\., z, y, x\)"):
        right_handed(np.zeros((3, 4)), np.diag([1, 1, -1, 1.0]))


def test_right_handed_gives_an_array_that_torch_takes() -> None:
    import torch

    array = np.arange(24.0).reshape(2, 3, 4)
    flipped, _ = right_handed(array, np.diag([1, 1, -1, 1.0]))
    np.testing.assert_array_equal(torch.from_numpy(flipped).numpy(), array[::-1])
