"""ISMRMRD files built line by line with the ismrmrd package, independently of the library's own writer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ismrmrd
import numpy as np
from ismrmrd import xsd

COILS = 2


def phantom(ny: int = 16, nx: int = 16, seed: int = 0) -> np.ndarray:
    """Complex coil images (COILS, ny, nx) without symmetry."""
    rng = np.random.default_rng(seed)
    image = rng.normal(size=(COILS, ny, nx)) + 1j * rng.normal(size=(COILS, ny, nx))
    image[:, ny // 4, nx // 3] += 20
    return image.astype(np.complex64)


def fourier(image: np.ndarray, axes: tuple[int, ...] = (-2, -1)) -> np.ndarray:
    """Centred orthonormal transform, by the definition of numpy's."""
    shifted = np.fft.fftn(np.fft.ifftshift(image, axes), axes=axes, norm="ortho")
    return np.fft.fftshift(shifted, axes).astype(np.complex64)


def header(
    encoded: tuple[int, int, int],
    recon: tuple[int, int, int] | None = None,
    *,
    encoded_fov: tuple[float, float, float] = (160.0, 160.0, 5.0),
    recon_fov: tuple[float, float, float] | None = None,
    trajectory: str = "cartesian",
    centre: tuple[int, int] | None = None,
    repetition_time_ms: float | None = None,
    calibration: str | None = None,
) -> bytes:
    def space(matrix: tuple[int, int, int], fov: tuple[float, float, float]) -> Any:
        return xsd.encodingSpaceType(
            matrixSize=xsd.matrixSizeType(x=matrix[0], y=matrix[1], z=matrix[2]),
            fieldOfView_mm=xsd.fieldOfViewMm(x=fov[0], y=fov[1], z=fov[2]),
        )

    ky, kz = centre or (encoded[1] // 2, encoded[2] // 2)
    limits = xsd.encodingLimitsType(
        kspace_encoding_step_1=xsd.limitType(minimum=0, maximum=encoded[1] - 1, center=ky),
        kspace_encoding_step_2=xsd.limitType(minimum=0, maximum=encoded[2] - 1, center=kz),
    )
    imaging = None
    if calibration:
        factor = xsd.accelerationFactorType(kspace_encoding_step_1=2, kspace_encoding_step_2=1)
        imaging = xsd.parallelImagingType(
            accelerationFactor=factor, calibrationMode=xsd.calibrationModeType(calibration)
        )
    encoding = xsd.encodingType(
        encodedSpace=space(encoded, encoded_fov),
        reconSpace=space(recon or encoded, recon_fov or encoded_fov),
        encodingLimits=limits,
        trajectory=xsd.trajectoryType(trajectory),
        parallelImaging=imaging,
    )
    sequence = xsd.sequenceParametersType(TR=[repetition_time_ms]) if repetition_time_ms else None
    document = xsd.ismrmrdHeader(
        experimentalConditions=xsd.experimentalConditionsType(H1resonanceFrequency_Hz=63_500_000),
        encoding=[encoding],
        sequenceParameters=sequence,
    )
    return xsd.ToXML(document).encode()


def line(data: np.ndarray, trajectory: np.ndarray | None = None, flags: tuple[int, ...] = (), **fields: Any) -> Any:
    """An acquisition of ``data`` (coils, readout); ``fields`` are header entries or counters."""
    acquisition = ismrmrd.Acquisition.from_array(
        np.ascontiguousarray(data, np.complex64), None if trajectory is None else trajectory.astype(np.float32)
    )
    acquisition.center_sample = data.shape[-1] // 2
    for name, value in fields.items():
        if hasattr(acquisition.idx, name):
            setattr(acquisition.idx, name, value)
        elif isinstance(value, tuple | list | np.ndarray):
            getattr(acquisition, name)[:] = value
        else:
            setattr(acquisition, name, value)
    for flag in flags:
        acquisition.setFlag(flag)
    return acquisition


def lines_of(kspace: np.ndarray, **fields: Any) -> list[Any]:
    """One acquisition a ky line of ``kspace`` (coils, ky, kx)."""
    return [line(kspace[:, ky], kspace_encode_step_1=ky, **fields) for ky in range(kspace.shape[1])]


def save(path: Path, xml: bytes, acquisitions: list[Any], group: str = "dataset") -> Path:
    with ismrmrd.Dataset(str(path), group) as dataset:
        dataset.write_xml_header(xml)
        for acquisition in acquisitions:
            dataset.append_acquisition(acquisition)
    return path
