"""What broken files by the thousand (Testing/benchmarks/fuzz.py) found wrong, one test each."""

from __future__ import annotations

import gzip
import struct
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from hostile_cases import SERIES, note_in_nifti, refused
from raw_data_files import fourier, header, lines_of, phantom, save

from DynamicMRIReconLib import io
from DynamicMRIReconLib.audio import read_wav
from DynamicMRIReconLib.cli import main
from DynamicMRIReconLib.cli_common import one_line
from DynamicMRIReconLib.data import ImageSeries
from DynamicMRIReconLib.errors import InputError
from DynamicMRIReconLib.json_text import parsed_json
from DynamicMRIReconLib.models.card import read_card
from DynamicMRIReconLib.models.files import read_network
from DynamicMRIReconLib.training.config import read_config

DEEP = "[" * 100_000


def test_nested_brackets_are_no_json() -> None:
    with pytest.raises(ValueError, match="nest too deeply"):
        parsed_json(DEEP)


@pytest.mark.parametrize("notes", [DEEP, '{"warnings": 7}', '{"warnings": null}', '{"warnings": [{}, 3]}'])
@pytest.mark.parametrize("suffix", [".npz", ".seq.nrrd", ".nii"])
def test_notes_of_any_kind_do_no_harm(tmp_path: Path, suffix: str, notes: str) -> None:
    path = io.write(tmp_path / f"cine{suffix}", SERIES)
    if suffix == ".npz":
        arrays = {"array": SERIES.array, "affine": SERIES.affine, "times_s": SERIES.times_s}
        np.savez(path, metadata=np.array(notes), **arrays)
    elif suffix == ".nii":
        note_in_nifti(path, f'{{"metadata": {notes}}}')
    else:
        head, blank, data = path.read_bytes().partition(b"\n\n")
        path.write_bytes(head + f"\nDynamicMRIRecon.metadata:={notes}".encode() + blank + data)
    found = io.read(path)
    np.testing.assert_array_equal(found.array, SERIES.array)
    assert all(isinstance(sentence, str) for sentence in found.metadata.get("warnings", []))
    assert io.info_text(io.info(path))


def test_nested_brackets_beside_a_nifti_file_and_in_other_files(tmp_path: Path) -> None:
    path = io.write(tmp_path / "cine.nii.gz", SERIES)
    (tmp_path / "cine.json").write_text(DEEP, encoding="utf-8")
    np.testing.assert_array_equal(io.read(path).array, SERIES.array)
    with pytest.raises(InputError, match="no JSON"):
        read_card(tmp_path / "cine.json")
    with pytest.raises(InputError, match=r"cine\.json is not valid JSON"):
        read_config(tmp_path / "cine.json")
    (tmp_path / "net.toml").write_text(f"a = {DEEP}", encoding="utf-8")
    with pytest.raises(InputError, match=r"net\.toml is not valid TOML"):
        read_config(tmp_path / "net.toml")


@pytest.mark.parametrize("suffix", [".npz", ".seq.nrrd", ".nii.gz"])
def test_names_that_files_can_have(tmp_path: Path, suffix: str) -> None:
    for stem in ("with\nline", "schön 心臓", "-dash", "{x} %s", "\u202edrawkcab"):
        path = io.write(tmp_path / f"{stem}{suffix}", SERIES)
        np.testing.assert_array_equal(io.read(path).array, SERIES.array)


def test_names_that_no_file_can_have(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / f"{'a' * 5000}.npz"
    assert "cannot be opened" in refused(path)
    with pytest.raises(InputError, match="does not exist"):
        read_wav(path.with_suffix(".wav"))
    assert main(["info", str(path)]) == 2
    assert main(["recon", str(path), "--method", "gridding", "--output", str(tmp_path / "o.npz")]) == 2
    lines = capfd.readouterr().err.splitlines()
    assert len(lines) == 2
    assert all(len(line) < 1100 for line in lines)


def test_messages_do_not_steer_the_terminal(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert one_line("a\x1b[2Jb\u202ec\x07\n d") == "a\ufffd[2Jb\ufffdc\ufffd d"
    path = io.write(tmp_path / "cine.seq.nrrd", SERIES)
    path.write_bytes(path.read_bytes().replace(b"encoding: gzip", b"encoding: \x1b[2Jx"))
    assert main(["info", str(path)]) == 2
    path = io.write(tmp_path / "warns.npz", SERIES.with_metadata(warnings=["\x1b[2J"]))
    assert main(["info", str(path)]) == 0
    told = capfd.readouterr()
    assert "\x1b" not in told.out + told.err


def test_trajectory_of_texts(tmp_path: Path) -> None:
    np.save(tmp_path / "k.npy", np.full((3, 8, 2), "x"))
    np.save(tmp_path / "scan.npy", np.ones((1, 1, 3, 8), np.complex64))
    text = refused(tmp_path / "scan.npy", axes="frames,coils,shots,readout", trajectory=tmp_path / "k.npy")
    assert "must hold finite real numbers" in text


def test_a_bart_header_of_many_dimensions_is_told_in_short(tmp_path: Path) -> None:
    (tmp_path / "scan.cfl").write_bytes(bytes(8))
    (tmp_path / "scan.hdr").write_text("# Dimensions\n" + "1 " * 100_000 + "\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"scan\.hdr has 100000 dimensions") as caught:
        io.read(tmp_path / "scan.cfl")
    assert len(str(caught.value)) < 200


def test_gif_that_announces_more_than_it_holds_or_is_cut(tmp_path: Path) -> None:
    from PIL import Image

    path = tmp_path / "cine.gif"
    random = np.random.default_rng(0)
    images = [Image.fromarray(random.integers(0, 255, (9, 7), np.uint8)) for _ in range(3)]
    images[0].save(path, save_all=True, append_images=images[1:])
    good = path.read_bytes()
    for size in ((65535, 65535), (40000, 5000), (20000, 8000)):
        content = bytearray(good)
        struct.pack_into("<HH", content, 6, *size)
        path.write_bytes(content)
        assert any(words in refused(path) for words in ("more than it can hold", "exceeds limit"))
    for kept in range(len(good) - 1, 20, -7):
        path.write_bytes(good[:kept])
        with suppress(InputError):
            io.read(path)


def test_acquisitions_beyond_the_file_are_refused_before_memory_is_taken(tmp_path: Path) -> None:
    path = save(tmp_path / "scan.h5", header((16, 16, 1)), lines_of(fourier(phantom())))
    with h5py.File(path, "r+") as file:
        file["dataset/data"].resize(10**9, axis=0)
    assert "announces 1000000000 acquisitions" in refused(path)


def test_weights_whose_options_are_nonsense_name_their_file(tmp_path: Path) -> None:
    import torch
    from safetensors.torch import save_file

    for options in (DEEP, '{"widths": 7}', "[]", '{"x": "' + "y" * 9000 + '"}'):
        notes = {"format": "dynamic-mri-recon model 1", "network": "ifnet", "options": options}
        save_file({"a": torch.zeros(2)}, tmp_path / "net.safetensors", metadata=notes)
        with pytest.raises(InputError, match=r"net\.safetensors") as caught:
            read_network(tmp_path / "net.safetensors", None)
        assert len(str(caught.value)) < 700


@pytest.mark.parametrize("frames", [2, 60])
def test_compressed_header_with_a_flipped_byte_is_refused(tmp_path: Path, frames: int) -> None:
    series = ImageSeries(np.ones((frames, 1, 4, 5), np.float32), np.eye(4), np.arange(float(frames)))
    path = io.write(tmp_path / "cine.nii.gz", series)
    content = bytearray(gzip.compress(gzip.decompress(path.read_bytes()), 0))
    content[-20] ^= 1
    path.write_bytes(content)
    refused(path)
    # so it is when the header tells of fewer frames
    struct.pack_into("<h", content, 10 + 5 + 48, 1)
    path.write_bytes(content)
    refused(path)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b"line skip: 99999999999", "line skip is 99999999999"),
        (b"byte skip: 99999999999", "byte skip is 99999999999"),
        (b"data file: /dev/zero", "which is not there"),
        (b"data file: /dev/stdin", "which is not there"),
        (b"data file: gone.raw", "which is not there"),
    ],
)
def test_nrrd_headers_that_send_their_reader_away(tmp_path: Path, line: bytes, words: str) -> None:
    path = io.write(tmp_path / "cine.seq.nrrd", SERIES)
    head, blank, data = path.read_bytes().partition(b"\n\n")
    path.write_bytes(head + b"\n" + line + blank + data)
    assert words in refused(path)


@pytest.mark.parametrize(
    "header_text",
    [
        "{'descr': '<c8', 'fortran_order': False, 'shape': (True, 1, 1, 2, 2), }",
        "{'descr': '|V0', 'fortran_order': False, 'shape': (99999999999, 1, 1, 2, 2), }",
    ],
)
@pytest.mark.parametrize("packed", [False, True])
def test_numpy_headers_that_numpy_stumbles_over_are_refused(tmp_path: Path, header_text: str, packed: bool) -> None:
    text = header_text.ljust(117).encode() + b"\n"
    content = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + np.zeros(4, np.complex64).tobytes()
    path = tmp_path / ("scan.npz" if packed else "scan.npy")
    if packed:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("kspace.npy", content)
    else:
        path.write_bytes(content)
    assert "NumPy file" in refused(path)


@pytest.mark.parametrize(
    "shape",
    [
        np.array([np.inf, 4.0, 4.0]),
        np.array([1.0, 4.5, 4.0]),
        np.array([1, 4, 4], "M8[s]"),
        np.array([1, 4, 4], "m8[ms]"),
        np.array(["1", "4", "4"]),
        np.array([1, 4]),
        np.array([1, 4, 4]) + 0j,
    ],
)
def test_image_shapes_that_are_none(tmp_path: Path, shape: np.ndarray[Any, Any]) -> None:
    path = tmp_path / "scan.npz"
    np.savez(path, samples=np.ones((1, 1, 1, 4, 4), np.complex64), image_shape=shape)
    assert "'image_shape' must be the three sizes" in refused(path)


@pytest.mark.parametrize("flags", [np.array([0, 1e45]), np.array([0, 2]), np.array(["no", "yes"]), np.zeros(2, "V8")])
def test_synthetic_flags_that_are_none(tmp_path: Path, flags: np.ndarray[Any, Any]) -> None:
    path = tmp_path / "cine.npz"
    good = {"array": SERIES.array, "affine": SERIES.affine, "times_s": SERIES.times_s}
    np.savez(path, **good, synthetic=flags)
    assert "synthetic flags must be true or false" in refused(path)
    # as other programs write them
    for kind in (bool, np.uint8, float):
        np.savez(path, **good, synthetic=np.array([0, 1], kind))
        assert io.read(path).synthetic.tolist() == [False, True]


def test_voxels_whose_squares_overflow_can_be_compared() -> None:
    from DynamicMRIReconLib.evaluation import evaluate

    random = np.random.default_rng(0)
    array = random.random((3, 1, 9, 8)).astype(np.float32)
    noisy = array + 0.1 * random.random(array.shape).astype(np.float32)
    pair = [ImageSeries(one, np.eye(4), np.arange(3.0)) for one in (noisy, array)]
    large = [ImageSeries(one.array * np.float32(1e35), one.affine, one.times_s) for one in pair]
    expected, found = evaluate(*pair), evaluate(*large)
    for name in ("psnr_db", "ssim", "nrmse"):
        assert found[name]["mean"] == pytest.approx(expected[name]["mean"], rel=1e-4)
    for name in ("scale", "temporal_sharpness"):
        assert found[name] == pytest.approx(expected[name], rel=1e-4)


@pytest.mark.parametrize("line", ["units: x", 'labels: ""', "spacings: 1 1", "thicknesses: 1", "axis mins: 0"])
def test_nrrd_fields_without_an_entry_for_each_axis(tmp_path: Path, line: str) -> None:
    path = io.write(tmp_path / "cine.seq.nrrd", SERIES)
    head, blank, data = path.read_bytes().partition(b"\n\n")
    field = line.partition(":")[0].encode()
    lines = [one for one in head.split(b"\n") if not one.startswith(field + b":")]
    path.write_bytes(b"\n".join([*lines, line.encode()]) + blank + data)
    assert "for 4 axes" in refused(path)
