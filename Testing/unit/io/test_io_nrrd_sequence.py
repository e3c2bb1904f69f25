"""NRRD headers of all kinds: axis orders, spaces, times, notes, and what is refused."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import DynamicMRIReconLib as dmr
from DynamicMRIReconLib.data import ImageSeries
from DynamicMRIReconLib.errors import InputError
from DynamicMRIReconLib.io import formats

DIRECTIONS = np.diag([1.5, 2.0, 3.0])
NONE = np.full(3, np.nan)
rng = np.random.default_rng(3)
ARRAY = rng.random((4, 2, 5, 6)).astype(np.float32)


def save(path: Path, stored: np.ndarray, **header: Any) -> Path:
    """Write with pynrrd; ``stored`` has its axes slowest first, the header's lists fastest first."""
    import nrrd

    nrrd.write(str(path), stored, {key.replace("_", " "): value for key, value in header.items()}, index_order="C")
    return path


def sequence(path: Path, **changes: Any) -> Path:
    header: dict[str, Any] = {
        "space": "left-posterior-superior",
        "space_directions": np.vstack([DIRECTIONS, NONE]),
        "space_origin": np.array([5.0, 6.0, 7.0]),
        "kinds": ["domain", "domain", "domain", "list"],
        "labels": ["", "", "", "time"],
        "units": ["", "", "", "s"],
        "axis_3_index_values": "0 0.1 0.25 0.3",
    }
    header = {key: value for key, value in {**header, **changes}.items() if value is not None}
    return save(path, ARRAY, **header)


def warnings_of(series: Any) -> str:
    return " ".join(series.metadata.get("warnings", []))


def test_header_begins_as_slicers_file_dialog_needs_it(tmp_path: Path) -> None:
    notes = {"provenance": {"text": "x" * 5000}}
    series = ImageSeries(ARRAY, np.eye(4), np.arange(4) / 7, metadata=notes, synthetic=[1, 1, 1, 1])
    head = dmr.write(tmp_path / "x.seq.nrrd", series).read_bytes()[:800].decode()
    assert "\ndimension: 4\n" in head
    assert "\nkinds: domain domain domain list\n" in head
    assert "\nspace: left-posterior-superior\n" in head
    assert "\nencoding: gzip\n" in head
    assert '\nlabels: "" "" "" "time"\n' in head
    assert '\nunits: "" "" "" "s"\n' in head
    assert "\nDataNodeClassName:=vtkMRMLScalarVolumeNode\n" in head
    assert re.search(r"\naxis 3 index type:=numeric\naxis 3 index values:=0\.000 0\.142857143 ", head)


@pytest.mark.parametrize(("interval", "unit"), [(0.002, "s"), (0.0019, "ms"), (0.0000015, "us")])
def test_unit_keeps_frames_apart_in_slicer(interval: float, unit: str, tmp_path: Path) -> None:
    path = dmr.write(tmp_path / "x.seq.nrrd", ImageSeries(ARRAY, np.eye(4), np.arange(4) * interval))
    header = path.read_bytes()[:900].decode("latin-1")
    assert f'units: "" "" "" "{unit}"' in header
    values = [float(v) for v in re.search(r"index values:=(.*)\n", header)[1].split()]  # type: ignore[index]
    assert np.diff(values).min() > 0.001
    np.testing.assert_allclose(dmr.read(path).times_s, np.arange(4) * interval, atol=1e-9)


def test_frames_too_close_for_any_unit_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="too close"):
        dmr.write(tmp_path / "x.seq.nrrd", ImageSeries(ARRAY, np.eye(4), np.arange(4) * 1e-10))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("place", [0, 1, 2, 3], ids=lambda n: f"list is axis {n}")
@pytest.mark.parametrize("kind", ["list", "time"])
def test_the_time_axis_may_stand_anywhere(place: int, kind: str, tmp_path: Path) -> None:
    """Older files of Slicer have the frames as the fastest axis."""
    stored = np.moveaxis(ARRAY, 0, 3 - place)
    others = [i for i in range(4) if i != place]
    directions, kinds = np.full((4, 3), np.nan), [kind] * 4
    labels, units = [""] * 4, [""] * 4
    for row, axis in zip(DIRECTIONS, others, strict=True):
        directions[axis], kinds[axis] = row, "domain"
    labels[place], units[place] = "time", "ms"
    values = {f"axis_{place}_index_values": "0 100 250 300"}
    path = save(
        tmp_path / "x.nrrd",
        np.ascontiguousarray(stored),
        space="right-anterior-superior",
        space_directions=directions,
        space_origin=np.zeros(3),
        kinds=kinds,
        labels=labels,
        units=units,
        **values,
    )
    series = dmr.read(path)
    np.testing.assert_array_equal(series.array, ARRAY)
    np.testing.assert_allclose(series.affine, np.diag([1.5, 2, 3, 1]))
    np.testing.assert_allclose(series.times_s, [0, 0.1, 0.25, 0.3])


@pytest.mark.parametrize(
    ("space", "diagonal", "origin", "flipped"),
    [
        ("left-posterior-superior", (-1.5, -2, 3), (-5, -6, 7), False),
        ("LPS", (-1.5, -2, 3), (-5, -6, 7), False),
        ("right-anterior-superior", (1.5, 2, 3), (5, 6, 7), False),
        ("left-anterior-superior", (-1.5, 2, -3), (-5, 6, 10), True),
        ("scanner-xyz", (-1.5, -2, 3), (-5, -6, 7), False),
    ],
)
def test_spaces(space: str, diagonal: tuple, origin: tuple, flipped: bool, tmp_path: Path) -> None:
    series = dmr.read(sequence(tmp_path / "x.nrrd", space=space))
    np.testing.assert_allclose(series.affine[:3, :3], np.diag(diagonal))
    np.testing.assert_allclose(series.geometry.origin_mm, origin)
    np.testing.assert_array_equal(series.array, ARRAY[:, ::-1] if flipped else ARRAY)
    assert ("left-posterior-superior" in warnings_of(series)) is (space == "scanner-xyz")


def test_without_directions_there_is_a_warning(tmp_path: Path) -> None:
    path = sequence(tmp_path / "x.nrrd", space=None, space_directions=None, space_origin=None, spacings=[2, 3, 4, 1.0])
    series = dmr.read(path)
    np.testing.assert_allclose(series.geometry.spacing_mm, (2, 3, 4))
    assert "no space directions" in warnings_of(series)


def test_without_kinds_the_axis_without_direction_is_time(tmp_path: Path) -> None:
    np.testing.assert_array_equal(dmr.read(sequence(tmp_path / "x.nrrd", kinds=None)).array, ARRAY)


@pytest.mark.parametrize(
    ("changes", "times", "warned"),
    [
        ({"units": ["", "", "", "msec"]}, [0, 1e-4, 2.5e-4, 3e-4], ""),
        ({"units": ["", "", "", ""]}, [0, 0.1, 0.25, 0.3], "no unit"),
        ({"labels": ["", "", "", "instance number"], "units": ["", "", "", ""]}, [0, 1, 2, 3], "no frame times"),
        ({"units": ["", "", "", "mm"]}, [0, 1, 2, 3], "no frame times"),
        ({"axis_3_index_type": "text"}, [0, 1, 2, 3], "no frame times"),
        ({"axis_3_index_values": None}, [0, 1, 2, 3], "no frame times"),
        ({"axis_3_index_values": None, "spacings": [np.nan] * 3 + [0.04]}, [0, 0.04, 0.08, 0.12], ""),
        (
            {
                "axis_3_index_values": None,
                "MultiVolume.FrameLabels": "10,35,60,90",
                "MultiVolume.FrameIdentifyingDICOMTagUnits": "ms",
            },
            [0.01, 0.035, 0.06, 0.09],
            "",
        ),
    ],
)
def test_where_times_come_from(changes: dict[str, Any], times: list[float], warned: str, tmp_path: Path) -> None:
    series = dmr.read(sequence(tmp_path / "x.seq.nrrd", **changes))
    np.testing.assert_allclose(series.times_s, times, atol=1e-12)
    assert (warned in warnings_of(series)) if warned else not warnings_of(series)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"axis_3_index_values": "0 0.1 0.2"}, "4 frames but 3 index values"),
        ({"axis_3_index_values": "0 0.1 0.2 abc"}, "not all numbers"),
        ({"axis_3_index_values": "0 0.1 0.3 0.2"}, "Frame times must increase"),
        ({"kinds": ["domain", "domain", "list", "list"]}, "two or three of space"),
        ({"kinds": ["RGB-color", "domain", "domain", "list"]}, "one value a voxel"),
        ({"space_directions": np.vstack([DIRECTIONS[:2], NONE, NONE])}, "direction is missing"),
    ],
)
def test_refused_headers(changes: dict[str, Any], words: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=words) as caught:
        dmr.read(sequence(tmp_path / "x.seq.nrrd", **changes))
    assert "x.seq.nrrd" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("field", [b"dimension", b"sizes", b"type", b"encoding", b"endian"])
def test_a_missing_field(field: bytes, tmp_path: Path) -> None:
    path = dmr.write(tmp_path / "x.seq.nrrd", ImageSeries(ARRAY, np.eye(4), np.arange(4)))
    whole = path.read_bytes()
    start = whole.index(b"\n" + field + b":") + 1
    path.write_bytes(whole[:start] + whole[whole.index(b"\n", start) + 1 :])
    with pytest.raises(InputError, match=r"x\.seq\.nrrd is not a readable NRRD"):
        dmr.read(path)


def test_refused_files(tmp_path: Path) -> None:
    (tmp_path / "text.nrrd").write_text("not a picture")
    whole = dmr.write(tmp_path / "whole.seq.nrrd", ImageSeries(ARRAY, np.eye(4), np.arange(4))).read_bytes()
    (tmp_path / "cut.seq.nrrd").write_bytes(whole[: len(whole) // 2])
    bad = ARRAY.copy()
    bad[1, 1, 1, 1] = np.nan
    save(tmp_path / "nan.nrrd", bad, kinds=["domain"] * 3 + ["list"])
    for name, words in (("text", "not a readable NRRD"), ("cut.seq", "not a readable NRRD"), ("nan", "not finite")):
        with pytest.raises(InputError, match=words) as caught:
            dmr.read(tmp_path / f"{name}.nrrd")
        assert f"{name}.nrrd" in str(caught.value)


def test_notes_that_are_damaged_cost_a_warning_only(tmp_path: Path) -> None:
    series = dmr.read(sequence(tmp_path / "x.nrrd", **{"DynamicMRIRecon.metadata": "{broken"}))
    assert "damaged" in warnings_of(series)


def test_notes_flags_and_warnings_come_back(tmp_path: Path) -> None:
    notes = {"provenance": {"command": 'a "b" \\ c\nd', "n": 1.5, "none": None}, "warnings": ["é"]}
    series = ImageSeries(ARRAY, np.eye(4), np.arange(4), synthetic=[0, 1, 0, 1], metadata=notes)
    back = dmr.read(dmr.write(tmp_path / "x.seq.nrrd", series))
    np.testing.assert_array_equal(back.synthetic, series.synthetic)
    assert {key: back.metadata[key] for key in notes} == notes


def test_complex_series_are_written_as_magnitudes(tmp_path: Path) -> None:
    series = ImageSeries(ARRAY * np.exp(1j * ARRAY), np.eye(4), np.arange(4))
    back = dmr.read(dmr.write(tmp_path / "x.seq.nrrd", series))
    np.testing.assert_allclose(back.array, ARRAY, rtol=1e-6)
    assert back.metadata["written_as"] == "magnitude of a complex series"
    assert "written_as" not in series.metadata


def test_complex_axis_of_others_is_read(tmp_path: Path) -> None:
    parts = np.stack([ARRAY, 2 * ARRAY], axis=-1)
    path = save(
        tmp_path / "x.nrrd",
        parts,
        space="RAS",
        space_directions=np.vstack([NONE, DIRECTIONS, NONE]),
        space_origin=np.zeros(3),
        kinds=["complex", "domain", "domain", "domain", "list"],
    )
    np.testing.assert_allclose(dmr.read(path).array, ARRAY * (1 + 2j))


def test_images_without_a_slice_axis(tmp_path: Path) -> None:
    path = save(
        tmp_path / "x.nrrd",
        ARRAY[:, 0],
        space="RAS",
        space_directions=np.vstack([DIRECTIONS[:2], NONE]),
        space_origin=np.zeros(3),
        kinds=["domain", "domain", "list"],
    )
    series = dmr.read(path)
    np.testing.assert_array_equal(series.array, ARRAY[:, :1])
    np.testing.assert_allclose(series.geometry.spacing_mm, (1.5, 2, 1))
    assert "slice thickness" in warnings_of(series)


def test_one_frame_in_a_plain_file_is_a_volume(tmp_path: Path) -> None:
    series = ImageSeries(ARRAY[:1], np.eye(4), [0.125])
    path = dmr.write(tmp_path / "x.nrrd", series)
    assert b"\ndimension: 3\n" in path.read_bytes()[:400]
    back = dmr.read(path)
    np.testing.assert_array_equal(back.array, ARRAY[:1])
    assert back.times_s[0] == 0.125


def test_detached_headers_are_read_but_not_written(tmp_path: Path) -> None:
    save(tmp_path / "x.nhdr", ARRAY, kinds=["domain"] * 3 + ["list"])
    np.testing.assert_array_equal(dmr.read(tmp_path / "x.nhdr").array, ARRAY)
    with pytest.raises(InputError, match=r"\.nhdr"):
        dmr.write(tmp_path / "y.nhdr", ImageSeries(ARRAY, np.eye(4), np.arange(4)))
    assert ".nhdr" in formats.suffixes()
    assert ".nhdr" not in formats.suffixes(writable=True)


@pytest.mark.parametrize("name", ["x.seq.nrrd", "x.nii.gz"])
def test_only_a_series_can_be_written(name: str, tmp_path: Path) -> None:
    kspace = dmr.KSpace(np.ones((1, 1, 1, 4, 4), complex), np.eye(4), [0.0])
    for data, words in ((kspace, "not k-space"), ([], "not several stacks")):
        with pytest.raises(InputError, match=words):
            dmr.write(tmp_path / name, data)
    assert not list(tmp_path.iterdir())
