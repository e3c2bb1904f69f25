"""Stacks on the command line: DICOM of another writer, and sweeps with their L-curve."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "methods"))
from stack_cases import stacks

import DynamicMRIReconLib as dmr
from DynamicMRIReconLib.cli import main
from DynamicMRIReconLib.data import ImageSeries

COARSE = ["--set", "registration=none", "--set", "voxel_size_mm=6"]


def write_dicom(folder: Path, stack: ImageSeries, thickness_mm: float) -> Path:
    """One classic MR image a slice, written by GDCM through SimpleITK; axes in LPS, as DICOM has them."""
    SimpleITK = pytest.importorskip("SimpleITK")
    folder.mkdir()
    writer = SimpleITK.ImageFileWriter()
    writer.KeepOriginalImageUIDOn()
    affine = np.diag([-1.0, -1.0, 1.0, 1.0]) @ stack.affine
    spacing = stack.geometry.spacing_mm
    directions = affine[:3, :3] / spacing
    for number, pixels in enumerate(stack.array[0]):
        image = SimpleITK.GetImageFromArray(np.rint(pixels).astype(np.uint16)[None])
        place = affine[:3, 3] + number * affine[:3, 2]
        image.SetSpacing(spacing.tolist())
        image.SetOrigin(place.tolist())
        image.SetDirection(directions.ravel().tolist())
        tags = {
            "0008|0016": "1.2.840.10008.5.1.4.1.1.4",
            "0008|0018": f"1.2.826.0.1.3680043.2.1125.1.{number + 1}",
            "0008|0060": "MR",
            "0020|000d": "1.2.826.0.1.3680043.2.1125.2",
            "0020|000e": "1.2.826.0.1.3680043.2.1125.3",
            "0020|0013": str(number + 1),
            "0020|0032": "\\".join(f"{value:.6f}" for value in place),
            "0020|0037": "\\".join(f"{value:.6f}" for value in directions[:, :2].T.ravel()),
            "0018|0050": f"{thickness_mm:g}",
        }
        for tag, text in tags.items():
            image.SetMetaData(tag, text)
        writer.SetFileName(str(folder / f"{number + 1}.dcm"))
        writer.Execute(image)
    return folder


def test_a_dicom_stack_of_another_writer(tmp_path: Path) -> None:
    first, second, _ = stacks()
    folder = write_dicom(tmp_path / "coronal", second, 5.5)
    other = dmr.write(tmp_path / "axial.nii.gz", first)
    read = dmr.read(folder)
    np.testing.assert_allclose(read.array[0], np.rint(second.array[0]))
    np.testing.assert_allclose(read.affine, second.affine, atol=1e-4)
    output = tmp_path / "out.nrrd"
    words = ["recon", str(other), str(folder), "--method", "srr", *COARSE, "--output", str(output), "--device", "cpu"]
    assert main(words) == 0
    notes = dmr.read(output).metadata["stacks"]
    assert [round(one["slice_thickness_mm"], 3) for one in notes] == [6.0, 5.5]


def test_a_sweep_over_stacks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paths = [str(dmr.write(tmp_path / f"{n}.nrrd", stack)) for n, stack in enumerate(stacks())]
    output = tmp_path / "out.nrrd"
    words: list[Any] = ["recon", *paths, *COARSE, "--device", "cpu", "--output", str(output)]
    assert main([*words, "--method", "srr", "--set", "iterations=3", "--sweep", "regularization=0.001,0.03,1"]) == 0
    assert (tmp_path / "out-l-curve.png").is_file()
    assert (tmp_path / "out-sweep.csv").read_text(encoding="utf-8").count("\n") >= 4
    assert dmr.read(output).frames == 1
    output.unlink()
    assert main([*words, "--method", "bspline", "--sweep", "fixed_stack=1,2,3"]) == 2
    assert "bspline has no regularization" in capsys.readouterr().err
    assert not output.exists()
