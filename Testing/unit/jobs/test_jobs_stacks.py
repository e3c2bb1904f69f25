"""Stacks through the job and the command line: several files, masks, a grid, transforms, refusals."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "methods"))
from stack_cases import rigid, stacks, volume

import DynamicMRIReconLib as dmr
from DynamicMRIReconLib.cli import main
from DynamicMRIReconLib.data import ImageSeries
from DynamicMRIReconLib.errors import InputError
from DynamicMRIReconLib.jobs.job import Job
from DynamicMRIReconLib.jobs.worker import run_job

SMALL = {"registration": "none", "voxel_size_mm": 4.0}


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    paths = []
    for number, stack in enumerate(stacks(), 1):
        suffix = ".nrrd" if number == 2 else ".nii.gz"
        paths.append(dmr.write(tmp_path / f"stack{number}{suffix}", stack))
    return paths


@pytest.fixture
def mask(tmp_path: Path) -> Path:
    inside = volume((16, 16, 16), 4.0)
    box = np.zeros_like(inside.array)
    box[:, 4:12, 4:12, 4:12] = 1
    return dmr.write(tmp_path / "mask.nii.gz", ImageSeries(box, inside.affine, inside.times_s))


def test_several_files_are_stacks(files: list[Path], mask: Path) -> None:
    found = dmr.read(files)
    assert [stack.metadata["source"] for stack in found] == ["s1", "s2", "s3"]
    masked = dmr.read(files, masks=[mask])
    assert all(0 < stack.parts["mask"].mean() < 0.3 for stack in masked)
    assert isinstance(dmr.read(files[:1]), list)
    with pytest.raises(InputError, match="No file was named"):
        dmr.read([])


def test_job_writes_one_volume_and_its_transforms(files: list[Path], mask: Path, tmp_path: Path) -> None:
    folder, output = tmp_path / "job", tmp_path / "out.nii.gz"
    Job(
        method="bspline", inputs=files, masks=[mask], parameters=SMALL, output=output, transforms=True, device="cpu"
    ).save(folder)
    events: list[dict] = []
    assert run_job(folder, listener=events.append) == 0
    done = events[-1]
    assert [Path(path).name for path in done["transforms"]] == [f"out.stack-{n}.tfm" for n in (1, 2, 3)]
    assert all(Path(path).is_file() for path in done["transforms"])
    result = dmr.read(output)
    assert result.frames == 1
    assert result.metadata["stacks"][0]["masked"]
    assert "--masks mask.nii.gz --transforms" in result.metadata["provenance"]["command"]
    assert not list(tmp_path.glob(".tmp*"))
    # a repeat may replace what it made, but not what somebody else put there
    assert run_job(folder) == 0
    Path(done["transforms"][1]).write_text("mine", encoding="utf-8")
    other = tmp_path / "other"
    Job(method="bspline", inputs=files, parameters=SMALL, output=output, transforms=True).save(other)
    assert run_job(other) == 2


def test_command_line(files: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    grid = dmr.write(tmp_path / "grid.nrrd", volume((8, 9, 10), 5.0))
    words = ["recon", *map(str, files), "--method", "bspline", "--set", "registration=none", "--grid", str(grid)]
    assert main([*words, "--transforms", "--output", str(tmp_path / "out.nrrd"), "--device", "cpu"]) == 0
    assert "out.stack-3.tfm" in capsys.readouterr().out
    result, wanted = dmr.read(tmp_path / "out.nrrd"), dmr.read(grid)
    assert result.array.shape == wanted.array.shape
    np.testing.assert_allclose(result.affine, wanted.affine, atol=1e-6)


def test_refusals(files: list[Path], mask: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = ["--output", str(tmp_path / "out.nrrd"), "--device", "cpu"]
    names = [str(path) for path in files]
    cases = [
        ([names[0], "--method", "srr"], "needs two or more image stacks"),
        ([*names, "--method", "gridding"], "needs k-space"),
        ([*names, "--method", "gridding", "--masks", str(mask)], "Masks go with methods that make one volume"),
        ([names[0], "--method", "gridding", "--grid", str(mask)], "--grid goes with methods that make one volume"),
        ([*names, "--method", "srr", "--masks", str(mask), str(mask)], "3 stacks but 2 masks"),
        ([*names, "--method", "srr", "--masks", str(tmp_path / "none.nii")], "none.nii does not exist"),
        ([*names, "--method", "srr", "--set", "slice_thickness_mm=0"], "slice_thickness_mm"),
    ]
    for words, message in cases:
        assert main(["recon", *words, *output]) == 2, words
        assert message in capsys.readouterr().err
    assert not list(tmp_path.glob("out*"))


def test_slice_thickness_comes_from_beside_a_nifti_file_and_from_an_nrrd_header(tmp_path: Path) -> None:
    stack = stacks()[0]
    plain = ImageSeries(stack.array, stack.affine, stack.times_s)
    path = dmr.write(tmp_path / "a.nii.gz", plain)
    assert "slice_thickness_mm" not in dmr.read(path).metadata
    (tmp_path / "a.json").write_text(json.dumps({"SliceThickness": 4.5}), encoding="utf-8")
    assert dmr.read(path).metadata["slice_thickness_mm"] == 4.5
    (tmp_path / "a.json").write_text("[", encoding="utf-8")
    assert "slice_thickness_mm" not in dmr.read(path).metadata
    import nrrd

    array, header = nrrd.read(str(dmr.write(tmp_path / "b.nrrd", plain)))
    header["thicknesses"] = [float("nan"), float("nan"), 5.5]
    nrrd.write(str(tmp_path / "c.nrrd"), array, header)
    assert dmr.read(tmp_path / "c.nrrd").metadata["slice_thickness_mm"] == 5.5


def test_transform_files_hold_the_motion(tmp_path: Path) -> None:
    SimpleITK = pytest.importorskip("SimpleITK")
    from DynamicMRIReconLib.registration.transform_files import transform_paths, write_transforms

    motion = rigid((10, -20, 30), (4, 5, -6))
    paths = transform_paths(tmp_path / "out.seq.nrrd", ".seq.nrrd", 1)
    write_transforms(paths, [{"matrix_ras": motion.tolist()}])
    assert paths[0].name == "out.stack-1.tfm"
    read = SimpleITK.ReadTransform(str(paths[0]))
    point = np.array([10.0, 20.0, 30.0])
    moved = (motion @ np.append(point, 1))[:3]
    # ITK: from the registered place back to the stack's own, in LPS
    back = np.array(read.TransformPoint((moved * [-1, -1, 1]).tolist())) * [-1, -1, 1]
    np.testing.assert_allclose(back, point, atol=1e-9)


@pytest.mark.slicer
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_mrml_loads_them_as_transforms_that_move_the_stack(tmp_path: Path) -> None:
    sys.path.insert(0, str(Path(__file__).parents[1] / "io"))
    from mrml_access import import_slicer

    from DynamicMRIReconLib.registration.transform_files import write_transforms

    slicer = import_slicer()
    import vtk

    motion = rigid((10, -20, 30), (4, 5, -6))
    write_transforms([tmp_path / "t.tfm"], [{"matrix_ras": motion.tolist()}])
    scene = slicer.vtkMRMLScene()
    node = scene.AddNewNodeByClass("vtkMRMLTransformNode")
    storage = slicer.vtkMRMLTransformStorageNode()
    storage.SetScene(scene)
    storage.SetFileName(str(tmp_path / "t.tfm"))
    assert storage.ReadData(node) == 1
    matrix = vtk.vtkMatrix4x4()
    node.GetMatrixTransformToParent(matrix)
    found = np.array([[matrix.GetElement(i, j) for j in range(4)] for i in range(4)])
    np.testing.assert_allclose(found, motion, atol=1e-6)
    scene.Clear(True)
