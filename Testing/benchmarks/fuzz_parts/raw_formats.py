"""ISMRMRD files, whose lines come one by one with headers of their own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ismrmrd
import numpy as np
from fuzz_parts.array_faults import hostile_texts
from fuzz_parts.case import Fault, Format, Place
from fuzz_parts.hdf5_faults import HDF5_FAULTS
from fuzz_parts.made_files import GRIDDING, PICKLES, cartesian, odd_names, radial
from hypothesis import strategies as st

_XML = """<?xml version="1.0"?>
<ismrmrdHeader xmlns="http://www.ismrm.org/ISMRMRD">
<experimentalConditions><H1resonanceFrequency_Hz>63500000</H1resonanceFrequency_Hz></experimentalConditions>
<encoding><encodedSpace><matrixSize><x>6</x><y>8</y><z>1</z></matrixSize>
<fieldOfView_mm><x>60</x><y>80</y><z>5</z></fieldOfView_mm></encodedSpace>
<reconSpace><matrixSize><x>6</x><y>8</y><z>1</z></matrixSize>
<fieldOfView_mm><x>60</x><y>80</y><z>5</z></fieldOfView_mm></reconSpace>
<encodingLimits><kspace_encoding_step_1><minimum>0</minimum><maximum>7</maximum><center>4</center>
</kspace_encoding_step_1><repetition><minimum>0</minimum><maximum>1</maximum><center>0</center></repetition>
</encodingLimits><trajectory>cartesian</trajectory></encoding>
<sequenceParameters><TR>5.0</TR></sequenceParameters></ismrmrdHeader>
"""


def _lines(samples: np.ndarray, trajectory: np.ndarray | None) -> list[Any]:
    """One acquisition a line, of (frames, coils, lines, readout)."""
    found = []
    for frame in range(samples.shape[0]):
        for line in range(samples.shape[2]):
            k = None if trajectory is None else np.ascontiguousarray(trajectory[frame, line], np.float32)
            one = ismrmrd.Acquisition.from_array(np.ascontiguousarray(samples[frame, :, line]), k)
            one.center_sample = samples.shape[-1] // 2
            one.idx.kspace_encode_step_1, one.idx.repetition = line, frame
            one.acquisition_time_stamp = 40 * frame + 2 * line
            one.read_dir[:], one.phase_dir[:], one.slice_dir[:] = (1, 0, 0), (0, 1, 0), (0, 0, 1)
            found.append(one)
    return found


def _save(path: Path, xml: str, lines: list[Any]) -> Path:
    with ismrmrd.Dataset(str(path), "dataset") as dataset:
        dataset.write_xml_header(xml.encode())
        for line in lines:
            dataset.append_acquisition(line)
    return path


def _cartesian(folder: Path) -> Path:
    return _save(folder / "scan.h5", _XML, _lines(cartesian()["samples"][:, :, 0], None))


def _radial(folder: Path) -> Path:
    xml = _XML.replace("<x>6</x>", "<x>8</x>").replace(">cartesian<", ">radial<")
    return _save(folder / "scan.h5", xml, _lines(radial()["samples"], radial()["trajectory"]))


def _change(place: Place, work: Any) -> None:
    import h5py

    with h5py.File(place.given, "r+") as file:
        table = file["dataset/data"][:]
        work(file, table)
        if "data" in file["dataset"]:
            file["dataset/data"][:] = table


_HEAD_VALUES = (0, 1, 3, 255, 1024, 65535, -1)
_HEAD_FIELDS = (
    *("version", "flags", "number_of_samples", "available_channels", "active_channels", "discard_pre", "discard_post"),
    *("center_sample", "encoding_space_ref", "trajectory_dimensions", "acquisition_time_stamp", "scan_counter"),
)
_COUNTERS = (
    "kspace_encode_step_1",
    "kspace_encode_step_2",
    "slice",
    "repetition",
    "phase",
    "set",
    "contrast",
    "average",
)


def _head(place: Place, value: tuple[str, int, bool]) -> None:
    field, number, everywhere = value

    def work(_: Any, table: Any) -> None:
        kind = table["head"][field].dtype
        wanted = np.array(number).astype(kind) if kind.kind == "i" else np.uint64(number % 2**32).astype(kind)
        table["head"][field][slice(None) if everywhere else slice(2, 3)] = wanted

    _change(place, work)


def _counter(place: Place, value: tuple[str, int, bool]) -> None:
    field, number, everywhere = value

    def work(_: Any, table: Any) -> None:
        table["head"]["idx"][field][slice(None) if everywhere else slice(2, 3)] = number

    _change(place, work)


def _direction(place: Place, value: tuple[str, float]) -> None:
    field, number = value

    def work(_: Any, table: Any) -> None:
        table["head"][field][:] = number

    _change(place, work)


def _values(place: Place, value: tuple[str, str]) -> None:
    field, way = value

    def work(_: Any, table: Any) -> None:
        row = np.array(table[field][1])
        if row.size == 0:
            return
        made = {"nan": lambda: row * np.float32(np.nan), "inf": lambda: row + np.float32(np.inf)}
        made |= {"shorter": lambda: row[:-2], "longer": lambda: np.append(row, row), "none": lambda: row[:0]}
        made |= {"zeros": lambda: row * 0, "huge": lambda: row * np.float32(1e38)}
        with np.errstate(all="ignore"):
            table[field][1] = made[way]().astype(np.float32)

    _change(place, work)


def _rows(place: Place, way: str) -> None:
    import h5py

    with h5py.File(place.given, "r+") as file:
        table = file["dataset/data"]
        found = table[:]
        if way == "none":
            table.resize(0, axis=0)
        elif way == "one":
            table.resize(1, axis=0)
        elif way == "unwritten ones more":
            table.resize(len(found) + 5, axis=0)
        elif way == "a billion more":
            table.resize(10**9, axis=0)
        elif way == "backwards":
            table[:] = found[::-1]
        else:
            del file["dataset/data"]
            file["dataset"].create_dataset("data", data=found["head"] if way == "heads only" else np.zeros((3, 3)))


_ELEMENTS = [
    *((("<x>", "</x>"), value) for value in ("0", "-4", "60000", "4294967296", "x", "", "1.5", "NaN")),
    *((("<y>", "</y>"), value) for value in ("0", "-1", "65535", "1e9")),
    *((("<z>", "</z>"), value) for value in ("0", "65535", "-5")),
    *((("<maximum>", "</maximum>"), value) for value in ("0", "65535", "-1", "x")),
    *((("<center>", "</center>"), value) for value in ("60000", "-1")),
    *((("<trajectory>", "</trajectory>"), value) for value in ("radial", "spiral", "epi", "other", "\u2622", "")),
    *((("<TR>", "</TR>"), value) for value in ("0", "-5", "NaN", "1e400", "x", "")),
]


def _element(place: Place, value: tuple[tuple[str, str], str]) -> None:
    (start, end), text = value
    xml = _read_xml(place)
    head, _, rest = xml.partition(start)
    _write_xml(place, f"{head}{start}{text}{end}{rest.partition(end)[2]}")


def _read_xml(place: Place) -> str:
    import h5py

    with h5py.File(place.given, "r") as file:
        found = file["dataset/xml"][0]
    return found.decode() if isinstance(found, bytes) else str(found)


def _write_xml(place: Place, text: str) -> None:
    import h5py

    with h5py.File(place.given, "r+") as file:
        del file["dataset/xml"]
        kind = h5py.string_dtype()
        file["dataset"].create_dataset("xml", data=[text.replace("\0", "").encode("utf-8", "replace")], dtype=kind)


_LAUGHS = '<!DOCTYPE l [<!ENTITY a0 "ha">' + "".join(f'<!ENTITY a{n + 1} "{f"&a{n};" * 10}">' for n in range(12))
_DOCUMENTS = [
    "",
    "<",
    "<ismrmrdHeader/>",
    "<a>" * 50_000,
    f"{_LAUGHS}]><ismrmrdHeader>&a12;</ismrmrdHeader>",
    '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><ismrmrdHeader>&e;</ismrmrdHeader>',
    '<!DOCTYPE x SYSTEM "http://127.0.0.1:1/x.dtd"><ismrmrdHeader/>',
    "\x01" * 100,
    "x" * 200_000,
]


def _document(place: Place, text: str) -> None:
    _write_xml(place, text)


def _entity_inside(place: Place, _: Any) -> None:
    """A billion laughs within a header that is otherwise good."""
    xml = _read_xml(place).partition("?>")[2]
    _write_xml(place, f"{_LAUGHS}]>{xml.replace('>cartesian<', '>&a12;<').replace('>radial<', '>&a12;<')}")


def formats() -> list[Format]:
    """All of them."""
    numbers = st.tuples(st.sampled_from(_HEAD_FIELDS), st.sampled_from(_HEAD_VALUES), st.booleans())
    counters = st.tuples(st.sampled_from(_COUNTERS), st.sampled_from([0, 1, 255, 65535]), st.booleans())
    directions = st.tuples(
        st.sampled_from(["read_dir", "phase_dir", "slice_dir", "position"]),
        st.sampled_from([0.0, float("nan"), float("inf"), 1e30, -1.0]),
    )
    ways = ("nan", "inf", "shorter", "longer", "none", "zeros", "huge")
    rows = ("none", "one", "unwritten ones more", "a billion more", "backwards", "heads only", "numbers only")
    faults = {
        "head": Fault(_head, numbers),
        "counter": Fault(_counter, counters),
        "direction": Fault(_direction, directions),
        "values": Fault(_values, st.tuples(st.sampled_from(["data", "traj"]), st.sampled_from(ways))),
        "rows": Fault(_rows, st.sampled_from(rows)),
        "element": Fault(_element, st.sampled_from(_ELEMENTS)),
        "document": Fault(_document, st.one_of(st.sampled_from(_DOCUMENTS), hostile_texts()), "refused"),
        "a billion laughs": Fault(_entity_inside),
        "only a pickle": PICKLES,
        "name": odd_names(".h5"),
        **HDF5_FAULTS,
    }
    return [
        Format("ISMRMRD Cartesian", _cartesian, ("scan.h5",), faults, job=GRIDDING),
        Format("ISMRMRD radial", _radial, ("scan.h5",), faults, job=GRIDDING),
    ]
