"""What holds for every phantom: same scene on any grid, continuous, drawn from its seed, within its ranges."""

import pickle

import numpy as np
import pytest

from DynamicMRIReconLib import phantoms
from DynamicMRIReconLib.errors import InputError
from DynamicMRIReconLib.phantoms.marker import MarkerScene
from DynamicMRIReconLib.phantoms.scene import Scene

MOVING = ("heart", "vocal-tract")
SMALL = {"heart": (1, 96, 96), "vocal-tract": (1, 96, 96), "brain": (12, 56, 56)}


def magnitude(scene, time_s, shape):
    return np.abs(scene.render([time_s], shape)[0])


@pytest.mark.parametrize("name", phantoms.NAMES)
def test_a_scene_keeps_the_protocol(name):
    scene = phantoms.get(name)
    assert isinstance(scene, Scene)
    frames = scene.render([0.0, 0.4], SMALL[name])
    assert frames.shape == (2, *SMALL[name])
    assert frames.dtype == np.complex64
    assert scene.title
    assert scene.duration_s > 0


def test_the_marker_keeps_the_protocol_too():
    assert isinstance(MarkerScene(), Scene)


@pytest.mark.parametrize("name", phantoms.NAMES)
def test_one_seed_is_one_scene_and_another_is_another(name):
    shape = SMALL[name]
    first = phantoms.get(name, seed=3).render([0.3], shape)
    assert np.array_equal(first, phantoms.get(name, seed=3).render([0.3], shape))
    other = np.abs(phantoms.get(name, seed=4).render([0.3], shape))
    assert np.mean(np.abs(np.abs(first) - other)) > 0.03 * np.mean(np.abs(first))


@pytest.mark.parametrize("name", phantoms.NAMES)
def test_a_scene_can_be_sent_to_another_process(name):
    scene = phantoms.get(name, seed=6)
    before = scene.render([0.2], SMALL[name])
    stored = pickle.dumps(scene)
    assert len(stored) < 60_000  # its description, not its pictures
    np.testing.assert_array_equal(pickle.loads(stored).render([0.2], SMALL[name]), before)


@pytest.mark.parametrize("name", MOVING)
def test_a_frame_does_not_depend_on_the_others_asked_for(name):
    scene = phantoms.get(name, seed=2)
    together = scene.render([0.1, 0.5, 0.2], SMALL[name])
    np.testing.assert_array_equal(together[1:2], phantoms.get(name, seed=2).render([0.5], SMALL[name]))


@pytest.mark.parametrize("name", MOVING)
def test_motion_is_continuous_and_present(name):
    scene = phantoms.get(name, seed=1)
    start = 0.2
    times = start + np.array([0.0, 1e-4, 2e-4, 0.12])
    frames = np.abs(scene.render(times, (1, 128, 128)))
    tiny = np.abs(frames[1] - frames[0]).max()
    assert 0 < tiny < 0.03
    assert np.abs(frames[3] - frames[0]).max() > 0.2
    # no jump anywhere: halving the step about halves the change
    double = np.abs(frames[2] - frames[0]).max()
    assert double < 3 * tiny + 1e-4


@pytest.mark.parametrize("name", MOVING)
def test_a_finer_grid_averages_to_the_coarse_one(name):
    scene = phantoms.get(name, seed=0)
    coarse = magnitude(scene, 0.25, (1, 104, 104))[0]
    fine = magnitude(scene, 0.25, (1, 208, 208))[0]
    # fine pixel 2i has the centre of coarse pixel i; its neighbours are half inside
    rows = fine[0:-2:2] / 2 + (np.roll(fine, 1, 0)[0:-2:2] + fine[1:-1:2]) / 4
    both = rows[:, 0:-2:2] / 2 + (np.roll(rows, 1, 1)[:, 0:-2:2] + rows[:, 1:-1:2]) / 4
    error = (both - coarse[:-1, :-1])[1:, 1:]
    assert np.sqrt(np.mean(error**2)) < 0.02
    assert np.abs(error.mean()) < 0.002


def test_a_thick_slice_of_the_brain_is_the_mean_of_thin_ones():
    scene = phantoms.get("brain", seed=0)
    thick = scene.render([0.0], (20, 48, 48))[0]
    thin = scene.render([0.0], (100, 48, 48))[0]
    middle = np.abs(thin[48:53]).mean(axis=0)  # index 50 of 100 and 10 of 20 lie at the same place
    error = np.abs(thick[10]) - middle
    assert np.sqrt(np.mean(error**2)) < 0.03
    assert np.sqrt(np.mean((np.abs(thick[12]) - middle) ** 2)) > 0.06


@pytest.mark.parametrize("name", phantoms.NAMES)
def test_position_does_not_depend_on_the_shape(name):
    scene = phantoms.get(name, seed=5)
    shapes = [(9, 64, 64), (9, 65, 129), (18, 416, 300)]
    centres, sizes = [], []
    for shape in shapes:
        geometry = scene.geometry(shape)
        centres.append(geometry.to_ras((shape[2] // 2, shape[1] // 2, shape[0] // 2)))
        sizes.append(geometry.spacing_mm[:2] * [shape[2], shape[1]])
        assert np.linalg.det(geometry.affine) > 0
    np.testing.assert_allclose(centres, np.broadcast_to(centres[0], (3, 3)), atol=1e-9)
    np.testing.assert_allclose(sizes, np.broadcast_to(sizes[0], (3, 2)), atol=1e-9)


@pytest.mark.parametrize("name", MOVING)
def test_every_seed_gives_a_valid_image(name):
    shape = (1, 64, 64)
    for seed in range(201):
        frames = np.abs(phantoms.get(name, seed=seed).render([0.0, 0.35], shape))
        assert np.isfinite(frames).all(), seed
        assert frames.max() <= 1.2, seed
        assert frames.max() > 0.5, seed
        assert 0.12 < np.mean(frames > 0.1) < 0.75, seed
        if name == "heart":  # the whole body lies inside the field of view
            border = np.concatenate([frames[..., 0, :], frames[..., -1, :], frames[..., 0], frames[..., -1]], axis=-1)
            assert border.max() == 0, seed
        else:  # air in front of the face, tissue at the back
            assert frames[..., 0].max() == 0, seed


def test_every_brain_is_valid():
    for seed in range(0, 201, 10):
        frames = np.abs(phantoms.get("brain", seed=seed).render([0.0], (6, 40, 40)))
        assert np.isfinite(frames).all(), seed
        assert 0.5 < frames.max() <= 1.2, seed
        edge = (frames[..., 0, :], frames[..., -1, :], frames[..., 0], frames[..., -1])
        assert max(part.max() for part in edge) == 0, seed


def test_a_wrong_request_says_what_is_wrong():
    with pytest.raises(InputError, match="heart, vocal-tract, brain"):
        phantoms.get("liver")
    with pytest.raises(InputError, match="whole number"):
        phantoms.get("heart", seed=-1)
    with pytest.raises(InputError, match="whole number"):
        phantoms.get("brain", seed="one")
    with pytest.raises(InputError, match="respiration_mm"):
        phantoms.get("heart", respiration_mm=99)
    with pytest.raises(InputError, match=r"respiration_mm.*it has none"):
        phantoms.get("brain", respiration_mm=1)
    with pytest.raises(InputError, match="z, y, x"):
        phantoms.get("heart").render([0.0], (64, 64))
    with pytest.raises(InputError, match="finite seconds"):
        phantoms.get("heart").render([np.nan], (1, 64, 64))
