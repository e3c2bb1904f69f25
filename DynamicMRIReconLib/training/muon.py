"""Muon: updates of a layer's weights with all their singular values made nearly alike.

K. Jordan et al., "Muon: an optimizer for hidden layers in neural networks" (2024), kellerjordan.github.io/posts/muon;
size of the updates as J. Liu et al., "Muon is scalable for LLM training", arXiv:2502.16982, so that learning rates of
Adam fit. PyTorch's own (``torch.optim.Muon``) takes matrices only; convolutions are matrices too, of outputs by
everything that one output sees.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn

#: first and last layers, of so few channels on one side, and biases go by Adam: they are no mixing of features
FEW = 4
#: root mean square of an update in the usual Adam training
USUAL = 0.2
#: of the polynomial that drives singular values between 0 and 1 to about 1 in five rounds
COEFFICIENTS, ROUNDS = (3.4445, -4.7750, 2.0315), 5


class Muon(torch.optim.Optimizer):
    """Muon for the weights of layers with more than ``FEW`` inputs and outputs, Adam for all others.

    Parameters
    ----------
    lr
        For both.
    momentum
        Of Muon (Nesterov's); ``betas`` are those of Adam.
    weight_decay
        Each update first takes ``lr * weight_decay`` of every parameter off.
    """

    def __init__(
        self,
        parameters: Iterable[nn.Parameter],
        *,
        lr: float,
        momentum: float = 0.95,
        betas: tuple[float, float] = (0.9, 0.999),
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(parameters, {"lr": lr, "momentum": momentum, "betas": betas, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """One update from the gradients."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for weights in group["params"]:
                if weights.grad is not None:
                    weights.mul_(1 - group["lr"] * group["weight_decay"])
                    mixes = weights.ndim > 1 and min(weights.shape[:2]) > FEW
                    update = _orthogonal if mixes else _adam
                    weights.sub_(group["lr"] * update(weights.grad, self.state[weights], group))
        return loss


def orthogonalised(matrix: Tensor) -> Tensor:
    """(rows, columns) with the same singular vectors; singular values that were above some thousandths of the norm
    become 0.65 to 1.25, smaller ones less, zeros stay zeros."""
    a, b, c = COEFFICIENTS
    tall = matrix.shape[0] > matrix.shape[1]
    x = matrix.T if tall else matrix
    x = x / x.norm().clamp_min(torch.finfo(x.dtype).tiny)
    for _ in range(ROUNDS):
        gram = x @ x.T
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x.T if tall else x


def _orthogonal(gradient: Tensor, state: dict[str, Any], group: dict[str, Any]) -> Tensor:
    if not state:
        state["momentum"] = torch.zeros_like(gradient)
    momentum: Tensor = state["momentum"].lerp_(gradient, 1 - group["momentum"])
    ahead = gradient.lerp(momentum, group["momentum"]).flatten(1)
    return (USUAL * max(ahead.shape) ** 0.5 * orthogonalised(ahead)).reshape(gradient.shape)


def _adam(gradient: Tensor, state: dict[str, Any], group: dict[str, Any]) -> Tensor:
    if not state:
        state["step"] = torch.zeros((), dtype=torch.float32)
        state["mean"], state["square"] = torch.zeros_like(gradient), torch.zeros_like(gradient)
    first, second = group["betas"]
    state["step"] += 1
    count = float(state["step"])
    mean: Tensor = state["mean"].lerp_(gradient, 1 - first) / (1 - first**count)
    square: Tensor = state["square"].lerp_(gradient.square(), 1 - second) / (1 - second**count)
    return mean / (square.sqrt() + 1e-8)
