"""ImageSeries and KSpace: what they refuse and in which words, what they fill in, what they keep."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from DynamicMRIReconLib.data import ImageSeries, KSpace
from DynamicMRIReconLib.errors import InputError

rng = np.random.default_rng(5)


def series(**changes: Any) -> ImageSeries:
    parts: dict[str, Any] = {"array": np.ones((3, 2, 4, 5)), "affine": np.eye(4), "times_s": [0.0, 0.1, 0.3]}
    return ImageSeries(**{**parts, **changes})


def cartesian(**changes: Any) -> KSpace:
    parts: dict[str, Any] = {"samples": np.ones((2, 3, 1, 8, 6), complex), "affine": np.eye(4), "times_s": [0.0, 0.1]}
    return KSpace(**{**parts, **changes})


def radial(**changes: Any) -> KSpace:
    trajectory = rng.uniform(-4, 4, (2, 5, 16, 2))
    trajectory[0, 0, 0] = (-4, 4)
    parts: dict[str, Any] = {
        "samples": np.ones((2, 3, 5, 16), complex),
        "trajectory": trajectory,
        "affine": np.eye(4),
        "times_s": [0.0, 0.1],
    }
    return KSpace(**{**parts, **changes})


def with_value(array: np.ndarray, value: Any) -> np.ndarray:
    array = array.copy()
    array.reshape(-1)[3] = value
    return array


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"array": np.array([["a"]])}, "must hold numbers"),
        ({"array": np.ones((2, 4, 5))}, r"axes \(frames, z, y, x\); its shape is \(2, 4, 5\)"),
        ({"array": np.ones((0, 2, 4, 5)), "times_s": []}, "is empty"),
        ({"array": with_value(np.ones((3, 2, 4, 5)), np.nan)}, "1 values that are not finite"),
        ({"array": with_value(np.ones((3, 2, 4, 5)), np.inf)}, "not finite"),
        ({"array": with_value(np.ones((3, 2, 4, 5)), 1e300)}, "too large for single precision"),
        ({"times_s": [0.0, 0.1]}, "3 frames but 2 frame times"),
        ({"times_s": [0.0, 0.2, 0.2]}, "frame 2 is at 0.2 s, after frame 1 at 0.2 s"),
        ({"times_s": [0.0, np.nan, 0.2]}, "times_s holds 1 values that are not finite"),
        ({"times_s": [0j, 1j, 2j]}, "must be real"),
        ({"times_s": [[0.0, 0.1, 0.2]]}, r"axes \(frames,\)"),
        ({"synthetic": [True]}, "one for each of 3 frames"),
        ({"affine": np.diag([1, 1, -1, 1.0])}, "left-handed"),
        ({"affine": np.eye(3)}, "4x4"),
    ],
)
def test_series_refuses(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        series(**changes)


def test_series_fills_in_types_and_flags() -> None:
    made = series(array=np.ones((3, 2, 4, 5), np.int16))
    assert made.array.dtype == np.float32
    assert made.times_s.dtype == np.float64
    assert made.synthetic is not None
    assert not made.synthetic.any()
    assert made.frames == 3
    assert series(array=np.ones((3, 2, 4, 5), complex)).array.dtype == np.complex64


def test_magnitude_and_metadata_keep_the_rest() -> None:
    made = series(array=np.full((3, 2, 4, 5), 3 + 4j), synthetic=[0, 1, 0], metadata={"a": 1})
    size = made.magnitude().with_metadata(b=2)
    np.testing.assert_allclose(size.array, 5)
    assert size.metadata == {"a": 1, "b": 2}
    assert made.metadata == {"a": 1}
    np.testing.assert_array_equal(size.synthetic, [False, True, False])
    real = series(array=-np.ones((3, 2, 4, 5)))
    assert real.magnitude() is real


def test_from_any_handedness_keeps_the_place_of_a_voxel() -> None:
    array = rng.random((3, 2, 4, 5))
    affine = np.diag([2.0, 2.0, -5.0, 1.0])
    made = ImageSeries.from_any_handedness(array, affine, [0, 1, 2])
    ijk = np.rint(made.geometry.to_ijk((affine @ (1, 2, 1, 1))[:3])).astype(int)
    assert made.array[2, ijk[2], ijk[1], ijk[0]] == np.float32(array[2, 1, 2, 1])


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"samples": np.ones((2, 3, 8, 6), complex)}, r"\(frames, coils, z, ky, kx\)"),
        ({"samples": np.full((2, 3, 1, 8, 6), np.nan + 0j)}, "not finite"),
        ({"samples": np.zeros((2, 3, 1, 8, 6), complex)}, "All k-space samples are zero"),
        ({"image_shape": (1, 8, 8)}, "differs from the Cartesian samples"),
        ({"density": np.ones((2, 5, 16))}, "Density weights belong to non-Cartesian"),
        ({"mask": np.ones((2, 1, 8, 7), bool)}, r"\(frames, z, ky, kx\) = \(2, 1, 8, 6\)"),
        ({"mask": np.zeros((2, 1, 8, 6), bool)}, "mask and data disagree"),
        ({"coil_maps": np.ones((4, 1, 8, 6), complex)}, r"\(coils, z, y, x\) = \(3, 1, 8, 6\)"),
        ({"coil_maps": np.ones((1, 8, 6), complex)}, "Coil sensitivity maps must have the axes"),
        ({"times_s": [0.0]}, "2 frames but 1 frame times"),
        ({"times_s": [0.1, 0.0]}, "Frame times must increase"),
        ({"affine": np.diag([-1, 1, 1, 1.0])}, "left-handed"),
    ],
)
def test_cartesian_refuses(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        cartesian(**changes)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"mask": np.ones((2, 1, 8, 8), bool)}, "give one of them"),
        ({"samples": np.ones((2, 3, 16), complex)}, r"\(frames, coils, shots, readout\)"),
        ({"trajectory": np.zeros((2, 5, 16, 4))}, r"must be kx, ky \(, kz\)"),
        ({"trajectory": np.zeros((2, 5, 15, 2))}, "trajectory's length does not match"),
        ({"trajectory": np.zeros((2, 6, 16, 2))}, "frames, shots and readout must agree"),
        ({"trajectory": np.full((2, 5, 16, 2), np.nan)}, "The trajectory holds"),
        ({"trajectory": np.zeros((2, 1, 5, 16, 2))}, "does not match"),
        (
            {"trajectory": np.zeros((2, 5, 16, 3)), "samples": np.ones((2, 3, 2, 5, 16), complex)},
            "3-D trajectory covers the whole volume",
        ),
        ({"image_shape": (1, 0, 8)}, "three positive numbers"),
        ({"image_shape": (8, 8)}, "three positive numbers"),
        ({"image_shape": (2, 8, 8)}, "2 slices but the samples have 1"),
        ({"image_shape": (1, 4, 4)}, r"reaches 4.0 cycles .* matrix of 4"),
        ({"density": np.ones((2, 5, 15))}, "do not match the trajectory"),
        ({"density": -np.ones((2, 5, 16))}, "must not be negative"),
        ({"coil_maps": np.ones((3, 1, 8, 9), complex)}, r"= \(3, 1, 8, 8\)"),
    ],
)
def test_non_cartesian_refuses(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        radial(**changes)


def test_cartesian_finds_its_mask_and_acceleration() -> None:
    samples = np.ones((2, 3, 1, 8, 6), complex)
    samples[:, :, :, ::2] = 0
    data = cartesian(samples=samples)
    assert data.is_cartesian
    assert data.mask is not None
    assert data.mask.shape == (2, 1, 8, 6)
    assert data.acceleration == pytest.approx(2)
    assert (data.matrix, data.frames, data.coils) == ((1, 8, 6), 2, 3)


def test_a_sample_that_is_zero_where_measured_is_allowed() -> None:
    samples = np.ones((2, 3, 1, 8, 6), complex)
    samples[0, 0, 0, 3, 3] = 0
    assert cartesian(samples=samples, mask=np.ones((2, 1, 8, 6))).acceleration == pytest.approx(1)


def test_the_matrix_holds_the_trajectory() -> None:
    data = radial()
    assert data.matrix == (1, 8, 8)
    assert not data.is_cartesian
    assert data.trajectory is not None
    assert data.trajectory.dtype == np.float32
    assert data.acceleration == pytest.approx(8 / 5)


def test_slices_lie_where_they_were() -> None:
    affine = np.diag([1, 1, 8, 1.0])
    samples = rng.standard_normal((2, 3, 4, 8, 6)) + 1j
    maps = rng.standard_normal((3, 4, 8, 6)) + 1j
    parts = list(cartesian(samples=samples, coil_maps=maps, affine=affine).slices())
    assert len(parts) == 4
    np.testing.assert_allclose(parts[3].samples[:, :, 0], samples[:, :, 3].astype(np.complex64))
    np.testing.assert_allclose(parts[3].coil_maps[:, 0], maps[:, 3].astype(np.complex64))
    np.testing.assert_allclose(parts[3].geometry.origin_mm, (0, 0, 24))


@pytest.mark.parametrize("per_slice", [False, True])
def test_slices_of_non_cartesian_data(per_slice: bool) -> None:
    samples = rng.standard_normal((2, 3, 4, 5, 16)) + 1j
    shape = (2, 4, 5, 16) if per_slice else (2, 5, 16)
    trajectory = rng.uniform(-4, 4, (*shape, 2)).astype(np.float32)
    density = rng.uniform(0.1, 1, shape).astype(np.float32)
    data = KSpace(samples, np.eye(4), [0, 1], trajectory=trajectory, density=density, image_shape=(4, 8, 8))
    part = list(data.slices())[2]
    np.testing.assert_allclose(part.samples, samples[:, :, 2].astype(np.complex64))
    np.testing.assert_array_equal(part.trajectory, trajectory[:, 2] if per_slice else trajectory)
    np.testing.assert_array_equal(part.density, density[:, 2] if per_slice else density)
    assert part.matrix == (1, 8, 8)


def test_a_volume_trajectory_is_one_part() -> None:
    trajectory = rng.uniform(-4, 4, (2, 5, 16, 3))
    data = radial(trajectory=trajectory, image_shape=(8, 8, 8))
    assert len(list(data.slices())) == 1


class TestParts:
    """What a series is made of."""

    def test_parts_are_series_of_their_own_in_the_same_place_and_time(self) -> None:
        array = rng.standard_normal((3, 2, 4, 5)) + 1j * rng.standard_normal((3, 2, 4, 5))
        whole = series(array=array, parts={"low-rank": 0.25 * array, "sparse": 0.75 * array}, metadata={"a": 1})
        one = whole.part("sparse")
        np.testing.assert_allclose(one.array, (0.75 * array).astype(np.complex64))
        assert one.array.dtype == np.complex64
        assert (one.parts, one.metadata) == ({}, {"a": 1, "part": "sparse"})
        np.testing.assert_array_equal(one.times_s, whole.times_s)
        np.testing.assert_array_equal(one.affine, whole.affine)

    def test_the_magnitude_of_a_series_is_that_of_its_parts_too(self) -> None:
        array = np.full((3, 2, 4, 5), 3 + 4j)
        whole = series(array=array, parts={"a": 2j * array}).magnitude()
        np.testing.assert_allclose(whole.array, 5)
        np.testing.assert_allclose(whole.parts["a"], 10)
        assert whole.parts["a"].dtype == np.float32

    def test_parts_keep_their_place_in_a_left_handed_grid(self) -> None:
        array = rng.standard_normal((3, 2, 4, 5))
        whole = ImageSeries.from_any_handedness(
            array, np.diag([1.0, 1.0, -2.0, 1.0]), [0, 1, 2], parts={"half": array / 2}
        )
        assert np.linalg.det(whole.affine) > 0
        np.testing.assert_allclose(whole.part("half").array, whole.array / 2)

    @pytest.mark.parametrize(
        ("parts", "words"),
        [
            ({"a": np.ones((3, 2, 4, 4))}, r"'a' has shape \(3, 2, 4, 4\)"),
            ({"a": np.ones((3, 2, 4, 5), complex)}, "must be real"),
            ({"a": np.full((3, 2, 4, 5), np.nan)}, "not finite"),
            ({"../up": np.ones((3, 2, 4, 5))}, "cannot be the name of a part"),
            ({"": np.ones((3, 2, 4, 5))}, "cannot be the name of a part"),
        ],
    )
    def test_wrong_parts_are_refused(self, parts: dict[str, Any], words: str) -> None:
        with pytest.raises(InputError, match=words):
            series(parts=parts)

    def test_a_part_that_is_not_there(self) -> None:
        with pytest.raises(InputError, match="no part 'x'; it has a"):
            series(parts={"a": np.ones((3, 2, 4, 5))}).part("x")
