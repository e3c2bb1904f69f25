"""Differences between the VGG16 features of two images, with weights from a file the user names.

K. Simonyan, A. Zisserman, arXiv:1409.1556. The weights are not part of this project: their licence and that of the
images behind them are for the user to judge.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from DynamicMRIReconLib.errors import InputError

#: the first five of VGG16's 13 convolutions by their usual number among its layers, with their input and output
#: channels; a ReLU follows each, and a halving maximum stands before the second and the third width
CONVOLUTIONS = ((0, 3, 64), (2, 64, 64), (5, 64, 128), (7, 128, 128), (10, 128, 256))
#: whose ReLU is compared: relu1_2, relu2_1, relu2_2, relu3_1
COMPARED = (2, 5, 7, 10)
#: of the photographs the weights were trained on
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class PerceptualLoss(nn.Module):
    """Sum over ``layers`` (four unless said otherwise) of the mean squared difference of features.

    Parameters
    ----------
    weights
        safetensors file with ``features.N.weight`` and ``features.N.bias`` (or without ``features.``), N = 0, 2, 5, 7,
        10; more entries are ignored.
    normalise
        Shift and scale images as the photographs were; off compares magnitudes in [0, 1] as they are.
    layers
        Numbers of the convolutions whose ReLU is compared: 7 is relu2_2.

    Raises
    ------
    InputError
        If the file is missing, damaged, or lacks these entries.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, weights: Path, *, normalise: bool = False, layers: tuple[int, ...] = COMPARED) -> None:
        super().__init__()
        self.normalise, self.compared = normalise, layers
        self.layers = nn.ModuleDict(
            {str(number): nn.Conv2d(inputs, outputs, 3, padding=1) for number, inputs, outputs in CONVOLUTIONS}
        )
        self.layers.load_state_dict(_read(weights))
        self.requires_grad_(False)
        self.register_buffer("mean", torch.tensor(MEAN)[:, None, None])
        self.register_buffer("deviation", torch.tensor(DEVIATION)[:, None, None])

    def features(self, image: Tensor) -> list[Tensor]:
        """(B, 1, y, x) in [0, 1] -> features of the compared layers."""
        x = image.expand(-1, 3, -1, -1)
        if self.normalise:
            x = (x - self.mean) / self.deviation
        found = []
        widened = {after[0] for before, after in pairwise(CONVOLUTIONS) if before[0] and after[2] > before[2]}
        for number, _, _ in CONVOLUTIONS:
            if number in widened:
                x = functional.max_pool2d(x, 2)
            x = functional.relu(self.layers[str(number)](x))
            if number in self.compared:
                found.append(x)
            if number == max(self.compared):
                break
        return found

    def forward(self, image: Tensor, target: Tensor) -> Tensor:
        """(B, 1, y, x) twice -> scalar."""
        with torch.no_grad():
            wanted = self.features(target)
        pairs = zip(self.features(image), wanted, strict=True)
        return torch.stack([functional.mse_loss(found, known) for found, known in pairs]).sum()


@lru_cache(maxsize=2)
def perceptual_loss(
    weights: str, device: str, *, normalise: bool = False, layers: tuple[int, ...] = COMPARED
) -> PerceptualLoss:
    """The loss with the weights of the file ``weights``, read once; see ``PerceptualLoss``."""
    return PerceptualLoss(Path(weights), normalise=normalise, layers=layers).to(device)


def _read(path: Path) -> dict[str, Tensor]:
    from safetensors import SafetensorError, safe_open

    if not path.is_file():
        raise InputError(f"The file of VGG16 weights, {path}, does not exist: see docs/training.md.")
    state: dict[str, Tensor] = {}
    try:
        with safe_open(path, framework="pt") as file:
            there = set(file.keys())
            prefix = "features." if "features.0.weight" in there else ""
            for number, inputs, outputs in CONVOLUTIONS:
                shapes = {"weight": (outputs, inputs, 3, 3), "bias": (outputs,)}
                for name, shape in shapes.items():
                    key = f"{prefix}{number}.{name}"
                    if key not in there:
                        raise InputError(f"The file of VGG16 weights, {path}, has no entry {key}.")
                    tensor = file.get_tensor(key)
                    if tuple(tensor.shape) != shape:
                        raise InputError(f"The file of VGG16 weights, {path}: {key} is not {shape}.")
                    state[f"{number}.{name}"] = tensor.float()
    except (SafetensorError, OSError) as error:
        raise InputError(f"The file of VGG16 weights, {path}, is damaged or no safetensors file.") from error
    return state
