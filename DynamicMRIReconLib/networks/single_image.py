"""A plain residual network that sees one frame only: what video super-resolution has to beat."""

from __future__ import annotations

from torch import Tensor, nn

from DynamicMRIReconLib.networks.upsampler import Upsampler, bicubic, in_scale, silent, standardised


class ResidualBlock(nn.Module):
    """Two convolutions beside the identity, without normalisation."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(features, features, 3, padding=1), nn.ReLU(), nn.Conv2d(features, features, 3, padding=1)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Of the shape of ``x``."""
        return x + self.body(x)


def residual_body(features: int, blocks: int) -> nn.Sequential:
    """``blocks`` residual blocks and a convolution; what they give is added to what they are given."""
    return nn.Sequential(*(ResidualBlock(features) for _ in range(blocks)), nn.Conv2d(features, features, 3, padding=1))


class SingleImageSR(nn.Module):
    """(B, 1, y, x) in [0, 1] -> (B, 1, scale y, scale x).

    After B. Lim, S. Son, H. Kim, S. Nah, K. M. Lee. Enhanced deep residual networks for single image super-resolution,
    CVPR Workshops 2017, doi:10.1109/CVPRW.2017.151. ``skip`` adds the bicubic interpolation of the image.
    """

    def __init__(self, *, scale: int = 2, features: int = 64, blocks: int = 16, skip: bool = False) -> None:
        super().__init__()
        self.scale, self.skip = scale, skip
        self.extract = nn.Conv2d(1, features, 3, padding=1)
        self.body = residual_body(features, blocks)
        self.upsample = Upsampler(scale, features)
        if skip:
            silent(self.upsample.head)

    def forward(self, images: Tensor) -> Tensor:
        """The finer image."""
        x = standardised(images)
        features = self.extract(x)
        image: Tensor = self.upsample(features + self.body(features))
        return in_scale(image + bicubic(x, self.scale) if self.skip else image)
