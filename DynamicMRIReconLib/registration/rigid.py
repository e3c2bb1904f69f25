"""Rigid registration of two volumes by mutual information, the same on every run.

D. Mattes et al., IEEE Trans. Med. Imaging 22 (2003) 120-128, doi:10.1109/TMI.2003.809072; the implementation is ITK's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from DynamicMRIReconLib.registration.itk_images import itk_image, matrix_of

BINS = 50
SHRINK = (4, 2, 1)
#: points at which the metric is evaluated; more are slower and hardly more exact
SAMPLES = 60_000
ITERATIONS = 150
#: voxels along an axis that a level of the pyramid keeps at least
FEWEST_VOXELS = 12
_LPS = np.array([-1.0, -1.0, 1.0])


@dataclass(frozen=True)
class Volume:
    """What is registered.

    Attributes
    ----------
    array
        (z, y, x), float32.
    affine
        (4, 4) voxel index to RAS mm, axes at right angles.
    mask
        bool (z, y, x): only these voxels count; None for all.
    """

    array: NDArray[np.float32]
    affine: NDArray[np.float64]
    mask: NDArray[np.bool_] | None = None

    def centre_mm(self) -> NDArray[np.float64]:
        """(3,) RAS: the centre of mass of the mask, or the middle of the volume."""
        shape = np.array(self.array.shape)
        middle = (shape - 1) / 2 if self.mask is None else np.argwhere(self.mask).mean(axis=0)
        return np.asarray(self.affine[:3, :3] @ middle[::-1] + self.affine[:3, 3])


def register_rigid(
    fixed: Volume, moving: Volume, *, seed: int = 0, step: Callable[[float], None] = lambda fraction: None
) -> NDArray[np.float64]:
    """The rigid motion that brings ``moving`` onto ``fixed``.

    Mattes mutual information with 50 bins, regular step gradient descent, at 1/4, 1/2 and the whole resolution, from
    the better of two starts: where the volumes lie, and centre onto centre. Thick slices are interpolated first, so
    that all axes have the same share in a level of the pyramid.

    Parameters
    ----------
    seed
        Of the choice of points. One thread: the same input gives the same matrix.
    step
        Called with the fraction done in each iteration; what it raises stops the registration.

    Returns
    -------
    (4, 4) RAS mm, to be multiplied to ``moving``'s affine from the left.

    Raises
    ------
    RuntimeError
        From ITK, when the volumes hardly overlap.
    """
    with _one_thread():
        return _register(fixed, moving, seed, step)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Sums over threads come in any order, also in filters that a registration uses within."""
    import SimpleITK

    before = SimpleITK.ProcessObject.GetGlobalDefaultNumberOfThreads()
    SimpleITK.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    try:
        yield
    finally:
        SimpleITK.ProcessObject.SetGlobalDefaultNumberOfThreads(before)


def _register(fixed: Volume, moving: Volume, seed: int, step: Callable[[float], None]) -> NDArray[np.float64]:
    import SimpleITK

    (still, still_mask), (other, other_mask) = _isotropic(fixed), _isotropic(moving)
    spacing = still.GetSpacing()[0]
    levels = [factor for factor in SHRINK if factor == 1 or min(still.GetSize()) >= factor * FEWEST_VOXELS]
    method = SimpleITK.ImageRegistrationMethod()
    method.SetMetricAsMattesMutualInformation(BINS)
    method.SetMetricSamplingStrategy(method.RANDOM)
    counts = [still.GetNumberOfPixels() / factor**3 for factor in levels]
    method.SetMetricSamplingPercentagePerLevel([min(1.0, SAMPLES / count) for count in counts], seed % 2**31 + 1)
    if still_mask is not None:
        method.SetMetricFixedMask(still_mask)
    if other_mask is not None:
        method.SetMetricMovingMask(other_mask)
    method.SetInterpolator(SimpleITK.sitkLinear)
    method.SetShrinkFactorsPerLevel(levels)
    method.SetSmoothingSigmasPerLevel([spacing * factor / 2 for factor in levels])
    method.SmoothingSigmasAreSpecifiedInPhysicalUnitsOn()
    method.SetOptimizerAsRegularStepGradientDescent(
        learningRate=2 * spacing,
        minStep=1e-3 * spacing,
        numberOfIterations=ITERATIONS,
        relaxationFactor=0.7,
        gradientMagnitudeTolerance=1e-8,
    )
    method.SetOptimizerScalesFromPhysicalShift()
    method.SetInitialTransform(_start(method, fixed, moving, still, other), inPlace=False)
    told = _Teller(method, len(levels), step)
    try:
        found = method.Execute(still, other)
    except RuntimeError:
        # What stopped it on purpose comes through ITK as another error.
        told.raise_again()
        raise
    told.raise_again()
    # ITK maps points of the fixed volume to the moving one.
    return np.asarray(np.linalg.inv(matrix_of(found)))


def _start(method: Any, fixed: Volume, moving: Volume, still: Any, other: Any) -> Any:
    import SimpleITK

    centre = fixed.centre_mm()
    starts = []
    for shift in (np.zeros(3), moving.centre_mm() - centre):
        start = SimpleITK.Euler3DTransform()
        start.SetCenter((_LPS * centre).tolist())
        start.SetTranslation((_LPS * shift).tolist())
        starts.append(start)
    values = []
    for start in starts:
        method.SetInitialTransform(start, inPlace=False)
        try:
            values.append(float(method.MetricEvaluate(still, other)))
        except RuntimeError:
            values.append(np.inf)
    return starts[int(np.argmin(values))]


def _isotropic(volume: Volume) -> tuple[Any, Any]:
    """The volume on a grid of its finest spacing by cubic interpolation, and its mask or None."""
    import SimpleITK

    image = itk_image(volume.array, volume.affine)
    spacing = np.array(image.GetSpacing())
    finest = float(spacing.min())
    sizes = [max(1, round((n - 1) * s / finest) + 1) for n, s in zip(image.GetSize(), spacing, strict=True)]
    filters = SimpleITK.ResampleImageFilter()
    filters.SetReferenceImage(image)
    filters.SetOutputDirection(image.GetDirection())
    filters.SetOutputOrigin(image.GetOrigin())
    filters.SetOutputSpacing([finest] * 3)
    filters.SetSize(sizes)
    filters.SetInterpolator(SimpleITK.sitkBSpline if min(image.GetSize()) > 3 else SimpleITK.sitkLinear)
    fine = filters.Execute(image)
    if volume.mask is None:
        return fine, None
    filters.SetInterpolator(SimpleITK.sitkNearestNeighbor)
    return fine, filters.Execute(itk_image(volume.mask.astype(np.uint8), volume.affine))


class _Teller:
    """Passes progress on, and keeps what ``step`` raises until ITK has let go."""

    def __init__(self, method: Any, levels: int, step: Callable[[float], None]) -> None:
        import SimpleITK

        self._method, self._levels, self._step = method, levels, step
        self._raised: BaseException | None = None
        method.AddCommand(SimpleITK.sitkIterationEvent, self._iteration)

    def _iteration(self) -> None:
        if self._raised is not None:
            return
        within = self._method.GetOptimizerIteration() / ITERATIONS
        try:
            self._step((self._method.GetCurrentLevel() + min(1.0, within)) / self._levels)
        except Exception as error:
            self._raised = error
            self._method.StopRegistration()

    def raise_again(self) -> None:
        """Raise what ``step`` raised, if it did."""
        if self._raised is not None:
            raise self._raised
