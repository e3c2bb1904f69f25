"""Density compensation of any trajectory by iteration."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from DynamicMRIReconLib.errors import ResourceError

_ITERATIONS = 20
#: neighbour pairs: at most about 2.5 GB
_MOST_PAIRS = 100_000_000
#: samples nearer than this grid are counted together before pairs are formed, in cycles per field of view
_BIN = 0.125
#: share of the sampled region that the weights must cover, and how much the kernel may widen to get there
_COVERED, _WIDEST = 0.93, 4.0


def iterative_weights(points: NDArray[np.float64]) -> NDArray[np.float32]:
    """Weights of ``points`` (..., 2 or 3), one each, such that they sum to 1 under a kernel anywhere.

    J. G. Pipe, P. Menon, Magn. Reson. Med. 41 (1999) 179-186: ``w <- w / (kernel * w)``. The kernel is a cone of unit
    volume, 0.98 cycles per field of view in radius: of unit height, hence a sample without neighbours weighs one grid
    cell, and samples closer than that share k-space by their density. Where that leaves part of the sampled region
    uncovered (undersampling between the arms of a spiral), the cone is widened by the missing factor, at most
    four times, so that the samples stand for the gaps between them and the intensity is kept.

    Raises
    ------
    ResourceError
        If the samples of one frame are too many and too crowded for the computer's memory.
    """
    dimensions = points.shape[-1]
    flat = points.reshape(-1, dimensions)
    # crowded samples (every shot passes the centre) are replaced by their mean and their number
    cells, index, count = np.unique(
        np.rint(flat / _BIN).astype(np.int64), axis=0, return_inverse=True, return_counts=True
    )
    index = index.ravel()
    place = np.stack([np.bincount(index, flat[:, d], len(cells)) for d in range(dimensions)], axis=1) / count[:, None]
    radius = float((3 / np.pi) ** (1 / dimensions))
    weights = _balanced(place, radius, len(flat))
    region = _volume(place)
    covered = weights.sum() / region if region > 0 else 1.0
    if covered < _COVERED:
        widening = min(1 / covered, _WIDEST)
        weights = _balanced(place, radius * widening, len(flat)) * widening**dimensions
    return np.asarray((weights / count)[index].reshape(points.shape[:-1]), np.float32)


def _volume(place: NDArray[np.float64]) -> float:
    """Volume of the sampled region in grid cells."""
    from scipy.spatial import ConvexHull, QhullError

    try:
        return float(ConvexHull(place).volume)
    except QhullError:
        # too few samples, or all on one line or plane
        return 0.0


def _balanced(place: NDArray[np.float64], radius: float, samples: int) -> NDArray[np.float64]:
    """Weights of ``place`` that sum to 1 under a cone of unit height and the given radius."""
    from scipy.sparse import coo_array, eye_array
    from scipy.spatial import cKDTree

    tree = cKDTree(place)
    if tree.count_neighbors(tree, radius) > 2 * _MOST_PAIRS:
        raise ResourceError(
            f"Density compensation of {samples} samples in one frame needs too much memory: use fewer shots a frame."
        )
    pairs = tree.query_pairs(radius, output_type="ndarray")
    height = 1 - np.linalg.norm(place[pairs[:, 0]] - place[pairs[:, 1]], axis=1) / radius
    half = coo_array((height, (pairs[:, 0], pairs[:, 1])), shape=(len(place), len(place))).tocsr()
    kernel = half + half.T + eye_array(len(place), format="csr")
    weights = np.ones(len(place))
    for _ in range(_ITERATIONS):
        weights /= kernel @ weights
    return weights
