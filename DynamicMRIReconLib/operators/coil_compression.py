"""Fewer, virtual coils that carry nearly all of the signal.

F. Huang et al., Magn. Reson. Imaging 26 (2008) 133-141, doi:10.1016/j.mri.2007.04.010; M. Buehrer et al., Magn. Reson.
Med. 57 (2007) 1131-1139, doi:10.1002/mrm.21237.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from DynamicMRIReconLib import spool
from DynamicMRIReconLib.data import KSpace


def compression_matrix(
    samples: NDArray[np.complex64], virtual_coils: int = 0, energy: float = 0.0
) -> NDArray[np.complex64]:
    """(virtual coils, coils) with orthonormal rows: the strongest left singular vectors of (coils, everything else).

    Found from the coils' covariance, summed frame by frame so that nothing as large as the samples is made.

    Parameters
    ----------
    samples
        (frames, coils, ...).
    virtual_coils
        how many; at most as many as there are coils, 0 for all.
    energy
        0..1; when above 0, the fewest virtual coils that hold this part of the energy of all samples, instead.
    """
    coils = samples.shape[1]
    covariance = np.zeros((coils, coils), np.complex128)
    for part in spool.blocks(samples):
        for frame in samples[part]:
            flat = frame.reshape(coils, -1).astype(np.complex128)
            covariance += flat @ flat.conj().T
    energies, vectors = np.linalg.eigh(covariance)
    kept = min(virtual_coils, coils) or coils
    if energy > 0:
        held = np.cumsum(np.maximum(energies[::-1], 0.0))
        # a part of 1 must not fail by rounding
        kept = min(coils, 1 + int(np.searchsorted(held, energy * held[-1] * (1 - 1e-12))))
    strongest = vectors[:, ::-1][:, :kept]
    return np.ascontiguousarray(strongest.conj().T).astype(np.complex64)


def compress_coils(kspace: KSpace, virtual_coils: int, energy: float = 0.0) -> KSpace:
    """``kspace`` with ``virtual_coils`` coils; its coil maps are combined alike: the same image explains it.

    With ``energy`` (0..1) above 0 as many as hold that part of the signal energy instead. Where that, or
    ``virtual_coils`` (0: all), does not leave fewer coils than there are, ``kspace`` comes back as it is.
    """
    if kspace.coils == 1 or (energy <= 0 and not 0 < virtual_coils < kspace.coils):
        return kspace
    matrix = compression_matrix(kspace.samples, virtual_coils, energy)
    if len(matrix) == kspace.coils:
        return kspace
    samples = spool.empty((kspace.frames, len(matrix), *kspace.samples.shape[2:]), np.complex64)
    for part in spool.blocks(samples):
        for frame in range(part.start, part.stop):
            samples[frame] = np.tensordot(matrix, kspace.samples[frame], axes=(1, 0))
    maps = None if kspace.coil_maps is None else np.tensordot(matrix, kspace.coil_maps, axes=(1, 0))
    return replace(kspace, samples=samples, coil_maps=maps)
