"""Measurements that the phantoms know about themselves, against their pictures."""

import numpy as np
import pytest

from DynamicMRIReconLib.errors import InputError
from DynamicMRIReconLib.phantoms.articulation import ARTICULATORS, Utterance
from DynamicMRIReconLib.phantoms.cardiac_cycle import CardiacCycle
from DynamicMRIReconLib.phantoms.heart import HeartScene
from DynamicMRIReconLib.phantoms.marker import MarkerScene
from DynamicMRIReconLib.phantoms.shapes import smooth_closed
from DynamicMRIReconLib.phantoms.vocal_tract import VocalTractScene

OBLIQUE = np.array([[0.8, -0.36, 0.48, -30], [0.6, 0.48, -0.64, 12], [0, 0.8, 0.6, 55], [0, 0, 0, 1]])


def sampled(scene, time_s, shape, ras_mm):
    """Magnitude at RAS points by linear interpolation in the slice."""
    from scipy.ndimage import map_coordinates

    image = np.abs(scene.render([time_s], shape)[0])
    ijk = scene.geometry(shape).to_ijk(ras_mm)
    return map_coordinates(image[shape[0] // 2], [ijk[..., 1], ijk[..., 0]], order=1)


def test_the_cardiac_cycle_is_cyclic_and_smooth():
    cycle = CardiacCycle(0.9)
    times = np.linspace(0, 0.9, 2001)
    contraction = cycle.contraction(times)
    np.testing.assert_allclose(contraction, cycle.contraction(times + 9 * 0.9), atol=1e-9)
    assert contraction.min() == pytest.approx(0, abs=1e-9)
    assert contraction.max() == pytest.approx(1, abs=1e-9)
    speed = np.gradient(contraction, times)
    assert np.abs(np.diff(speed)).max() < 0.02 * np.abs(speed).max()
    plateau = cycle.contraction(np.array([0.63, 0.75]) * 0.9)  # diastasis: the ventricle waits, not yet full
    assert plateau[0] == pytest.approx(plateau[1], abs=1e-9)
    assert 0.1 < plateau[0] < 0.3


def test_the_heart_repeats_without_breathing_and_drifts_with_it():
    still = HeartScene(1, respiration_mm=0)
    times = np.array([0.1, 0.1 + 3 * still.duration_s])
    first, later = still.render(times, (1, 96, 96))
    np.testing.assert_allclose(first, later, atol=2e-4)
    first, later = HeartScene(1, respiration_mm=5).render(times, (1, 96, 96))
    assert np.abs(first - later).max() > 0.1


@pytest.mark.parametrize("seed", [0, 1, 7])
def test_the_left_ventricle_ejects_its_fraction(seed):
    scene = HeartScene(seed)
    radius = scene.lv_radius_mm(np.linspace(0, scene.duration_s, 60))
    change = 1 - (radius.min() / radius.max()) ** 2
    assert change == pytest.approx(scene.ejection_fraction, abs=0.02)
    assert 0.5 < change < 0.7


@pytest.mark.parametrize("phase", [0.0, 0.2, 0.37])
def test_the_walls_on_the_profile_line_are_where_the_picture_has_them(phase):
    scene = HeartScene(0, respiration_mm=0)
    time = phase * scene.duration_s
    start, end = scene.profile_line_ras_mm
    length = np.linalg.norm(end - start)
    positions = np.arange(0, length, 0.1)
    signal = sampled(scene, time, (1, 640, 640), start + positions[:, None] * (end - start) / length)
    outer_septum, inner_septum, inner_lateral, outer_lateral = scene.lv_walls_mm([time])[0]
    assert 0 < outer_septum < inner_septum < inner_lateral < outer_lateral < length
    for edge, brighter in ((outer_septum, -1), (inner_septum, 1), (inner_lateral, -1)):
        near = np.flatnonzero(np.abs(positions - edge) < 2.5)
        slope = brighter * np.diff(signal[near])
        assert positions[near[int(np.argmax(slope))]] + 0.05 == pytest.approx(edge, abs=0.5)
    assert inner_septum - outer_septum > 5


def test_right_ventricle_and_liver_are_on_the_right_of_the_patient():
    scene = HeartScene(0)
    start, end = scene.profile_line_ras_mm  # from the right ventricle to the lateral wall
    assert start[0] > end[0]  # R is positive in RAS: it starts further to the right
    across = np.linspace(-12, 12, 20)
    liver, lung = (scene.plane.to_ras(np.stack([x + across, 60 + 0 * across], axis=1)) for x in (-95.0, 85.0))
    assert liver[:, 0].min() > lung[:, 0].max()
    bright, dark = (sampled(scene, 0.0, (1, 128, 128), place).mean() for place in (liver, lung))
    assert bright > 2 * dark


def test_the_heart_tapers_to_the_apex():
    scene = HeartScene(0)
    sizes = [np.ptp(scene.lv_contours_mm(0.0, z)[1], axis=0).max() for z in (32.0, 0.0, -32.0, -56.0)]
    assert sizes[1] > sizes[2] > sizes[3]
    towards_apex = scene.geometry((9, 64, 64)).to_ras([[32, 32, 0], [32, 32, 8]])
    assert towards_apex[0, 0] < towards_apex[1, 0]  # the apex points to the left
    assert towards_apex[0, 2] < towards_apex[1, 2]  # and to the feet
    volume = np.abs(scene.render([0.0], (9, 64, 64))[0])
    assert np.abs(volume[0] - volume[4]).max() > 0.3


@pytest.mark.parametrize("seed", [0, 3, 4])
def test_the_tip_of_the_tongue_is_an_edge_in_the_picture(seed):
    scene = VocalTractScene(seed)
    times = np.arange(0, 5, 0.02)
    now = scene.articulators(times)
    free = now["jaw"] - np.abs(now["tip"] - 0.35)  # away from palate and teeth
    time = times[int(np.argmax(free))]
    tip = scene.tongue_tip_ras_mm([time])[0]
    forward = np.array([0.0, 0.92, 0.38])
    positions = np.arange(-6, 4, 0.1)
    signal = sampled(scene, time, (1, 512, 512), tip + positions[:, None] * forward)
    assert signal[positions < -2].min() > 0.35
    assert signal[np.abs(positions - 2) < 0.5].max() < 0.1
    assert abs(positions[int(np.argmin(np.diff(signal)))]) < 0.6


@pytest.mark.parametrize("seed", range(6))
def test_speech_is_fast_but_human_and_does_not_repeat(seed):
    scene = VocalTractScene(seed)
    times = np.arange(0, 5, 0.004)
    tip = scene.tongue_tip_ras_mm(times)
    speed = np.linalg.norm(np.diff(tip, axis=0), axis=1) / 0.004
    assert 120 < np.percentile(speed, 99) < 400
    assert np.abs(np.diff(speed)).max() < 70  # smooth: no jump of velocity between samples
    later = scene.tongue_tip_ras_mm(times + 40.0)
    assert np.linalg.norm(tip - later, axis=1).mean() > 3


def test_the_tongue_never_crosses_itself():
    for seed in range(12):
        scene = VocalTractScene(seed)
        positions = scene.articulators(np.arange(0, 4, 0.05))
        for row in zip(*positions.values(), strict=True):
            contour = smooth_closed(scene._tongue(dict(zip(positions, row, strict=True))), 4)
            assert not crosses_itself(contour), (seed, row)


def crosses_itself(contour):
    a, b = contour, np.roll(contour, -1, axis=0)

    def side(p, q, r):
        return np.sign(
            (q[..., 0] - p[..., 0]) * (r[..., 1] - p[..., 1]) - (q[..., 1] - p[..., 1]) * (r[..., 0] - p[..., 0])
        )

    p, q, r, s = a[:, None], b[:, None], a[None], b[None]
    return bool(((side(p, q, r) * side(p, q, s) < 0) & (side(r, s, p) * side(r, s, q) < 0)).any())


def test_a_figure_of_eight_crosses_itself():
    assert crosses_itself(np.array([[0, 0], [2, 2], [2, 0], [0, 2.0]]))
    assert not crosses_itself(np.array([[0, 0], [2, 0], [2, 2], [0, 2.0]]))


def test_articulators_stay_near_their_ranges_and_any_time_is_defined():
    speech = Utterance(5, 0.12)
    positions = speech.positions(np.concatenate([np.linspace(-3, 3, 400), [1e4, 5e5]]))
    assert positions.shape == (402, len(ARTICULATORS))
    assert np.isfinite(positions).all()
    assert positions.min() > -0.8
    assert positions.max() < 1.5


@pytest.mark.parametrize("orientation", ["axial", "sagittal", "coronal", "oblique", OBLIQUE])
@pytest.mark.parametrize("shape", [(1, 96, 96), (7, 120, 88)])
def test_the_sphere_of_the_marker_is_where_it_says(orientation, shape):
    scene = MarkerScene(orientation)
    geometry = scene.geometry(shape)
    image = np.abs(scene.render([0.5], shape)[0])
    k, j, i = np.indices(shape)
    ras = geometry.to_ras(np.stack([i, j, k], axis=-1))
    near = np.linalg.norm(ras - scene.marker_ras_mm, axis=-1) < 1.6 * scene.marker_radius_mm
    weights = image * near
    centroid = (weights[..., None] * np.stack([i, j, k], axis=-1)).sum(axis=(0, 1, 2)) / weights.sum()
    error = np.abs(centroid - geometry.to_ijk(scene.marker_ras_mm))
    assert error[:2].max() < 0.1
    if shape[0] > 1:
        assert error[2] < 0.1
    if not isinstance(orientation, str):
        np.testing.assert_allclose(geometry.affine[:3, :3] / geometry.spacing_mm, OBLIQUE[:3, :3], atol=1e-9)


def test_the_marker_tells_the_time():
    scene = MarkerScene(duration_s=2.0)
    times = np.linspace(0, 2, 5)
    shape = (1, 128, 128)
    i, j, k = np.rint(scene.geometry(shape).to_ijk(scene.marker_ras_mm)).astype(int)
    signal = np.abs(scene.render(times, shape))[:, k, j, i]
    np.testing.assert_allclose(signal, scene.marker_intensity(times), atol=1e-3)
    np.testing.assert_allclose((signal - 0.4) / 0.6 * 2.0, times, atol=5e-3)


def test_the_marker_has_no_symmetry():
    image = np.abs(MarkerScene().render([0.3], (1, 97, 97))[0, 0])
    for other in (image[::-1], image[:, ::-1], image[::-1, ::-1], image.T, image.T[::-1], image.T[:, ::-1]):
        assert np.linalg.norm(image - other) > 0.5 * np.linalg.norm(image)


def test_a_wrong_marker_is_refused():
    with pytest.raises(InputError, match="axial, sagittal"):
        MarkerScene("diagonal")
    with pytest.raises(InputError, match="left-handed"):
        MarkerScene(np.diag([-1.0, 1, 1, 1]))
    with pytest.raises(InputError, match="positive"):
        MarkerScene(fov_mm=0)
