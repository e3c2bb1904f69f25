"""Teaching mode: any loaded image series as a scene that can be scanned."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from DynamicMRIReconLib.data import ImageSeries
from DynamicMRIReconLib.errors import InputError
from DynamicMRIReconLib.geometry import Geometry


class SeriesScene:
    """An image series, linear in time between its frames, trigonometric in space between its voxels.

    Images that are not square are padded with zeros to a square number of voxels; index N // 2 keeps its RAS position
    on every grid. Times are those of the series. Each frame stands for the middle of its interval, hence the scene
    begins half a mean interval before the first frame and lasts ``frames`` mean intervals.

    Parameters
    ----------
    series
        Real or complex; intensities are kept.
    cyclic
        True: the series repeats after ``duration_s``, as one heart beat does. False: the first and last frame hold
        before and after.
    """

    def __init__(self, series: ImageSeries, *, cyclic: bool = False) -> None:
        self.title = str(series.metadata.get("source") or "an image series")
        self.series = series
        self.cyclic = cyclic
        self.frames = series.frames
        self.slices, self._rows, self._columns = series.array.shape[1:]
        self.side = max(self._rows, self._columns)
        times = series.times_s
        interval = float((times[-1] - times[0]) / (len(times) - 1)) if len(times) > 1 else 1.0
        self.duration_s = interval * len(times)
        self.start_s = float(times[0]) - interval / 2

    def geometry(self, shape_zyx: Sequence[int]) -> Geometry:
        """Voxel grid of ``shape_zyx`` over the (padded, square) field of view of the series.

        Raises
        ------
        InputError
            If the number of slices is not that of the series.
        """
        _, rows, columns = self._checked(shape_zyx)
        old = self.series.geometry
        centre = old.to_ras((self._columns // 2, self._rows // 2, 0))
        spacing = old.spacing_mm * (self.side / columns, self.side / rows, 1.0)
        origin = centre - old.directions @ (spacing * (columns // 2, rows // 2, 0))
        return Geometry.from_parts(spacing, origin, old.directions)

    def weights(self, times_s: ArrayLike) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        """Two frames and their weights for each time: index (T, 2) and weight (T, 2), summing to 1."""
        wanted = np.atleast_1d(np.asarray(times_s, float))
        knots = self.series.times_s
        if self.frames == 1:
            return np.zeros((len(wanted), 2), np.intp), np.tile([1.0, 0.0], (len(wanted), 1))
        if self.cyclic:
            wanted = knots[0] + np.mod(wanted - knots[0], self.duration_s)
            knots = np.append(knots, knots[0] + self.duration_s)
        before = np.clip(np.searchsorted(knots, wanted, side="right") - 1, 0, len(knots) - 2)
        share = np.clip((wanted - knots[before]) / (knots[before + 1] - knots[before]), 0.0, 1.0)
        index = np.stack([before, before + 1], axis=1) % self.frames
        return index.astype(np.intp), np.stack([1 - share, share], axis=1)

    def render_frame(self, frame: int, shape_zyx: Sequence[int]) -> NDArray[np.complex64]:
        """Frame number ``frame`` of the series, complex64 (z, y, x), on the grid ``shape_zyx``."""
        _, rows, columns = self._checked(shape_zyx)
        image = self.series.array[frame]
        return np.asarray(
            _resampled(_resampled(image, -2, self._rows, self.side, rows), -1, self._columns, self.side, columns),
            np.complex64,
        )

    def render(self, times_s: ArrayLike, shape_zyx: Sequence[int]) -> NDArray[np.complex64]:
        """Images (T, z, y, x) at ``times_s`` seconds of the series' own clock."""
        shape = self._checked(shape_zyx)
        index, weight = self.weights(times_s)
        result = np.zeros((len(index), *shape), np.complex64)
        for frame in np.unique(index[weight > 0]).tolist():
            image = self.render_frame(frame, shape)
            for t, part in zip(*np.nonzero((index == frame) & (weight > 0)), strict=True):
                result[t] += np.float32(weight[t, part]) * image
        return result

    def _checked(self, shape_zyx: Sequence[int]) -> tuple[int, int, int]:
        slices, rows, columns = (int(n) for n in shape_zyx)
        if slices != self.slices or min(rows, columns) < 1:
            raise InputError(
                f"The series has {self.slices} slice(s): it cannot be looked at with the shape {tuple(shape_zyx)}."
            )
        return slices, rows, columns


def _resampled(image: NDArray[Any], axis: int, size: int, side: int, new: int) -> NDArray[Any]:
    """Trigonometric interpolation along ``axis`` from ``size`` voxels, zero padded to ``side``, to ``new``.

    Frequencies that the new grid cannot hold are dropped; the one at half the sampling rate counts half on either side,
    so that real images stay real and voxels that both grids share keep their value.
    """
    limit = min(side, new)
    frequency = np.arange(-(limit // 2), limit // 2 + 1)
    share = np.ones(len(frequency))
    if limit % 2 == 0:
        share[[0, -1]] = 0.5
    old_place = (np.arange(size) - size // 2) / side
    new_place = (np.arange(new) - new // 2) / new
    back = np.exp(2j * np.pi * new_place[:, None] * frequency)
    forth = np.exp(-2j * np.pi * frequency[:, None] * old_place)
    # frequencies come in pairs of equal share: the matrix is real
    matrix = ((back * share) @ forth).real.astype(np.float32) / np.float32(side)
    return np.moveaxis(np.tensordot(matrix, image, axes=(1, axis)), 0, axis)
