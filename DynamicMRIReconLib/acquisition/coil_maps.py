"""Coil sensitivity maps from the data themselves: ESPIRiT, or the adaptive (Walsh) estimate where that cannot work."""

from __future__ import annotations

import logging
import warnings
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from DynamicMRIReconLib.acquisition.time_average import central_kspace
from DynamicMRIReconLib.acquisition.walsh import align_phase, walsh_maps
from DynamicMRIReconLib.data import KSpace
from DynamicMRIReconLib.errors import InputError

logger = logging.getLogger(__name__)

MapMethod = Literal["auto", "espirit", "walsh"]
#: side of the calibration region, and the least that ESPIRiT is tried with
CALIBRATION_WIDTH, LEAST_CALIBRATION_WIDTH = 24, 12
KERNEL_WIDTH = 6
#: maps are computed on a grid of this side: ESPIRiT's local covariance has no detail beyond 5 cycles per field of view
_COARSE = 64


def estimate_coil_maps(kspace: KSpace, method: MapMethod = "auto") -> NDArray[np.complex64]:
    """Coil sensitivity maps complex64 (coils, z, y, x) from the time-averaged centre of k-space, slice by slice.

    ``sum |maps|**2`` over coils is 1 in every voxel: maps are not cut off outside the object, since a hole in the maps
    would be a hole in the picture. Their common phase is that of a virtual coil which sees the whole object. A single
    coil gives ones.

    Parameters
    ----------
    kspace
        Cartesian or not, one or several slices, or a 3-D trajectory.
    method
        ``espirit`` (M. Uecker et al., Magn. Reson. Med. 71 (2014) 990-1001, one set of maps, by sigpy), ``walsh``
        (see ``walsh.walsh_maps``), or ``auto``: ESPIRiT, and Walsh where the fully sampled centre is narrower than
        12 points or ESPIRiT fails.

    Raises
    ------
    InputError
        If the method is unknown, or ``espirit`` was asked for and the calibration region is too small for it.
    """
    if method not in ("auto", "espirit", "walsh"):
        raise InputError(f"Coil maps are estimated by auto, espirit or walsh, not {method!r}.")
    if kspace.coils == 1:
        return np.ones((1, *kspace.matrix), np.complex64)
    centre, measured = central_kspace(kspace, CALIBRATION_WIDTH)
    maps = np.empty((kspace.coils, *kspace.matrix), np.complex64)
    for z in range(kspace.matrix[0]):
        maps[:, z] = _slice_maps(centre[:, z], measured[z], kspace.matrix[1:], method)
    return maps


def _slice_maps(
    centre: NDArray[np.complex64], measured: NDArray[np.bool_], shape_yx: tuple[int, int], method: MapMethod
) -> NDArray[np.complex64]:
    peak = float(np.abs(centre).max())
    if peak == 0:
        # a slice without any signal: nothing can be told, and nothing needs to be
        return np.full((len(centre), *shape_yx), 1 / np.sqrt(len(centre)), np.complex64)
    centre = centre / np.float32(peak)
    coarse = (min(shape_yx[0], _COARSE), min(shape_yx[1], _COARSE))
    images = _low_resolution_images(centre, coarse)
    width = _measured_width(measured)
    maps: NDArray[np.complex64] | None = None
    if method == "espirit" and width < LEAST_CALIBRATION_WIDTH:
        raise InputError(
            f"ESPIRiT needs a fully sampled centre of k-space at least {LEAST_CALIBRATION_WIDTH} points wide; the time "
            f"average of these data has {width}: use walsh, or give coil maps."
        )
    if method != "walsh" and width >= LEAST_CALIBRATION_WIDTH:
        maps = _espirit(centre, width, coarse)
        if maps is None and method == "espirit":
            raise InputError("ESPIRiT found no coil maps in these data: use walsh, or give coil maps.")
    if maps is None:
        maps = walsh_maps(images)
    return _enlarge(align_phase(maps, images), shape_yx)


def _measured_width(measured: NDArray[np.bool_]) -> int:
    """Side of the largest fully measured square in the middle."""
    rows, columns = measured.shape
    for width in range(min(rows, columns), 0, -1):
        y, x = rows // 2 - width // 2, columns // 2 - width // 2
        if measured[y : y + width, x : x + width].all():
            return width
    return 0


def _low_resolution_images(centre: NDArray[np.complex64], coarse: tuple[int, int]) -> NDArray[np.complex64]:
    """Coil images on the coarse grid, Hann window against ringing."""
    window = np.outer(*(np.hanning(size + 2)[1:-1] for size in centre.shape[1:]))
    padded = _centred(centre * window.astype(np.float32), coarse)
    axes = (-2, -1)
    images = np.fft.fftshift(np.fft.ifft2(np.fft.ifftshift(padded, axes=axes)), axes=axes) * np.prod(coarse)
    return np.asarray(images, np.complex64)


def _centred(kspace: NDArray[np.complex64], shape_yx: tuple[int, int]) -> NDArray[np.complex64]:
    """K-space zero padded or cropped so that k = 0 stays at index N // 2."""
    result = np.zeros((len(kspace), *shape_yx), np.complex64)
    source: list[slice] = []
    target: list[slice] = []
    for old, new in zip(kspace.shape[1:], shape_yx, strict=True):
        size = min(old, new)
        source.append(slice(old // 2 - size // 2, old // 2 - size // 2 + size))
        target.append(slice(new // 2 - size // 2, new // 2 - size // 2 + size))
    result[(slice(None), *target)] = kspace[(slice(None), *source)]
    return result


def _espirit(centre: NDArray[np.complex64], width: int, coarse: tuple[int, int]) -> NDArray[np.complex64] | None:
    from sigpy.mri.app import EspiritCalib

    kspace = _centred(_centred(centre, (width, width)), coarse)
    with warnings.catch_warnings():
        # voxels without signal divide 0 by 0 in sigpy's phase reference; they are looked for below
        warnings.filterwarnings("ignore", "(invalid value|divide by zero) encountered", RuntimeWarning)
        try:
            maps = EspiritCalib(kspace, calib_width=width, kernel_width=KERNEL_WIDTH, crop=0, show_pbar=False).run()
        except (np.linalg.LinAlgError, ValueError, ZeroDivisionError) as error:
            logger.warning("ESPIRiT failed (%s): coil maps are estimated by the adaptive method instead.", error)
            return None
    size = np.sqrt((np.abs(maps) ** 2).sum(axis=0))
    if not np.isfinite(maps).all() or size.min() < 0.5:
        logger.warning("ESPIRiT left voxels without coil maps: they are estimated by the adaptive method instead.")
        return None
    return np.asarray(maps / size, np.complex64)


def _enlarge(maps: NDArray[np.complex64], shape_yx: tuple[int, int]) -> NDArray[np.complex64]:
    """Maps on the grid ``shape_yx`` by cubic interpolation, periodic as the Fourier grid is, of unit norm again."""
    from scipy.ndimage import map_coordinates

    if maps.shape[1:] != shape_yx:
        axes = [
            (np.arange(new) - new // 2) * (old / new) + old // 2
            for old, new in zip(maps.shape[1:], shape_yx, strict=True)
        ]
        where = np.stack(np.meshgrid(*axes, indexing="ij"))
        maps = np.stack([map_coordinates(coil, where, order=3, mode="grid-wrap") for coil in maps])
    size = np.sqrt((np.abs(maps) ** 2).sum(axis=0))
    return np.asarray(maps / np.maximum(size, 1e-6), np.complex64)
