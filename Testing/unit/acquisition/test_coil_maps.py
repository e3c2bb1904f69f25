from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from analytic_scene import DiscScene

from DynamicMRIReconLib.acquisition.birdcage import birdcage_maps
from DynamicMRIReconLib.acquisition.coil_maps import estimate_coil_maps
from DynamicMRIReconLib.acquisition.simulate import SimulationParameters, simulate
from DynamicMRIReconLib.data import ImageSeries, KSpace
from DynamicMRIReconLib.errors import InputError

SIZE, COILS = 72, 6


def acquired(**values: object) -> tuple[KSpace, ImageSeries]:
    settings = {"matrix": SIZE, "frames": 3, "coils": COILS, "noise": 0.01, "tr_s": 1e-5, **values}
    return simulate(DiscScene(), SimulationParameters(**settings))  # type: ignore[arg-type]


def map_error(maps: np.ndarray, truth: ImageSeries) -> float:
    """Relative error inside the object after the phase of each voxel is aligned."""
    true = birdcage_maps(COILS, maps.shape[1:])
    turn = (maps.conj() * true).sum(axis=0)
    aligned = maps * (turn / np.abs(turn))
    inside = np.abs(truth.array[0]) > 0.3
    return float(np.linalg.norm((aligned - true)[:, inside]) / np.linalg.norm(true[:, inside]))


CASES = {
    "radial": {"trajectory": "radial"},
    "spiral": {"trajectory": "spiral"},
    "cartesian": {"trajectory": "cartesian", "acceleration": 2, "central_lines": 24},
}


@pytest.mark.parametrize("method", ["espirit", "walsh", "auto"])
@pytest.mark.parametrize("case", CASES)
def test_maps_agree_with_the_true_ones(case: str, method: str) -> None:
    kspace, truth = acquired(**CASES[case])
    maps = estimate_coil_maps(kspace, method)  # type: ignore[arg-type]
    assert maps.shape == (COILS, 1, SIZE, SIZE)
    assert maps.dtype == np.complex64
    assert np.allclose((np.abs(maps) ** 2).sum(axis=0), 1, atol=1e-4)
    assert map_error(maps, truth) < (0.05 if method != "walsh" else 0.08)


def test_maps_are_smooth_inside_the_object() -> None:
    kspace, truth = acquired()
    maps = estimate_coil_maps(kspace)
    inside = np.abs(truth.array[0, 0]) > 0.5
    both = inside[:, 1:] & inside[:, :-1]
    steps = np.abs(np.diff(maps[:, 0], axis=-1)).max(axis=0)[both]
    assert steps.max() < 0.1


def test_too_small_a_centre_falls_back_to_walsh() -> None:
    kspace, truth = acquired(trajectory="cartesian", frames=1, acceleration=8, central_lines=8)
    with pytest.raises(InputError, match="12"):
        estimate_coil_maps(kspace, "espirit")
    auto = estimate_coil_maps(kspace)
    assert np.array_equal(auto, estimate_coil_maps(kspace, "walsh"))
    assert map_error(auto, truth) < 0.25


def test_failing_espirit_falls_back_to_walsh(monkeypatch: pytest.MonkeyPatch) -> None:
    kspace, _ = acquired()

    def fails(*_: object, **__: object) -> None:
        raise np.linalg.LinAlgError("SVD did not converge")

    monkeypatch.setattr("sigpy.mri.app.EspiritCalib", fails)
    assert np.array_equal(estimate_coil_maps(kspace), estimate_coil_maps(kspace, "walsh"))
    with pytest.raises(InputError, match="ESPIRiT"):
        estimate_coil_maps(kspace, "espirit")


def test_single_coil_and_silent_slices() -> None:
    kspace, _ = acquired(coils=1)
    assert (estimate_coil_maps(kspace) == 1).all()
    kspace, _ = acquired(trajectory="cartesian", acceleration=1, slices=2)
    samples = kspace.samples.copy()
    samples[:, :, 1] = 0
    maps = estimate_coil_maps(replace(kspace, samples=samples, mask=None))
    assert np.isfinite(maps).all()
    assert np.allclose((np.abs(maps[:, 1]) ** 2).sum(0), 1, atol=1e-4)


def test_slices_and_volumes() -> None:
    kspace, truth = acquired(slices=2)
    maps = estimate_coil_maps(kspace)
    one, _ = acquired()
    assert maps.shape == (COILS, 2, SIZE, SIZE)
    assert map_error(maps, truth) < 0.05
    # the same disc all along z, as a 3-D trajectory whose planes are slices' transforms: only kz = 0 has signal
    assert one.trajectory is not None
    planes = np.concatenate(
        [np.concatenate([one.trajectory, np.full_like(one.trajectory[..., :1], kz)], -1) for kz in (-2, -1, 0, 1)],
        axis=1,
    )
    silent = np.zeros_like(one.samples)
    samples = np.concatenate([silent, silent, 2 * one.samples, silent], axis=2)
    volume = replace(one, samples=samples, trajectory=planes, image_shape=(4, SIZE, SIZE))
    estimated = estimate_coil_maps(volume)
    repeated = replace(truth, array=np.repeat(truth.array[:, :1], 4, axis=1))
    assert map_error(estimated, repeated) < 0.05


def test_unknown_method_is_refused() -> None:
    kspace, _ = acquired()
    with pytest.raises(InputError, match="espirit"):
        estimate_coil_maps(kspace, "inati")  # type: ignore[arg-type]


def test_birdcage_maps_sample_one_field_on_every_grid() -> None:
    coarse, fine = birdcage_maps(5, (1, 24, 30)), birdcage_maps(5, (2, 48, 60))
    assert np.allclose(fine[:, :1, ::2, ::2], coarse, atol=1e-6)
    assert np.allclose((np.abs(fine) ** 2).sum(0), 1, atol=1e-5)
    # coil 0 stands at +x, and sees that side best
    assert abs(coarse[0, 0, 12, 29]) > 2 * abs(coarse[0, 0, 12, 0])
    assert (birdcage_maps(1, (1, 4, 4)) == 1).all()
    for values in ((0, (1, 4, 4)), (4, (4, 4))):
        with pytest.raises(InputError):
            birdcage_maps(*values)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="outside"):
        birdcage_maps(4, (1, 4, 4), radius=1.0)
