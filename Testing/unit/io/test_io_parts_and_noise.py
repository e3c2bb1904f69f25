"""Parts of a series beside its file or inside it, and noise samples in plain archives."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from DynamicMRIReconLib import io
from DynamicMRIReconLib.data import ImageSeries, KSpace
from DynamicMRIReconLib.errors import InputError
from DynamicMRIReconLib.io.part_files import part_paths, write_parts

RNG = np.random.default_rng(7)


def whole() -> ImageSeries:
    low, sparse = (RNG.standard_normal((3, 2, 4, 5)) + 1j * RNG.standard_normal((3, 2, 4, 5)) for _ in range(2))
    affine = np.diag([2.0, 2.0, 6.0, 1.0])
    return ImageSeries(low + sparse, affine, [0.1, 0.2, 0.4], parts={"low-rank": low, "sparse": sparse})


@pytest.mark.parametrize("suffix", [".seq.nrrd", ".nii.gz"])
def test_parts_lie_beside_a_file_that_holds_one_array(tmp_path: Path, suffix: str) -> None:
    data = whole()
    path = tmp_path / f"a.b{suffix}"
    written = write_parts(path, data)
    assert written == {name: tmp_path / f"a.b.{name}{suffix}" for name in ("low-rank", "sparse")}
    assert written == part_paths(path, data.parts)
    for name, place in written.items():
        back = io.read(place)
        assert isinstance(back, ImageSeries)
        np.testing.assert_allclose(np.abs(back.array), np.abs(data.parts[name]), rtol=1e-5)
        np.testing.assert_allclose(back.affine, data.affine, atol=1e-6)
        np.testing.assert_allclose(back.times_s, data.times_s, atol=1e-6)
        assert back.metadata["part"] == name


def test_an_archive_holds_its_parts_inside(tmp_path: Path) -> None:
    data = whole()
    path = io.write(tmp_path / "a.npz", data)
    assert write_parts(path, data) == {}
    back = io.read(path)
    assert list(back.parts) == ["low-rank", "sparse"]
    description = io.info(path)
    assert description["parts"] == ["low-rank", "sparse"]
    assert description["memory_bytes"] == 3 * data.array.nbytes
    assert "  parts        low-rank, sparse" in io.info_text(description)
    for name, part in data.parts.items():
        np.testing.assert_array_equal(back.parts[name], part)
    assert [p.name for p in tmp_path.iterdir()] == ["a.npz"]


def test_an_archive_cannot_name_a_part_out_of_its_folder(tmp_path: Path) -> None:
    array = np.ones((2, 1, 3, 3), np.float32)
    np.savez(tmp_path / "a.npz", **{"array": array, "parts/../../x": array})
    with pytest.raises(InputError, match="cannot be the name of a part"):
        io.read(tmp_path / "a.npz")


def arrays(coils: int = 3, count: int = 4000) -> tuple[dict[str, Any], np.ndarray]:
    """k-space fields with correlated noise samples; and the matrix that mixed white noise."""

    def white(*shape: int) -> np.ndarray:
        return (RNG.standard_normal(shape) + 1j * RNG.standard_normal(shape)) / np.sqrt(2)

    mix = np.array([[2.0, 0, 0], [1.0, 0.5, 0], [0.3j, 0, 5.0]])[:coils, :coils]
    samples = np.einsum("vc,fczyx->fvzyx", mix, white(2, coils, 1, 6, 8))
    fields = {"samples": samples, "noise": mix @ white(coils, count), "coil_maps": white(coils, 1, 6, 8)}
    return {**fields, "affine": np.eye(4), "times_s": np.arange(2.0)}, mix


def test_noise_samples_whiten_samples_and_coil_maps_alike(tmp_path: Path) -> None:
    fields, mix = arrays()
    np.savez(tmp_path / "scan.npz", **fields)
    data = io.read(tmp_path / "scan.npz")
    assert isinstance(data, KSpace)
    assert data.metadata["prewhitened"] is True
    matrix = np.array(data.metadata["prewhitening"]["real"]) + 1j * np.array(data.metadata["prewhitening"]["imag"])
    covariance = matrix @ mix @ mix.conj().T @ matrix.conj().T
    np.testing.assert_allclose(covariance, np.eye(3), atol=0.1)
    np.testing.assert_allclose(data.samples, np.einsum("vc,fczyx->fvzyx", matrix, fields["samples"]), atol=1e-4)
    np.testing.assert_allclose(data.coil_maps, np.einsum("vc,czyx->vzyx", matrix, fields["coil_maps"]), atol=1e-4)
    again = io.read(io.write(tmp_path / "again.npz", data))
    np.testing.assert_array_equal(again.samples, data.samples)


def test_k_space_that_is_white_already_is_not_whitened_again(tmp_path: Path) -> None:
    fields, _ = arrays()
    np.savez(tmp_path / "scan.npz", **fields, metadata=np.array('{"prewhitened": true}'))
    data = io.read(tmp_path / "scan.npz")
    np.testing.assert_allclose(data.samples, fields["samples"], rtol=1e-6)
    assert any("prewhitened already" in sentence for sentence in data.metadata["warnings"])


def test_too_little_noise_is_told(tmp_path: Path) -> None:
    fields, _ = arrays(count=5)
    np.savez(tmp_path / "scan.npz", **fields)
    data = io.read(tmp_path / "scan.npz")
    np.testing.assert_allclose(data.samples, fields["samples"], rtol=1e-6)
    assert any("not prewhitened" in sentence for sentence in data.metadata["warnings"])
    assert "prewhitened" not in data.metadata


@pytest.mark.parametrize("noise", [np.ones((2, 50), complex), np.ones(50, complex), np.full((3, 50), np.nan)])
def test_noise_that_does_not_fit_is_refused(tmp_path: Path, noise: np.ndarray) -> None:
    fields, _ = arrays()
    np.savez(tmp_path / "scan.npz", **{**fields, "noise": noise})
    with pytest.raises(InputError, match="noise"):
        io.read(tmp_path / "scan.npz")
