"""Images over time: NIfTI."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path
from typing import Any

import numpy as np
from fuzz_parts.array_faults import hostile_texts
from fuzz_parts.case import Expected, Fault, Format, Place
from fuzz_parts.made_files import OF_SERIES, PICKLES, odd_names, whole_series
from hypothesis import strategies as st

from DynamicMRIReconLib import io as files

# field of the header, element, value
_NIFTI_FIELDS: list[tuple[str, int, float]] = [
    *(("dim", 0, value) for value in (0, 1, 3, 7, 8, -1, 32767)),
    *(("dim", 1, value) for value in (0, -1, 32767, 1)),
    *(("dim", 4, value) for value in (0, -1, 32767, 1, 2)),
    *(("dim", 5, value) for value in (2, 0, -5)),
    *(("pixdim", 4, value) for value in (0, -0.1, float("nan"), float("inf"), 1e-30, 1e30)),
    *(("pixdim", 1, value) for value in (0, -1, float("nan"), float("inf"))),
    *(("datatype", 0, value) for value in (0, 1, 2, 4, 16, 32, 128, 511, 512, 1024, 1536, 1792, 2048, 2304, 9999)),
    *(("bitpix", 0, value) for value in (0, 1, 64)),
    *(("scl_slope", 0, value) for value in (float("nan"), float("inf"), 0, 1e38, -1)),
    *(("scl_inter", 0, value) for value in (float("nan"), float("inf"), 1e38)),
    *(("vox_offset", 0, value) for value in (0, 4, -16, float("nan"), float("inf"), 1e9, 353.5, 1e30)),
    *(("sform_code", 0, value) for value in (0, -1, 99)),
    *(("qform_code", 0, value) for value in (0, -1, 99)),
    *(("srow_x", 0, value) for value in (0, float("nan"), float("inf"), -1.5, 1e30)),
    *(("srow_z", 3, value) for value in (float("nan"), 1e38)),
    *(("quatern_b", 0, value) for value in (2.0, float("nan"))),
    *(("xyzt_units", 0, value) for value in (0, 1, 3, 16, 24, 32, 48, 255)),
    *(("toffset", 0, value) for value in (float("nan"), float("inf"), -5.0, 1e38)),
    *(("sizeof_hdr", 0, value) for value in (0, 540, 347, -1)),
    *(("intent_code", 0, value) for value in (1007, 2003)),
]


def _unpacked(path: Path) -> bytearray:
    content = path.read_bytes()
    return bytearray(gzip.decompress(content) if path.name.endswith(".gz") else content)


def _packed(path: Path, content: bytes) -> None:
    path.write_bytes(gzip.compress(content, 1, mtime=0) if path.name.endswith(".gz") else content)


def _nifti_field(place: Place, value: tuple[str, int, float]) -> Expected:
    from nibabel.nifti1 import header_dtype

    field, element, number = value
    content = _unpacked(place.given)
    header = np.frombuffer(content[:348], header_dtype).copy()
    with np.errstate(all="ignore"):
        if header[field].ndim > 1:
            header[field][0, element] = number
        else:
            header[field] = number
    content[:348] = header.tobytes()
    _packed(place.given, bytes(content))
    return "any"


def _nifti_swapped(place: Place, _: Any) -> Expected:
    """The other order of bytes, all through: header, extension and voxels."""
    from nibabel.nifti1 import header_dtype

    content = _unpacked(place.given)
    offset = int(struct.unpack_from("<f", content, 108)[0])
    header = np.frombuffer(content[:348], header_dtype).byteswap().tobytes()
    size, code = struct.unpack_from("<ii", content, 352)
    extension = struct.pack(">ii", size, code) + content[360 : 352 + size]
    voxels = np.frombuffer(content[offset:], "<f4").byteswap().tobytes()
    _packed(place.given, header + content[348:352] + extension + voxels)
    return "same"


def _nifti_notes(place: Place, text: str) -> None:
    """The extension that holds exact times holds something else."""
    content = _unpacked(place.given)
    offset = int(struct.unpack_from("<f", content, 108)[0])
    body = f'{{"DynamicMRIRecon": {text}}}'.encode("utf-8", "replace")
    body += b"\0" * (-(len(body) + 8) % 16)
    extension = struct.pack("<ii", len(body) + 8, 6) + body
    struct.pack_into("<f", content, 108, 352 + len(extension))
    _packed(place.given, bytes(content[:352]) + extension + bytes(content[offset:]))


_TIMES_NOTES = [
    '{"times_s": [0, 0, 0]}',
    '{"times_s": [2, 1, 0]}',
    '{"times_s": ["a", "b", "c"]}',
    '{"times_s": [0, 1, 1e999]}',
    '{"times_s": [0, 1, null]}',
    '{"times_s": [[0], [1], [2]]}',
    '{"times_s": [0, 1]}',
    '{"times_s": [0, 1, 2], "synthetic": ["x", {}, []]}',
    '{"times_s": [0, 1, 2], "synthetic": [[1, 2], [3, 4], [5, 6]]}',
    '{"times_s": [0, 1, 2], "metadata": {"warnings": 7}}',
    '{"times_s": [0, 1, 2], "metadata": {"warnings": [{"a": 1}]}}',
    '{"times_s": [0, 1, ' + "9" * 400 + "]}",
]


def _beside(place: Place, text: str) -> None:
    name = place.given.name.removesuffix(".gz").removesuffix(".nii")
    place.given.with_name(f"{name}.json").write_bytes(text.encode("utf-8", "surrogatepass"))


def _thickness(value: str) -> str:
    return f'{{"SliceThickness": {value}}}'


_BESIDE = st.one_of(hostile_texts(), st.sampled_from(["NaN", "-1", '"x"', "[]", "1e999", "[1, 2]"]).map(_thickness))


def _gzip_bomb(place: Place, _: Any) -> None:
    """Dimensions of 8 GB, and 800 MB of zeros behind them in some megabytes."""
    content = _unpacked(place.given)
    struct.pack_into("<8h", content, 40, 4, 1000, 1000, 100, 20, 1, 1, 1)
    # members of one gzip file follow one another
    place.given.write_bytes(gzip.compress(bytes(content), 1) + gzip.compress(bytes(4_000_000), 1) * 200)


def formats() -> list[Format]:
    """Plain and packed."""
    faults = {
        "field": Fault(_nifti_field, st.sampled_from(_NIFTI_FIELDS)),
        "other order of bytes": Fault(_nifti_swapped, expected="same"),
        "notes": Fault(_nifti_notes, st.one_of(hostile_texts(), st.sampled_from(_TIMES_NOTES))),
        "JSON beside it": Fault(_beside, _BESIDE),
        "only a pickle": PICKLES,
    }

    def good(folder: Path, name: str) -> Path:
        return files.write(folder / name, whole_series())

    packed = {**faults, "gzip bomb": Fault(_gzip_bomb, expected="bomb"), "name": odd_names(".nii.gz")}
    plain = {**faults, "name": odd_names(".nii")}
    return [
        Format("NIfTI .nii", lambda f: good(f, "cine.nii"), ("cine.nii",), plain, job=OF_SERIES),
        Format(
            *("NIfTI .nii.gz", lambda f: good(f, "cine.nii.gz"), ("cine.nii.gz",), packed),
            job=OF_SERIES,
            checked=True,
        ),
    ]
