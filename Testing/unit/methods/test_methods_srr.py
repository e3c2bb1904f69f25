"""SRR itself: its minimum, its penalties, patients who move between slices."""

import numpy as np
import pytest
import torch
from stack_cases import rigid, scene, stacks, volume

import DynamicMRIReconLib as dmr
from DynamicMRIReconLib.data import ImageSeries
from DynamicMRIReconLib.methods.base import Context
from DynamicMRIReconLib.methods.common.stack_parameters import StackParameters
from DynamicMRIReconLib.methods.common.stack_preparation import prepare
from DynamicMRIReconLib.methods.common.stack_terms import terms_of
from DynamicMRIReconLib.methods.common.tikhonov import least_gradient
from DynamicMRIReconLib.operators.finite_difference import FiniteDifferenceOperator


def small():
    data = stacks(shape=(8, 8, 8), spacing_mm=6.0, factor=2)
    return prepare(data, StackParameters(registration="none", field_of_view="union"), Context())


def test_least_gradient_reaches_the_minimum():
    prepared = small()
    terms = terms_of(prepared.stacks, prepared.grid)
    x = least_gradient(terms, 0.05, iterations=200).requires_grad_(True)
    difference = FiniteDifferenceOperator((1, *prepared.grid.shape), (1, 2, 3))
    cost = 0.05 * difference.forward(x[None]).square().sum() / 2
    for term in terms:
        cost = cost + (term.weights * (term.operator(x) - term.samples).square()).sum() / 2
    (gradient,) = torch.autograd.grad(cost, x)
    assert float(gradient.norm()) < 1e-4 * float(x.detach().norm())


def test_callback_stops_it():
    prepared = small()
    done = []
    least_gradient(
        terms_of(prepared.stacks, prepared.grid), 0.05, callback=lambda s: done.append(s.iteration) or s.iteration < 3
    )
    assert done == [1, 2, 3]


@pytest.mark.parametrize(("penalty", "weight"), [("tv", 3e-4), ("huber", 0.05)])
def test_penalties_with_edges_keep_a_box_sharper(penalty, weight):
    truth = volume()
    box = np.zeros_like(truth.array)
    box[:, 9:22, 10:23, 8:20] = 100
    sharp = ImageSeries(box, truth.affine, truth.times_s)
    from DynamicMRIReconLib.acquisition.thick_slices import thick_slices

    data = [thick_slices(sharp, axis, 4) for axis in (0, 1, 2)]
    same = {
        "registration": "none", "slice_profile": "boxcar", "in_plane_blur": 0.0, "iterations": 8, "device": "cpu",
        "grid": {"shape": [32, 32, 32], "affine": truth.affine.tolist()},
    }  # fmt: skip
    smooth = dmr.reconstruct(data, "srr", regularization=0.005, **same)
    edged = dmr.reconstruct(data, "srr", penalty=penalty, regularization=weight, **same)
    errors = [dmr.evaluate(one, sharp, scaled=False)["psnr_db"]["mean"] for one in (smooth, edged)]
    assert errors[1] > errors[0] + 1


def test_slices_that_moved_are_put_back_and_a_spoilt_one_is_left_out():
    data = stacks(factor=2, shape=(24, 24, 24), spacing_mm=2.5)
    stack = data[2]
    k, j, i = np.meshgrid(*(np.arange(n) for n in stack.array.shape[1:]), indexing="ij")
    points = stack.geometry.to_ras(np.stack([i, j, k], -1))
    moved = stack.array[0].copy()
    for number in (4, 7):
        inverse = np.linalg.inv(rigid((4, 0, 0), (0, 3, -2)))
        moved[number] = 100 * scene(points[number] @ inverse[:3, :3].T + inverse[:3, 3])
    moved[6] = np.random.default_rng(0).uniform(0, 100, moved[6].shape)
    data[2] = ImageSeries(moved[None], stack.affine, stack.times_s)
    truth = volume((24, 24, 24), 2.5)
    same = {
        "registration": "none", "device": "cpu", "intensity_matching": "none", "slice_profile": "boxcar",
        "in_plane_blur": 0.0, "grid": {"shape": [24, 24, 24], "affine": truth.affine.tolist()},
    }  # fmt: skip
    still = dmr.reconstruct(data, "srr", **same)
    corrected = dmr.reconstruct(data, "srr", slice_cycles=2, **same)
    assert corrected.metadata["rejected_slices"] >= 1
    gain = [dmr.evaluate(one, truth, scaled=False)["psnr_db"]["mean"] for one in (still, corrected)]
    assert gain[1] > gain[0] + 2
