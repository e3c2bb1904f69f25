"""A marker lies where an acquisition's position and direction vectors say, whatever their orientation."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from raw_data_files import COILS, fourier, header, line, lines_of, save

from DynamicMRIReconLib import io

SIZE, PIXEL_MM = (20, 16), (8.0, 10.0)  # y, x
AT = (13, 4)  # y, x
ANGLE = np.deg2rad([25, -40])
VECTORS = {
    "axial": ((1, 0, 0), (0, 1, 0)),
    "axial, phase reversed": ((1, 0, 0), (0, -1, 0)),
    "sagittal": ((0, 1, 0), (0, 0, -1)),
    "coronal, swapped": ((0, 0, 1), (1, 0, 0)),
    "oblique": ((np.cos(ANGLE[0]), np.sin(ANGLE[0]), 0), (0, 0, 1)),
    "double oblique": (
        (np.cos(ANGLE[0]), np.sin(ANGLE[0]), 0),
        (-np.sin(ANGLE[0]) * np.cos(ANGLE[1]), np.cos(ANGLE[0]) * np.cos(ANGLE[1]), np.sin(ANGLE[1])),
    ),
}


def expected_ras(read: np.ndarray, phase: np.ndarray, position: np.ndarray) -> np.ndarray:
    """The position is that of index N // 2; ISMRMRD points left and posterior, RAS right and anterior."""
    y, x = AT
    lps = position + read * (x - SIZE[1] // 2) * PIXEL_MM[1] + phase * (y - SIZE[0] // 2) * PIXEL_MM[0]
    return lps * [-1, -1, 1]


@pytest.mark.parametrize("side", [1, -1], ids=["slice_dir right-handed", "slice_dir left-handed"])
@pytest.mark.parametrize("name", VECTORS)
@pytest.mark.parametrize("kind", ["cartesian", "radial"])
def test_marker_keeps_its_place(tmp_path: Path, name: str, kind: str, side: int) -> None:
    """The marker is in the second of three slices, 9 mm apart along the given slice direction."""
    read, phase = (np.array(v, float) for v in VECTORS[name])
    through = side * np.cross(read, phase)
    image = np.zeros((COILS, *SIZE), np.complex64)
    image[:, AT[0], AT[1]] = 1
    dim = image * 1e-3
    lines = []
    for number in range(3):
        position = np.array([12.0, -34.0, 56.0]) + 9 * number * through
        here = {"read_dir": read, "phase_dir": phase, "slice_dir": through, "position": position, "slice": number}
        one = image if number == 1 else dim
        if kind == "cartesian":
            lines += lines_of(fourier(one), **here)
            continue
        for shot in range(40):
            k = np.linspace(-8, 8, 32, endpoint=False)[:, None] * [
                [np.cos(shot * 1.94), np.sin(shot * 1.94) * SIZE[0] / SIZE[1]]
            ]
            r = np.array([(AT[1] - SIZE[1] // 2) / SIZE[1], (AT[0] - SIZE[0] // 2) / SIZE[0]])
            samples = np.abs(one).max() * np.exp(-2j * np.pi * (k @ r))
            lines.append(line(np.stack([samples] * COILS), k, **here))
    xml = header(
        (SIZE[1], SIZE[0], 1), encoded_fov=(SIZE[1] * PIXEL_MM[1], SIZE[0] * PIXEL_MM[0], 5.0), trajectory=kind
    )
    data = io.read(save(tmp_path / "marker.h5", xml, lines))
    if kind == "cartesian":
        shifted = np.fft.ifftn(np.fft.ifftshift(data.samples[0, 0], (-2, -1)), axes=(-2, -1))
        found = np.abs(np.fft.fftshift(shifted, (-2, -1)))
    else:
        x, y = np.arange(SIZE[1]) - SIZE[1] // 2, np.arange(SIZE[0]) - SIZE[0] // 2
        kx, ky = data.trajectory[0, ..., 0], data.trajectory[0, ..., 1]
        phase_of = kx[:, :, None, None] * x / SIZE[1] + ky[:, :, None, None] * y[:, None] / SIZE[0]
        found = np.abs(np.einsum("zsn,snyx->zyx", data.samples[0, 0], np.exp(2j * np.pi * phase_of)))
    z, row, column = np.unravel_index(found.argmax(), found.shape)
    assert (row, column) == AT
    ras = data.geometry.to_ras((column, row, z))
    np.testing.assert_allclose(ras, expected_ras(read, phase, np.array([12.0, -34.0, 56.0]) + 9 * through), atol=1e-4)
    assert data.geometry.spacing_mm == pytest.approx([PIXEL_MM[1], PIXEL_MM[0], 9], abs=1e-4)
    assert np.linalg.det(data.affine[:3, :3]) > 0
