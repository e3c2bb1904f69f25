"""Fewer, virtual coils that carry nearly all of the signal.

F. Huang et al., Magn. Reson. Imaging 26 (2008) 133-141, doi:10.1016/j.mri.2007.04.010; M. Buehrer et al., Magn. Reson.
Med. 57 (2007) 1131-1139, doi:10.1002/mrm.21237.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from DynamicMRIReconLib.data import KSpace


def compression_matrix(samples: NDArray[np.complex64], virtual_coils: int) -> NDArray[np.complex64]:
    """(virtual coils, coils) with orthonormal rows: the strongest left singular vectors of (coils, everything else).

    Found from the coils' covariance, summed frame by frame so that nothing as large as the samples is made.
    ``samples``: (frames, coils, ...). At most as many virtual coils as there are coils.
    """
    coils = samples.shape[1]
    covariance = np.zeros((coils, coils), np.complex128)
    for frame in samples:
        flat = frame.reshape(coils, -1).astype(np.complex128)
        covariance += flat @ flat.conj().T
    _, vectors = np.linalg.eigh(covariance)
    strongest = vectors[:, ::-1][:, : min(virtual_coils, coils)]
    return np.ascontiguousarray(strongest.conj().T).astype(np.complex64)


def compress_coils(kspace: KSpace, virtual_coils: int) -> KSpace:
    """``kspace`` with ``virtual_coils`` coils; its coil maps are combined alike: the same image explains it.

    0, or as many as there are, leaves it as it is.
    """
    if virtual_coils <= 0 or virtual_coils >= kspace.coils:
        return kspace
    matrix = compression_matrix(kspace.samples, virtual_coils)
    samples = np.stack([np.tensordot(matrix, frame, axes=(1, 0)) for frame in kspace.samples])
    maps = None if kspace.coil_maps is None else np.tensordot(matrix, kspace.coil_maps, axes=(1, 0))
    return replace(kspace, samples=samples, coil_maps=maps)
