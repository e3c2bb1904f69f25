"""What the library writes as ISMRMRD opens in ismrmrd's own reader and comes back unchanged."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import ismrmrd
import numpy as np
import pytest

from DynamicMRIReconLib import io
from DynamicMRIReconLib.data import Geometry, KSpace
from DynamicMRIReconLib.errors import InputError

FRAMES, COILS = 3, 2
TIMES = np.array([0.0123456, 0.0541239, 0.1])


def rotation(angles: tuple[float, float, float]) -> np.ndarray:
    a, b, c = angles
    about_x = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    about_y = np.array([[np.cos(b), 0, np.sin(b)], [0, 1, 0], [-np.sin(b), 0, np.cos(b)]])
    about_z = np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
    return about_z @ about_y @ about_x


ORIENTATIONS = {
    "axial": np.eye(3),
    "axial as scanners store it": np.diag([-1.0, -1.0, 1.0]),
    "sagittal": np.array([[0, 0, 1], [1, 0, 0], [0, 1, 0]], float),
    "coronal": np.array([[1, 0, 0], [0, 0, -1], [0, 1, 0]], float),
    "oblique": rotation((0.3, -0.7, 1.9)),
}


def random(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return (rng.normal(size=shape) + 1j * rng.normal(size=shape)).astype(np.complex64)


def affine(directions: np.ndarray) -> np.ndarray:
    return Geometry.from_parts((1.25, 1.75, 7.5), (-112.3, 45.6, 201.7), directions).affine


def cartesian(directions: np.ndarray, slices: int = 3) -> KSpace:
    rng = np.random.default_rng(0)
    samples = random(rng, FRAMES, COILS, slices, 12, 10)
    mask = np.broadcast_to(rng.random((FRAMES, slices, 12, 1)) < 0.5, (FRAMES, slices, 12, 10)).copy()
    mask[:, :, 6] = True
    notes = {"simulated": True, "source": "Müller <&>", "repetition_time_s": 0.003, "warnings": ["one sentence"]}
    return KSpace(samples * mask[:, None], affine(directions), TIMES, mask=mask, metadata=notes)


def radial(directions: np.ndarray, slices: int) -> KSpace:
    rng = np.random.default_rng(1)
    angle = np.arange(FRAMES * 5).reshape(FRAMES, 5) * 1.94
    k = np.linspace(-8, 8, 32, endpoint=False)[:, None]
    trajectory = k * np.stack([np.cos(angle), np.sin(angle)], -1)[:, :, None]
    shape = (FRAMES, COILS, slices, 5, 32) if slices > 1 else (FRAMES, COILS, 5, 32)
    return KSpace(random(rng, *shape), affine(directions), TIMES, image_shape=(slices, 16, 16), trajectory=trajectory)


@pytest.mark.parametrize("name", ORIENTATIONS)
@pytest.mark.parametrize("kind", ["cartesian", "one slice", "radial", "radial slices"])
def test_everything_comes_back(tmp_path: Path, name: str, kind: str) -> None:
    directions = ORIENTATIONS[name]
    make = {
        "cartesian": lambda: cartesian(directions),
        "one slice": lambda: cartesian(directions, slices=1),
        "radial": lambda: radial(directions, 1),
        "radial slices": lambda: radial(directions, 4),
    }
    data = make[kind]()
    back = io.read(io.write(tmp_path / "scan.h5", data))
    assert isinstance(back, KSpace)
    np.testing.assert_array_equal(back.samples, data.samples)
    assert back.matrix == data.matrix
    np.testing.assert_allclose(back.times_s, data.times_s, atol=1e-9, rtol=0)
    corners = np.array(np.meshgrid([0, 15], [0, 15], [0, data.matrix[0] - 1])).reshape(3, -1).T
    np.testing.assert_allclose(back.geometry.to_ras(corners), data.geometry.to_ras(corners), atol=1e-4, rtol=0)
    if data.is_cartesian:
        np.testing.assert_array_equal(back.mask, data.mask)
        assert back.metadata["simulated"] is True
        assert back.metadata["source"] == "Müller <&>"
        assert back.metadata["warnings"] == ["one sentence"]
    else:
        np.testing.assert_allclose(back.trajectory, data.trajectory, atol=1e-5)


def test_3d_trajectory_comes_back(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    trajectory = rng.uniform(-3, 3, (FRAMES, 6, 8, 3))
    data = KSpace(
        random(rng, FRAMES, COILS, 6, 8), affine(np.eye(3)), TIMES, image_shape=(6, 8, 10), trajectory=trajectory
    )
    back = io.read(io.write(tmp_path / "kooshball.h5", data))
    np.testing.assert_array_equal(back.samples, data.samples)
    np.testing.assert_allclose(back.trajectory, data.trajectory, atol=1e-5)
    np.testing.assert_allclose(back.affine, data.affine, atol=1e-4)
    assert back.matrix == (6, 8, 10)


def test_lines_measured_in_part_keep_their_mask(tmp_path: Path) -> None:
    data = cartesian(np.eye(3))
    mask = np.random.default_rng(5).random(data.mask.shape) < 0.4
    data = replace(data, samples=data.samples * (mask & data.mask)[:, None], mask=None)
    back = io.read(io.write(tmp_path / "grid.h5", data))
    np.testing.assert_array_equal(back.mask, data.mask)
    np.testing.assert_array_equal(back.samples, data.samples)


def test_the_ismrmrd_package_reads_the_file(tmp_path: Path) -> None:
    data = cartesian(ORIENTATIONS["oblique"])
    path = io.write(tmp_path / "scan.h5", data)
    with ismrmrd.Dataset(str(path), create_if_needed=False) as dataset:
        header = ismrmrd.xsd.CreateFromDocument(dataset.read_xml_header())
        assert header.encoding[0].reconSpace.matrixSize.x == 10
        assert header.encoding[0].trajectory.value == "cartesian"
        assert header.sequenceParameters.TR == [3.0]
        assert dataset.number_of_acquisitions() == int(data.mask.any(axis=-1).sum())
        first = dataset.read_acquisition(0)
        last = dataset.read_acquisition(dataset.number_of_acquisitions() - 1)
    ky = first.idx.kspace_encode_step_1
    np.testing.assert_array_equal(first.data, data.samples[0, :, 0, ky])
    # ISMRMRD counts millimetres to the left and to the back.
    centre = data.geometry.to_ras((5, 6, 0)) * [-1, -1, 1]
    np.testing.assert_allclose(list(first.position), centre, atol=1e-4)
    assert first.isFlagSet(ismrmrd.ACQ_FIRST_IN_SLICE)
    assert last.isFlagSet(ismrmrd.ACQ_LAST_IN_MEASUREMENT)
    assert last.idx.repetition == FRAMES - 1


def test_exact_times_of_another_acquisition_are_not_believed(tmp_path: Path) -> None:
    """Another program shifted the stamps of the second frame and left the header."""
    import h5py

    path = io.write(tmp_path / "scan.h5", cartesian(np.eye(3)))
    with h5py.File(path, "r+") as file:
        table = file["dataset/data"][:]
        table["head"]["acquisition_time_stamp"][table["head"]["idx"]["repetition"] > 0] += 400
        file["dataset/data"][:] = table
    back = io.read(path)
    assert back.times_s[1] == pytest.approx(1.042, abs=0.003)
    assert any("do not fit" in sentence for sentence in back.metadata["warnings"])


def test_many_frames_closer_than_a_tick_keep_their_times(tmp_path: Path) -> None:
    times = np.arange(40) * 0.0011
    samples = random(np.random.default_rng(0), 40, 1, 1, 4, 4)
    data = KSpace(samples, np.eye(4), times)
    np.testing.assert_allclose(io.read(io.write(tmp_path / "fast.h5", data)).times_s, times, atol=1e-9)


def test_sheared_axes_and_series_are_refused(tmp_path: Path) -> None:
    data = cartesian(np.eye(3))
    sheared = data.affine.copy()
    sheared[0, 2] = 3.0
    with pytest.raises(InputError, match="not perpendicular"):
        io.write(tmp_path / "x.h5", replace(data, affine=sheared))
    series = io.ImageSeries(np.ones((1, 1, 2, 2)), np.eye(4), np.array([0.0]))
    with pytest.raises(InputError, match="holds k-space"):
        io.write(tmp_path / "x.h5", series)
    assert list(tmp_path.iterdir()) == []
