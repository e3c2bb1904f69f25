"""Convolutions over time and space that remove the aliasing of a whole cine, alone or in a cascade with its samples.

Simple: four 3x3x3 convolutions and what went in (64 features: 228,290 parameters; 32: 58,850). Complex: eight, four of
them at half the size (32 features: 501,474 parameters; with batch normalisation 502,178). Cascade: 1 to 10 of either,
each followed by data consistency, as J. Schlemper, J. Caballero, J. V. Hajnal, A. N. Price, D. Rueckert, IEEE Trans.
Med. Imaging 37 (2018) 491-503, doi:10.1109/TMI.2017.2760978.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from DynamicMRIReconLib.networks.consistency import ITERATIONS, combine, consistent, shared
from DynamicMRIReconLib.operators.fourier import ifft2c

#: up to so many input channels a convolution on the CPU is quicker as one of images (of 32 channels: three times)
FEW_CHANNELS = 32
MOST_ITERATIONS = 10


class Convolution(nn.Conv3d):
    """3x3x3, zeros beyond the borders; (B, inputs, T, y, x) -> (B, outputs, T, y, x)."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(inputs, outputs, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """The convolution; few channels on the CPU: three frames' channels side by side, convolved as an image."""
        if x.device.type != "cpu" or self.in_channels > FEW_CHANNELS:
            return super().forward(x)
        batch, channels, frames, height, width = x.shape
        padded = functional.pad(x, (0, 0, 0, 0, 1, 1))
        three = torch.cat([padded[:, :, k : k + frames] for k in range(3)], dim=1).transpose(1, 2)
        images = three.reshape(batch * frames, 3 * channels, height, width)
        weight = self.weight.transpose(1, 2).reshape(self.out_channels, 3 * channels, 3, 3)
        y = functional.conv2d(images.contiguous(memory_format=torch.channels_last), weight, self.bias, padding=1)
        return y.reshape(batch, frames, self.out_channels, height, width).transpose(1, 2)


class Simple(nn.Module):
    """(B, 2, T, y, x) real and imaginary part -> the correction, of the same shape, any size."""

    def __init__(self, *, features: int = 64, batch_norm: bool = False, dropout: float = 0.0) -> None:
        super().__init__()
        self.body = nn.Sequential(
            *_layer(2, features, batch_norm), *_layer(features, features, batch_norm),
            *_layer(features, features, batch_norm), *_dropout(dropout),
        )  # fmt: skip
        self.head = Convolution(features, 2)

    def forward(self, x: Tensor) -> Tensor:
        """The correction."""
        correction: Tensor = self.head(self.body(x))
        return correction


class Complex(nn.Module):
    """(B, 2, T, y, x) -> the correction, of the same shape, any size (padded to a multiple of 2 inside).

    Parameters
    ----------
    pool_time
        Halve time too; off, motion keeps its resolution.
    learned_resample
        Strided and transposed convolutions in the place of the largest of each cell and linear interpolation.
    """

    def __init__(
        self,
        *,
        features: int = 32,
        batch_norm: bool = False,
        dropout: float = 0.0,
        pool_time: bool = False,
        learned_resample: bool = False,
    ) -> None:
        super().__init__()
        self.cell = (2 if pool_time else 1, 2, 2)
        wide = 2 * features
        self.top = nn.Sequential(*_layer(2, features, batch_norm), *_layer(features, features, batch_norm))
        self.middle = nn.Sequential(
            *_layer(features, wide, batch_norm), *(part for _ in range(3) for part in _layer(wide, wide, batch_norm))
        )
        self.down: nn.Module = nn.MaxPool3d(self.cell)
        self.up: nn.Module = nn.Upsample(scale_factor=self.cell, mode="trilinear")
        if learned_resample:
            self.down = nn.Conv3d(features, features, self.cell, self.cell)
            self.up = nn.ConvTranspose3d(wide, wide, self.cell, self.cell)
        self.join = nn.Sequential(*_layer(features + wide, features, batch_norm), *_dropout(dropout))
        self.head = Convolution(features, 2)

    def forward(self, x: Tensor) -> Tensor:
        """The correction."""
        size = x.shape[2:]
        margins = [-n % cell for n, cell in zip(size, self.cell, strict=True)]
        # zeros, as the convolutions pad
        x = functional.pad(x, [after for margin in reversed(margins) for after in (0, margin)])
        skip = self.top(x)
        x = self.up(self.middle(self.down(skip)))
        correction: Tensor = self.head(self.join(torch.cat([skip, x], dim=1)))
        return correction[:, :, : size[0], : size[1], : size[2]]


class Cnn3d(nn.Module):
    """Undersampled k-space of a cine -> complex movies: the start, then that of each iteration; the last is the result.

    Iteration k: ``x <- DC(x + cnn_k(x))``, weights not shared; ``networks/consistency.py`` says what ``DC`` is. With
    ``iterations`` 0 it is one ``x + cnn(x)`` without data consistency. No state is kept between calls. The network is
    trained on images of about 1.

    Parameters
    ----------
    kind
        ``simple`` or ``complex``.
    iterations
        0 to 10.
    features
        0 is the published number: 64 for ``simple``, 32 for ``complex`` (twice as many at half the size).
    batch_norm, dropout
        Before each ReLU; share of channels left out before the last convolution.
    pool_time, learned_resample
        See ``Complex``; not for ``simple``.
    sharing
        Start with the gaps of each frame filled from its neighbours (``shared``) in the place of zeros: easier to
        learn from. The published networks start zero-filled.
    demodulate
        Networks see the movie with the phase of the start's time average taken off, which their correction gets back:
        nearly real images, whatever the phase of the scan. Not so in the published networks.
    noise_weight
        None puts samples back as they are; a number weighs them, see ``consistent``.
    checkpointing
        Compute each iteration again when gradients are needed: memory of one iteration for any number of them.

    Raises
    ------
    ValueError
        If an option is out of range.
    """

    def __init__(
        self,
        *,
        kind: Literal["simple", "complex"] = "simple",
        iterations: int = 0,
        features: int = 0,
        batch_norm: bool = False,
        dropout: float = 0.0,
        pool_time: bool = False,
        learned_resample: bool = False,
        sharing: bool = False,
        demodulate: bool = False,
        noise_weight: float | None = None,
        checkpointing: bool = False,
    ) -> None:
        super().__init__()
        if kind not in ("simple", "complex"):
            raise ValueError(f"kind must be 'simple' or 'complex', not {kind!r}")
        if not 0 <= iterations <= MOST_ITERATIONS or features < 0 or not 0 <= dropout < 1:
            raise ValueError(f"iterations must be 0 to {MOST_ITERATIONS}, features at least 0, dropout in [0, 1)")
        if noise_weight is not None and not noise_weight > 0:
            raise ValueError(f"noise_weight must be above 0, not {noise_weight}")
        if kind == "simple" and (pool_time or learned_resample):
            raise ValueError("pool_time and learned_resample need kind = 'complex'")
        self.iterations, self.noise_weight, self.checkpointing = iterations, noise_weight, checkpointing
        self.sharing, self.demodulate = sharing, demodulate
        #: of data consistency with several coils; no property of the weights
        self.coil_iterations = ITERATIONS

        def block() -> nn.Module:
            if kind == "simple":
                return Simple(features=features or 64, batch_norm=batch_norm, dropout=dropout)
            return Complex(
                features=features or 32, batch_norm=batch_norm, dropout=dropout,
                pool_time=pool_time, learned_resample=learned_resample,
            )  # fmt: skip

        self.blocks = nn.ModuleList(block() for _ in range(max(1, iterations)))
        self.apply(_initialise)

    def forward(
        self, samples: Tensor, mask: Tensor, coil_maps: Tensor | None = None, start: Tensor | None = None
    ) -> list[Tensor]:
        """Reconstruct a batch of cines.

        Parameters
        ----------
        samples
            (B, T, coils, ky, kx) complex, zero where nothing was measured.
        mask
            (B, T, ky, kx) bool, shared by the coils.
        coil_maps
            (coils, y, x) complex; None for a single coil of sensitivity 1.
        start
            (B, T, y, x) complex, where it is known from more frames than these; None: see ``start``.

        Returns
        -------
        list of (B, T, y, x) complex
            The start, then a movie for each iteration.

        Raises
        ------
        ValueError
            If there are several coils but no maps.
        """
        if coil_maps is None and samples.shape[2] != 1:
            raise ValueError(f"The 3D CNN needs coil maps for {samples.shape[2]} coils.")
        shape = mask.shape
        measured, where = samples.flatten(0, 1), mask.flatten(0, 1)
        movies = [self.start(samples, mask, coil_maps) if start is None else start]
        phase = torch.sgn(movies[0].mean(1, keepdim=True)) if self.demodulate else torch.ones_like(movies[0][:, :1])
        for block in self.blocks:
            seen = movies[-1] * phase.conj()
            x = torch.stack([seen.real, seen.imag], dim=1)
            keep = self.checkpointing and self.training and torch.is_grad_enabled()
            # complex numbers exist in single precision only, whatever precision the convolutions are computed in
            channels = (checkpoint(block, x, use_reentrant=False) if keep else block(x)).float()
            correction = torch.complex(channels[:, 0].contiguous(), channels[:, 1].contiguous())
            movie = movies[-1] + correction * phase
            if self.iterations:
                movie = self._consistent(movie.flatten(0, 1), measured, where, coil_maps).reshape(shape)
            movies.append(movie)
        return movies

    def start(self, samples: Tensor, mask: Tensor, coil_maps: Tensor | None = None) -> Tensor:
        """(B, T, y, x): the zero-filled movie, coils combined; with ``sharing`` the shared samples in its place."""
        known = shared(samples, mask) if self.sharing else samples
        return combine(ifft2c(known.flatten(0, 1)), coil_maps).reshape(mask.shape)

    def _consistent(self, images: Tensor, samples: Tensor, mask: Tensor, coil_maps: Tensor | None) -> Tensor:
        return consistent(images, samples, mask, coil_maps, self.noise_weight, self.coil_iterations)


def _layer(inputs: int, outputs: int, batch_norm: bool) -> list[nn.Module]:
    normalised = [nn.BatchNorm3d(outputs)] if batch_norm else []
    return [Convolution(inputs, outputs), *normalised, nn.ReLU(inplace=True)]


def _dropout(share: float) -> list[nn.Module]:
    return [nn.Dropout3d(share)] if share else []


def _initialise(module: nn.Module) -> None:
    """He's rule; the correction starts small, so that training starts at the zero-filled movie."""
    if isinstance(module, nn.Conv3d | nn.ConvTranspose3d):
        nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
        assert module.bias is not None
        nn.init.zeros_(module.bias)
    if isinstance(module, Simple | Complex):
        with torch.no_grad():
            module.head.weight.mul_(0.03)
