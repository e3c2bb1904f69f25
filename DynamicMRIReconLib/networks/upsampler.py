"""From features on a coarse grid to an image on a finer one, by pixel shuffle."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

SCALES = (2, 3, 4)
#: mean and standard deviation of the published training images, in parts of their largest value
MEAN, DEVIATION = 54.089 / 255, 48.084 / 255


class Upsampler(nn.Module):
    """(B, features, y, x) -> (B, 1, scale y, scale x): convolution and shuffle (twice for 4), then one convolution.

    W. Shi et al. Real-time single image and video super-resolution using an efficient sub-pixel convolutional neural
    network, CVPR 2016. No activation, no bounds.

    Raises
    ------
    ValueError
        If ``scale`` is none of ``SCALES``.
    """

    def __init__(self, scale: int, features: int) -> None:
        super().__init__()
        if scale not in SCALES:
            raise ValueError(f"the scale must be 2, 3 or 4, not {scale}")
        layers: list[nn.Module] = []
        for factor in (2, 2) if scale == 4 else (scale,):
            layers += [nn.Conv2d(features, factor**2 * features, 3, padding=1), nn.PixelShuffle(factor)]
        self.body = nn.Sequential(*layers)
        self.head = nn.Conv2d(features, 1, 3, padding=1)

    def forward(self, features: Tensor) -> Tensor:
        """The image."""
        image: Tensor = self.head(self.body(features))
        return image


def standardised(images: Tensor) -> Tensor:
    """Images in [0, 1] as networks see them."""
    return (images - MEAN) / DEVIATION


def in_scale(images: Tensor) -> Tensor:
    """The inverse of ``standardised``."""
    return images * DEVIATION + MEAN


def bicubic(images: Tensor, scale: int, *, aligned: bool = True) -> Tensor:
    """(B, channels, y, x) -> (B, channels, scale y, scale x) by cubic convolution, a = -0.75; the field of view stays.

    With ``aligned`` false the middles of the corner voxels coincide instead, as in the published baseline: everything
    between is then in the wrong place, by up to half a coarse voxel.
    """
    size = tuple(scale * side for side in images.shape[-2:])
    return functional.interpolate(images, size, mode="bicubic", align_corners=not aligned)


def silent(layer: nn.Conv2d) -> None:
    """Let it give zeros at first: what is learned is then the difference to what it is added to."""
    nn.init.zeros_(layer.weight)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)


def sampled(images: Tensor, size: tuple[int, int]) -> Tensor:
    """(B, channels, y, x) at the middles of ``size`` voxels over the same field of view, by cubic convolution."""
    return functional.interpolate(images, size, mode="bicubic", align_corners=False)
