"""Images over time: NIfTI, NRRD, GIF, video."""

from __future__ import annotations

import gzip
import io
import struct
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from fuzz_parts.array_faults import hostile_texts
from fuzz_parts.array_formats import OF_SERIES, PICKLES, odd_names, series
from fuzz_parts.case import Expected, Fault, Format, Place
from hypothesis import strategies as st

from DynamicMRIReconLib import io as files
from DynamicMRIReconLib.data import ImageSeries


def _series() -> ImageSeries:
    arrays = series()
    return ImageSeries(arrays["array"], arrays["affine"], arrays["times_s"], synthetic=arrays["synthetic"])


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


def _nifti_formats() -> list[Format]:
    faults = {
        "field": Fault(_nifti_field, st.sampled_from(_NIFTI_FIELDS)),
        "other order of bytes": Fault(_nifti_swapped, expected="same"),
        "notes": Fault(_nifti_notes, st.one_of(hostile_texts(), st.sampled_from(_TIMES_NOTES))),
        "JSON beside it": Fault(_beside, _BESIDE),
        "only a pickle": PICKLES,
    }

    def good(folder: Path, name: str) -> Path:
        return files.write(folder / name, _series())

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


_NRRD_LINES: list[tuple[str, str]] = [
    *(("type", value) for value in ("uint64", "block", "double", "string", "signed char", "", "float float")),
    *(("dimension", value) for value in ("0", "-1", "17", "3", "5", "x", "1e3", "99999999999")),
    *(("sizes", v) for v in ("9 7 2", "0 7 2 3", "-9 7 2 3", "9 7 2 3 1", "99999 99999 99999 99999", "9 7 2 x", "")),
    *(("encoding", value) for value in ("raw", "ascii", "hex", "bzip2", "gzip", "zip", "")),
    *(("endian", value) for value in ("big", "middle", "")),
    *(("kinds", v) for v in ("domain domain domain", "RGB-color domain domain list", "list list domain domain", "x")),
    *(("kinds", value) for value in ("complex domain domain list", "domain domain domain vector", "??? ??? ??? ???")),
    *(("space", value) for value in ("right-anterior-superior", "scanner-xyz", "4", "LPST", "", "x" * 9999)),
    ("space dimension", "3"),
    *(
        ("space directions", value)
        for value in (
            "(0,0,0) (0,1,0) (0,0,1) none",
            "(1,0,0) (1,0,0) (0,0,1) none",
            "(nan,0,0) (0,1,0) (0,0,1) none",
            "(1,0,0) (0,1,0) none none",
            "none none none none",
            "(inf,0,0) (0,1,0) (0,0,1) none",
            "(-1,0,0) (0,1,0) (0,0,1) none",
            "(1,0) (0,1) (0,0) none",
            "(1,0,0) (0,1,0) (0,0,1)",
            "(1,0,0,4) (0,1,0,4) (0,0,1,4) none",
            "garbage",
            "",
        )
    ),
    *(("space origin", value) for value in ("(nan,0,0)", "(0,0)", "(1e400,0,0)", "none", "0,0,0", "")),
    *(("axis 3 index values", v) for v in ("0 0 0", "2 1 0", "0 1", "a b c", "0 nan 2", "0 1 1e999", "-5 0 7", "")),
    *(("axis 3 index type", value) for value in ("text", "", "numeric ")),
    *(("units", value) for value in ('"" "" "" "fortnight"', '"" "" "" "ms"', '""', "x", '"" "" "" "')),
    *(("labels", value) for value in ('"" "" "" "temperature"', '"', '""')),
    *(("line skip", value) for value in ("-1", "5", "99999999999", "x")),
    *(("byte skip", value) for value in ("-1", "-2", "5", "99999999999", "x")),
    *(("axis mins", value) for value in ("nan nan nan 5", "x", "0")),
    *(("spacings", value) for value in ("0 0 0 0", "nan nan nan nan", "-1 -1 -1 -1", "1", "x x x x")),
    *(("thicknesses", value) for value in ("nan nan nan nan", "-4 -4 -4 -4", "1 2", "x", "NaN NaN 1e400 NaN")),
    *(("content", value) for value in ("\x1b[2J", "é" * 999)),
    *(("axis 3 item 0001 synthetic", value) for value in ("2", "maybe", "")),
    ("axis 3 item 99999999999999999999 synthetic", "1"),
    *(("data file", value) for value in ("/etc/passwd", "../../../etc/hostname", "LIST", "x%03d.raw 1 3 1", "")),
]


def _nrrd_line(place: Place, value: tuple[str, str]) -> None:
    key, text = value
    head, blank, data = place.given.read_bytes().partition(b"\n\n")
    lines = [line for line in head.split(b"\n") if not line.lower().startswith(f"{key}:".encode())]
    mark = ":=" if key.startswith("axis 3") else ": "
    place.given.write_bytes(b"\n".join([*lines, f"{key}{mark}{text}".encode()]) + blank + data)


def _nrrd_notes(place: Place, text: str) -> None:
    _nrrd_line(place, ("DynamicMRIRecon.metadata", ""))
    content = place.given.read_bytes()
    note = f"DynamicMRIRecon.metadata:={text}".encode("utf-8", "replace")
    place.given.write_bytes(content.replace(b"DynamicMRIRecon.metadata: ", note, 1))


def _nrrd_twice(place: Place, key: str) -> None:
    head, blank, data = place.given.read_bytes().partition(b"\n\n")
    lines = head.split(b"\n")
    lines += [line for line in lines if line.startswith(key.encode())]
    place.given.write_bytes(b"\n".join(lines) + blank + data)


def _nrrd_formats() -> list[Format]:
    keys = ("type", "sizes", "kinds", "encoding", "space", "dimension", "axis 3 index values")
    faults = {
        "line": Fault(_nrrd_line, st.sampled_from(_NRRD_LINES)),
        "notes": Fault(_nrrd_notes, hostile_texts()),
        "line twice": Fault(_nrrd_twice, st.sampled_from(keys)),
        "only a pickle": PICKLES,
    }

    def detached(folder: Path) -> Path:
        whole = files.write(folder / "cine.seq.nrrd", _series())
        head, _, data = whole.read_bytes().partition(b"\n\n")
        whole.unlink()
        (folder / "cine.raw.gz").write_bytes(data)
        (folder / "cine.seq.nhdr").write_bytes(head + b"\ndata file: cine.raw.gz\n")
        return folder / "cine.seq.nhdr"

    def written(folder: Path, name: str) -> Path:
        return files.write(folder / name, _series())

    return [
        Format(
            *("NRRD .seq.nrrd", lambda f: written(f, "cine.seq.nrrd"), ("cine.seq.nrrd",)),
            {**faults, "name": odd_names(".seq.nrrd")},
            job=OF_SERIES,
        ),
        Format("NRRD .nrrd", lambda f: written(f, "cine.nrrd"), ("cine.nrrd",), faults, job=OF_SERIES),
        Format(
            *("NRRD .nhdr", detached, ("cine.seq.nhdr", "cine.seq.nhdr", "cine.raw.gz")),
            {"line": faults["line"], "notes": faults["notes"]},
            job=OF_SERIES,
        ),
    ]


def _gif(folder: Path) -> Path:
    from PIL import Image

    images = [Image.fromarray((frame[0] * 255).astype(np.uint8)) for frame in series()["array"]]
    images[0].save(folder / "cine.gif", save_all=True, append_images=images[1:], duration=[40, 50, 60])
    return folder / "cine.gif"


def _gif_size(place: Place, value: tuple[int, int]) -> None:
    content = bytearray(place.given.read_bytes())
    struct.pack_into("<HH", content, 6, *value)
    place.given.write_bytes(content)


def _gif_bomb(place: Place, value: tuple[int, int]) -> None:
    """One picture of that size, all black: some kilobytes of a file."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.new("P", (4, 4)).save(buffer, "GIF")
    content = bytearray(buffer.getvalue())
    start = content.rindex(b",\0\0\0\0")
    struct.pack_into("<HH", content, 6, *value)
    struct.pack_into("<HH", content, start + 5, *value)
    place.given.write_bytes(content)


def _gif_frames(place: Place, count: int) -> None:
    """Thousands of frames of a large screen, each of one pixel."""
    content = place.given.read_bytes()
    start = content.index(b"\x21\xf9")
    place.given.write_bytes(content[:start] + content[start:-1] * count + b"\x3b")


_SIZES = st.tuples(st.sampled_from([0, 1, 40_000, 65_535]), st.sampled_from([0, 1, 5_000, 65_535]))


def _video(folder: Path, name: str, codec: str) -> Path:
    import av

    with av.open(str(folder / name), "w") as container:
        stream = container.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt = 32, 16, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 25)
        random = np.random.default_rng(4)
        for number in range(4):
            picture = random.integers(0, 255, (16, 32, 3), np.uint8)
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="yuv420p")
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return folder / name


def formats() -> list[Format]:
    """All of them."""
    gif = {
        "screen": Fault(_gif_size, _SIZES),
        "size": Fault(_gif_bomb, _SIZES),
        "frames": Fault(_gif_frames, st.sampled_from([10, 500])),
        "only a pickle": PICKLES,
        "name": odd_names(".gif"),
    }
    video = {"only a pickle": PICKLES}
    return [
        *_nifti_formats(),
        *_nrrd_formats(),
        Format("GIF", _gif, ("cine.gif",), gif, job=OF_SERIES, growth=50_000),
        Format("video .mp4", lambda f: _video(f, "cine.mp4", "mpeg4"), ("cine.mp4",), video, job=OF_SERIES, weight=0.5),
        Format("video .avi", lambda f: _video(f, "cine.avi", "mpeg4"), ("cine.avi",), video, job=OF_SERIES, weight=0.5),
    ]
