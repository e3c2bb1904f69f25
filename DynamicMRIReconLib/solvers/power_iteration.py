"""The largest eigenvalue of a gram, which bounds the steps that gradient and primal-dual methods may take."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor


def largest_eigenvalue(
    gram: Callable[[Tensor], Tensor], like: Tensor, iterations: int = 30, seed: int = 0, tolerance: float = 1e-4
) -> float:
    """Largest eigenvalue of G, Hermitian and positive semidefinite, from below.

    G. H. Golub, C. F. Van Loan, Matrix Computations, 4th ed. (2013), 7.3.1.

    Parameters
    ----------
    gram
        ``x -> G x``.
    like
        any tensor of the shape, type and device that ``gram`` takes; its values do not matter.
    iterations
        grams to spend at most (>= 1).
    seed
        of the random start: the same seed gives the same number.
    tolerance
        stop when an iteration raises the estimate by less than this part of it.

    Returns
    -------
    float
        at most the largest eigenvalue, usually some percent below it after 30 iterations where eigenvalues crowd;
        leave a margin when it sets a step. 0 for G = 0.

    Raises
    ------
    ValueError
        If ``iterations`` is below 1 or ``gram`` gives numbers that are not finite.
    """
    if iterations < 1:
        raise ValueError(f"A power iteration needs 1 or more iterations, not {iterations}.")
    # drawn on the CPU so that every device starts from the same numbers
    vector = torch.randn(like.shape, dtype=like.dtype, generator=torch.Generator().manual_seed(seed)).to(like.device)
    vector = vector / torch.linalg.vector_norm(vector)
    largest = 0.0
    for iteration in range(1, iterations + 1):
        image = gram(vector)
        previous, largest = largest, float(torch.linalg.vector_norm(image))
        if not math.isfinite(largest):
            raise ValueError(f"The power iteration met numbers that are not finite in iteration {iteration}.")
        if largest == 0 or largest - previous < tolerance * largest:
            break
        vector = image / largest
    return largest
