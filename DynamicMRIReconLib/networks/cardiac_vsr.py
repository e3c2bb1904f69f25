"""Cardiac video super-resolution: 2,743,281, 2,927,921 and 2,890,993 parameters for x2, x3 and x4.

J. Y. Lin, Y. C. Chang, W. H. Hsu. Efficient and phase-aware video super-resolution for cardiac MRI, MICCAI 2020,
LNCS 12264, 66-76, doi:10.1007/978-3-030-59719-1_7.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from DynamicMRIReconLib.networks.conv_lstm import ConvLSTM, State
from DynamicMRIReconLib.networks.single_image import residual_body
from DynamicMRIReconLib.networks.upsampler import Upsampler, bicubic, in_scale, silent, standardised

#: first slope of the activation after the features' convolution
SLOPE = 0.2


@dataclass(frozen=True)
class Stage:
    """What one stage gives for the target frames, each (B, targets, 1, scale y, scale x); None without that part."""

    fused: Tensor
    forward: Tensor | None = None
    backward: Tensor | None = None


class Fusion(nn.Module):
    """Hidden states of 2N + 1 frames in both directions, each with its phase, to one residual of the features.

    The published network registers an activation here and never applies it; ``activated`` applies it.
    """

    def __init__(self, features: int, directions: int, window: int, activated: bool) -> None:
        super().__init__()
        inputs = directions * features + 1
        self.enter = nn.Conv2d((2 * window + 1) * inputs, inputs, 3, padding=1)
        self.slope = nn.PReLU(init=SLOPE).requires_grad_(activated)
        self.leave = nn.Conv2d(inputs, features, 3, padding=1)
        self._activated = activated

    def forward(self, window: Tensor) -> Tensor:
        """(B, (2N + 1) (directions features + 1), y, x) -> (B, features, y, x)."""
        x = self.enter(window)
        residual: Tensor = self.leave(self.slope(x) if self._activated else x)
        return residual


class CardiacVSR(nn.Module):
    """A cycle of coarse frames and the phase of each -> finer frames, of any size and number.

    Images are in [0, 1] and so, nearly, is the result; there is no state between calls.

    Parameters
    ----------
    scale
        2, 3 or 4.
    features, layers, stages
        Width of everything, ConvLSTM cells on top of each other, and how often the features are refined (Omega + 1).
    window
        N: frames on either side that the fusion sees.
    memory
        False forgets everything between frames (ablation).
    bidirectional, phase_fusion
        False leaves out the second direction, or phase and neighbours in the fusion (ablations).
    activated_fusion
        Apply the activation that the published fusion leaves out.
    blocks
        Extract features as the single-image network of so many residual blocks does, instead of by one convolution.
        The fusion then begins with a residual of zero: with that network's weights this one begins with its result.
    skip
        Add the bicubic interpolation of the frame to the result: a short training then learns the rest only.
    """

    def __init__(
        self,
        *,
        scale: int = 2,
        features: int = 64,
        layers: int = 3,
        stages: int = 3,
        window: int = 2,
        memory: bool = True,
        bidirectional: bool = True,
        phase_fusion: bool = True,
        activated_fusion: bool = False,
        blocks: int = 0,
        skip: bool = False,
    ) -> None:
        super().__init__()
        if min(features, layers, stages) < 1 or window < 0:
            raise ValueError("features, layers and stages must be 1 or more, window 0 or more")
        self.scale, self.features, self.stages, self.skip = scale, features, stages, skip
        self.window = window if phase_fusion else 0
        self._memory = memory
        enter = nn.Conv2d(1, features, 3, padding=1)
        self.extract = enter if blocks else nn.Sequential(enter, nn.PReLU(init=SLOPE))
        self.body = residual_body(features, blocks) if blocks else None
        self.onwards = ConvLSTM(features, layers)
        self.backwards = ConvLSTM(features, layers) if bidirectional else None
        directions = 2 if bidirectional else 1
        self.fusion = Fusion(features, directions, window, activated_fusion) if phase_fusion else None
        self.merge = nn.Conv2d(2 * features, features, 3, padding=1) if bidirectional and not phase_fusion else None
        self.upsample = Upsampler(scale, features)
        if blocks and self.fusion is not None:
            silent(self.fusion.leave)
        if skip:
            silent(self.upsample.head)

    def forward(self, frames: Tensor, phase: Tensor, context: int, *, auxiliary: bool = True) -> list[Stage]:
        """All stages, for training; without ``auxiliary`` the last one only, and of it only ``fused``.

        Parameters
        ----------
        frames
            (B, context + targets + context, 1, y, x).
        phase
            (B, frames) cosine code of each frame.
        context
            Frames at either end that warm the memory up: no gradient goes through them, and none comes back.
        """
        targets = range(context, frames.shape[1] - context)
        features = self._features(frames, targets)
        base = self._base(frames[:, context : frames.shape[1] - context].flatten(0, 1))
        found = []
        for number in range(self.stages):
            kept: list[list[Tensor]] = [[], [], []]
            for at, parts in self._stage(features, phase, targets):
                for place, part in zip(kept, parts if auxiliary else (parts[0], None, None), strict=True):
                    if at in targets and part is not None:
                        place.append(part)
            if not auxiliary and number < self.stages - 1:
                continue
            images = [
                self._image(torch.stack(part, 1).flatten(0, 1), base).unflatten(0, (len(frames), len(targets)))
                if part
                else None
                for part in kept
            ]
            assert images[0] is not None
            found.append(Stage(images[0], images[1], images[2]))
        return found

    @torch.no_grad()
    def super_resolve(
        self, frames: Tensor, phase: Tensor, context: int, step: Callable[[float], None] = lambda fraction: None
    ) -> Iterator[Tensor]:
        """The finer frames (1, scale y, scale x) of the last stage, one after the other.

        Kept are the features of all frames and the hidden states of the backward direction, of all frames at first and
        fewer the further it gets; of the forward direction 2N + 1 frames; of the result one frame.

        Parameters
        ----------
        frames, phase, context
            As in ``forward``, without the batch: (frames, 1, y, x), (frames,).
        step
            Called with the part that is done, several times a frame.
        """
        targets = range(context, len(frames) - context)
        features = self._features(frames[None], targets)
        passes, done = self.stages * len(frames) * (1 if self.backwards is None else 2), 0

        def tick() -> None:
            nonlocal done
            done += 1
            step(min(1.0, done / passes))

        for stage in range(self.stages):
            is_last = stage == self.stages - 1
            for at, (residual, _, _) in self._stage(features, phase[None], targets, tick):
                if is_last and at in targets:
                    yield self._image(residual, self._base(frames[at : at + 1]))[0]

    def _features(self, frames: Tensor, targets: range) -> list[Tensor]:
        """(B, features, y, x) of each frame."""
        found = []
        for number, frame in enumerate(frames.unbind(1)):
            with self._gradients(number, targets):
                features = self.extract(standardised(frame))
                found.append(features if self.body is None else features + self.body(features))
        return found

    def _base(self, frames: Tensor) -> Tensor | None:
        return bicubic(standardised(frames), self.scale) if self.skip else None

    def _image(self, features: Tensor, base: Tensor | None) -> Tensor:
        image: Tensor = self.upsample(features)
        return in_scale(image if base is None else image + base)

    def _gradients(self, frame: int, targets: range) -> torch.no_grad | nullcontext[None]:
        return nullcontext() if frame in targets else torch.no_grad()

    def _stage(
        self, features: list[Tensor], phase: Tensor, targets: range, tick: Callable[[], None] = lambda: None
    ) -> Iterator[tuple[int, tuple[Tensor, Tensor | None, Tensor | None]]]:
        """Refine ``features`` in place; each frame's number and its features by fusion, forward and backward alone."""
        count, reach = len(features), self.window
        behind: list[Tensor | None] = [None] * count
        if self.backwards is not None:
            state: State | None = None
            for at in reversed(range(count)):
                with self._gradients(at, targets):
                    behind[at], state = self.backwards(features[at], state if self._memory else None)
                tick()
        ahead: list[Tensor | None] = [None] * count
        state = None
        for newest in range(count + reach):
            if newest < count:
                with self._gradients(newest, targets):
                    ahead[newest], state = self.onwards(features[newest], state if self._memory else None)
                tick()
            at = newest - reach
            if at < 0:
                continue
            with self._gradients(at, targets):
                before, onward, backward = features[at], ahead[at], behind[at]
                assert onward is not None
                is_cut = not reach <= at < count - reach
                if is_cut and at not in targets:
                    residual = onward if at < reach or backward is None else backward
                else:
                    residual = self._fused(ahead, behind, phase, at)
                features[at] = before + residual
                parts = features[at], before + onward, None if backward is None else before + backward
            yield at, parts
            if at >= reach:
                ahead[at - reach] = behind[at - reach] = None

    def _fused(self, ahead: list[Tensor | None], behind: list[Tensor | None], phase: Tensor, at: int) -> Tensor:
        """The residual of frame ``at``; beyond the ends the last frame stands in."""
        if self.fusion is None:
            parts = [x for x in (ahead[at], behind[at]) if x is not None]
            return parts[0] if self.merge is None else self.merge(torch.cat(parts, dim=1))
        seen: list[Tensor] = []
        for number in range(at - self.window, at + self.window + 1):
            near = min(max(number, 0), len(ahead) - 1)
            hidden = [x for x in (ahead[near], behind[near]) if x is not None]
            plane = phase[:, near, None, None, None].to(hidden[0]).expand(-1, 1, *hidden[0].shape[-2:])
            seen += [*hidden, plane]
        residual: Tensor = self.fusion(torch.cat(seen, dim=1))
        return residual
