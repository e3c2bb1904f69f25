"""What every iterative method on k-space lets a user choose about coils and transforms, said once."""

from __future__ import annotations

from typing import Literal

from DynamicMRIReconLib.data import KSpace
from DynamicMRIReconLib.methods.base import Parameters, parameter

COIL_COMPRESSION = "Virtual coils to compress to when there are more; 0 keeps all coils."


class KSpaceParameters(Parameters):
    """Coil compression and the library of the non-uniform transform."""

    coil_compression: int = parameter(8, COIL_COMPRESSION, ge=0, unit="coils")
    coil_energy: float = parameter(
        0.0,
        "Compress to the fewest virtual coils that hold this part of the signal energy, such as 0.99, whatever "
        "coil_compression says; 0 leaves the number to coil_compression.",
        ge=0.0,
        le=1.0,
        advanced=True,
    )
    nufft_backend: Literal["auto", "finufft", "torchkbnufft"] = parameter(
        "auto", "Library for the non-uniform Fourier transform.", advanced=True
    )

    def most_coils(self, kspace: KSpace) -> int:
        """The most (virtual) coils that there can be after compression."""
        return kspace.coils if self.coil_energy else min(kspace.coils, self.coil_compression or kspace.coils)
