"""MICCAN: a cascade of U-Nets with channel attention, each followed by data consistency; 2,621,910 parameters.

Q. Huang, D. Yang, P. Wu, H. Qu, J. Yi, D. Metaxas, ISBI 2019, 1622-1626, doi:10.1109/ISBI.2019.8759423. As there but
for two things: attention pools over the whole image, which makes every image size possible, and data may come from
several coils.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from DynamicMRIReconLib.networks.consistency import combine
from DynamicMRIReconLib.operators.fourier import fft2c, ifft2c

#: the U-Net halves the image twice
MULTIPLE = 4


class ChannelAttention(nn.Module):
    """Multiplies each channel by a weight in (0, 1) computed from the mean of every channel."""

    def __init__(self, channels: int, reduction: int = 8) -> None:
        super().__init__()
        self.weights = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            nn.Conv2d(channels, channels // reduction, 1),
            nn.ReLU(),
            nn.Conv2d(channels // reduction, channels, 1),
            nn.Sigmoid(),
        )

    def forward(self, x: Tensor) -> Tensor:
        """(B, channels, y, x) -> the same shape."""
        weighted: Tensor = x * self.weights(x)
        return weighted


class UpBlock(nn.Module):
    """Doubles the image by bilinear interpolation, joins the skip connection, and convolves."""

    def __init__(self, channels: int, skip: int) -> None:
        super().__init__()
        self.reduce = nn.Conv2d(channels, skip, 3, padding=1)
        self.convolve = _two_convolutions(2 * skip, skip)

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        """(B, channels, y / 2, x / 2) and (B, skip, y, x) -> (B, skip, y, x)."""
        x = functional.interpolate(x, scale_factor=2, mode="bilinear", align_corners=True)
        joined: Tensor = self.convolve(torch.cat([skip, self.reduce(x)], dim=1))
        return joined


class AttentionUNet(nn.Module):
    """(B, 2, y, x) real and imaginary part -> the same shape, for any y and x (padded to a multiple of 4 inside).

    Parameters
    ----------
    features
        Channels at full resolution; twice and four times as many further down.
    attention
        Off gives the plain U-Net of the ablation.
    """

    def __init__(self, *, features: int = 32, attention: bool = True) -> None:
        super().__init__()
        widths = (features, 2 * features, 4 * features)
        self.top = _two_convolutions(2, widths[0])
        self.down = nn.ModuleList(
            nn.Sequential(nn.MaxPool2d(2), _two_convolutions(widths[i], widths[i + 1])) for i in (0, 1)
        )
        self.up = nn.ModuleList(UpBlock(widths[i + 1], widths[i]) for i in (1, 0))
        self.attention = nn.ModuleList(ChannelAttention(n) if attention else nn.Identity() for n in widths[::-1])
        self.head = nn.Conv2d(widths[0], 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        """The correction, of the input's size."""
        height, width = x.shape[-2:]
        # zeros, as the convolutions pad: the margin of an image is air
        x = functional.pad(x, (0, -width % MULTIPLE, 0, -height % MULTIPLE))
        full = self.top(x)
        half = self.down[0](full)
        x = self.attention[0](self.down[1](half))
        x = self.attention[1](self.up[0](x, half))
        x = self.attention[2](self.up[1](x, full))
        correction: Tensor = self.head(x)[..., :height, :width]
        return correction


class Miccan(nn.Module):
    """Undersampled k-space -> complex images: zero-filled, then the output of each block; the last is the result.

    Block k: ``x <- DC(x + unet_k(x))``, the last one ``DC(x_zero_filled + unet_K(x))`` (long skip). DC puts back
    what was measured, ``x + C^H F^H M (y - F C x)``; with one coil this is ``(1 - M) F x + y`` in k-space, exactly.

    k-space is centred and orthonormal as everywhere in the project (``operators/fourier.py``): k = 0 at index N // 2 in
    samples and mask. No state is kept between calls. The network is trained on images of about 1.

    Parameters
    ----------
    blocks
        Length K of the cascade; weights are not shared.
    features
        Channels of each U-Net at full resolution.
    attention, long_skip
        Off for the ablations: plain U-Net, residual connection from the block's own input to the end.
    """

    def __init__(self, *, blocks: int = 5, features: int = 32, attention: bool = True, long_skip: bool = True) -> None:
        super().__init__()
        self.long_skip = long_skip
        self.blocks = nn.ModuleList(AttentionUNet(features=features, attention=attention) for _ in range(blocks))
        self.apply(_initialise)

    def forward(self, samples: Tensor, mask: Tensor, coil_maps: Tensor | None = None) -> list[Tensor]:
        """Reconstruct a batch of frames.

        Parameters
        ----------
        samples
            (B, C, ky, kx) complex, zero where nothing was measured.
        mask
            (B, ky, kx) bool, shared by the coils.
        coil_maps
            (C, y, x) or (B, C, y, x) complex; None for a single coil of sensitivity 1.

        Returns
        -------
        list of (B, y, x) complex
            Zero-filled (coil-combined) images, then one for each block.

        Raises
        ------
        ValueError
            If there are several coils but no maps.
        """
        if coil_maps is None and samples.shape[1] != 1:
            raise ValueError(f"MICCAN needs coil maps for {samples.shape[1]} coils.")
        zero_filled = combine(ifft2c(samples), coil_maps)
        images = [zero_filled]
        for number, block in enumerate(self.blocks, 1):
            x = images[-1]
            # complex numbers exist in single precision only, whatever precision the convolutions are computed in
            channels = block(torch.stack([x.real, x.imag], dim=1)).float()
            correction = torch.complex(channels[:, 0], channels[:, 1])
            start = zero_filled if self.long_skip and number == len(self.blocks) else x
            images.append(data_consistency(start + correction, samples, mask, coil_maps))
        return images


def data_consistency(x: Tensor, samples: Tensor, mask: Tensor, coil_maps: Tensor | None = None) -> Tensor:
    """(B, y, x) with what was measured put in the place of what ``x`` says about it; see ``Miccan``."""
    coil_images = x[:, None] if coil_maps is None else coil_maps * x[:, None]
    missing = torch.where(mask[:, None], samples - fft2c(coil_images), 0)
    return x + combine(ifft2c(missing), coil_maps)


def _two_convolutions(inputs: int, outputs: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for channels in (inputs, outputs):
        layers += [nn.Conv2d(channels, outputs, 3, padding=1), nn.BatchNorm2d(outputs), nn.ReLU()]
    return nn.Sequential(*layers)


def _initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d):
        nn.init.normal_(module.weight, 0.0, 0.02)
        assert module.bias is not None
        nn.init.zeros_(module.bias)
