"""What ISMRMRD acquisitions mean: counters, flags, centres, averages, third encodings, slices, times."""

from __future__ import annotations

from pathlib import Path

import ismrmrd
import numpy as np
import pytest
from raw_data_files import COILS, fourier, header, line, lines_of, phantom, save

from DynamicMRIReconLib import io
from DynamicMRIReconLib.errors import InputError

FULL = (16, 16, 1)


def test_reversed_lines_are_turned_round(tmp_path: Path) -> None:
    k = fourier(phantom())
    lines = [
        line(
            k[:, ky, ::-1] if ky % 2 else k[:, ky],
            flags=(ismrmrd.ACQ_IS_REVERSE,) if ky % 2 else (),
            kspace_encode_step_1=ky,
        )
        for ky in range(16)
    ]
    data = io.read(save(tmp_path / "epi.h5", header(FULL, trajectory="epi"), lines))
    np.testing.assert_array_equal(data.samples[0, :, 0], k)


def test_partial_echo_and_partial_fourier_go_to_their_place(tmp_path: Path) -> None:
    k = fourier(phantom())
    # Samples 5.. of each line and lines 4.. only; the encoding step counts from the first measured line.
    lines = [line(k[:, ky, 5:], kspace_encode_step_1=ky - 4, center_sample=3) for ky in range(4, 16)]
    data = io.read(save(tmp_path / "partial.h5", header(FULL, centre=(4, 0)), lines))
    np.testing.assert_array_equal(data.samples[0, :, 0, 4:, 5:], k[:, 4:, 5:])
    assert data.mask[0, 0, 4:, 5:].all()
    assert data.mask.sum() == 12 * 11


@pytest.mark.parametrize(("count", "offset"), [(16, 0), (8, 8)])
def test_centre_of_zero_is_believed_only_where_the_lines_fit(tmp_path: Path, count: int, offset: int) -> None:
    """All 16 lines cannot start at the centre of k-space; the 8 of a half Fourier acquisition can."""
    k = fourier(phantom())
    xml = header(FULL, centre=(0, 0)).replace(b"<maximum>15<", b"<maximum>%d<" % (count - 1))
    lines = [line(k[:, ky + offset], kspace_encode_step_1=ky) for ky in range(count)]
    data = io.read(save(tmp_path / "c.h5", xml, lines))
    np.testing.assert_array_equal(data.samples[0, :, 0, offset : offset + count], k[:, offset : offset + count])
    assert data.mask.sum() == 16 * count


def test_forgotten_readout_oversampling_is_found(tmp_path: Path) -> None:
    wide = np.zeros((COILS, 16, 32), np.complex64)
    wide[:, :, 8:24] = phantom()
    data = io.read(save(tmp_path / "f.h5", header(FULL), lines_of(fourier(wide))))
    np.testing.assert_allclose(data.samples[0, :, 0], fourier(phantom()), atol=1e-5)
    np.testing.assert_allclose(data.geometry.spacing_mm, [10, 10, 5])
    assert any("oversampled twice" in sentence for sentence in data.metadata["warnings"])


def test_unknown_header_elements_are_no_reason_to_refuse(tmp_path: Path) -> None:
    xml = header(FULL).replace(b"<experimentalConditions>", b"<vendor><x>1</x></vendor><experimentalConditions>")
    assert b"vendor" in xml
    assert io.read(save(tmp_path / "v.h5", xml, lines_of(fourier(phantom())))).frames == 1


def test_discarded_samples_are_left_out(tmp_path: Path) -> None:
    k = fourier(phantom())
    data = io.read(save(tmp_path / "d.h5", header(FULL), lines_of(k, discard_pre=2, discard_post=3)))
    np.testing.assert_array_equal(data.samples[0, :, 0, :, 2:13], k[:, :, 2:13])
    assert data.mask.sum() == 16 * 11


def test_averages_are_averaged_and_can_be_frames(tmp_path: Path) -> None:
    one, two = fourier(phantom(seed=1)), fourier(phantom(seed=2))
    path = save(tmp_path / "a.h5", header(FULL), [*lines_of(one, average=0), *lines_of(two, average=1)])
    np.testing.assert_allclose(io.read(path).samples[0, :, 0], (one + two) / 2, rtol=1e-5)
    frames = io.read(path, frames_from="average").samples
    np.testing.assert_array_equal(frames[:, :, 0], [one, two])


def test_phases_are_frames_when_there_are_no_repetitions(tmp_path: Path) -> None:
    ks = [fourier(phantom(seed=i)) for i in range(3)]
    lines = [part for i, k in enumerate(ks) for part in lines_of(k, phase=i)]
    data = io.read(save(tmp_path / "p.h5", header(FULL, repetition_time_ms=4.0), lines))
    np.testing.assert_array_equal(data.samples[:, :, 0], ks)
    np.testing.assert_allclose(np.diff(data.times_s), 16 * 0.004)
    assert any("repetition time" in sentence for sentence in data.metadata["warnings"])


def test_frames_of_two_counters_are_never_mixed(tmp_path: Path) -> None:
    ks = {(r, p): fourier(phantom(seed=10 * r + p)) for r in range(2) for p in range(3)}
    lines = [part for (r, p), k in ks.items() for part in lines_of(k, repetition=r, phase=p)]
    path = save(tmp_path / "rp.h5", header(FULL), lines)
    data = io.read(path)
    np.testing.assert_array_equal(data.samples[:, :, 0], [ks[0, 0], ks[1, 0]])
    assert any("3 values of phase" in sentence for sentence in data.metadata["warnings"])
    phases = io.read(path, frames_from="phase")
    np.testing.assert_array_equal(phases.samples[:, :, 0], [ks[0, p] for p in range(3)])


def test_lines_that_are_no_image_are_left_out(tmp_path: Path) -> None:
    k = fourier(phantom())
    wrong = np.full((COILS, 16), 1e4 + 0j)
    flags = (ismrmrd.ACQ_IS_NAVIGATION_DATA, ismrmrd.ACQ_IS_PHASECORR_DATA, ismrmrd.ACQ_IS_DUMMYSCAN_DATA)
    flags += (ismrmrd.ACQ_IS_PARALLEL_CALIBRATION, ismrmrd.ACQ_IS_HPFEEDBACK_DATA)
    others = [line(wrong, flags=(flag,), kspace_encode_step_1=8) for flag in flags]
    both = line(k[:, 8], flags=(ismrmrd.ACQ_IS_PARALLEL_CALIBRATION_AND_IMAGING,), kspace_encode_step_1=8)
    lines = [*others, *(part for ky, part in enumerate(lines_of(k)) if ky != 8), both]
    data = io.read(save(tmp_path / "n.h5", header(FULL), lines))
    np.testing.assert_array_equal(data.samples[0, :, 0], k)


@pytest.mark.parametrize(("mode", "used"), [("embedded", True), ("separate", False), ("interleaved", False)])
def test_calibration_lines_serve_as_data_only_when_embedded(tmp_path: Path, mode: str, used: bool) -> None:
    k = fourier(phantom())
    lines = [part for ky, part in enumerate(lines_of(k)) if ky % 2 == 0]
    calibration = line(k[:, 7], flags=(ismrmrd.ACQ_IS_PARALLEL_CALIBRATION,), kspace_encode_step_1=7)
    data = io.read(save(tmp_path / "c.h5", header(FULL, calibration=mode), [*lines, calibration]))
    assert bool(data.mask[0, 0, 7].all()) is used
    assert data.mask[0, 0, ::2].all()


def test_noise_of_correlated_channels_is_whitened(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    mixing = np.array([[1.0, 0.0], [2.0 - 1.0j, 0.5]])

    def noise(*shape: int) -> np.ndarray:
        white = (rng.normal(size=(2, *shape)) + 1j * rng.normal(size=(2, *shape))) / np.sqrt(2)
        return np.tensordot(mixing, white, 1)

    scans = [line(noise(256), flags=(ismrmrd.ACQ_IS_NOISE_MEASUREMENT,), center_sample=0) for _ in range(8)]
    data = io.read(save(tmp_path / "w.h5", header(FULL), [*scans, *lines_of(noise(16, 16))]))
    covariance = np.cov(np.moveaxis(data.samples, 1, 0).reshape(2, -1))
    np.testing.assert_allclose(covariance, np.eye(2), atol=0.2)
    maps = np.ones((COILS, 1, 16, 16), np.complex64)
    whitened = io.read(tmp_path / "w.h5", coil_maps=maps).coil_maps
    matrix = data.metadata["prewhitening"]
    expected = (np.array(matrix["real"]) + 1j * np.array(matrix["imag"])) @ np.ones(2)
    np.testing.assert_allclose(whitened[:, 0, 3, 4], expected, rtol=1e-5)


def test_oversampling_and_resolution(tmp_path: Path) -> None:
    """Encoded 32 over 320 mm, reconstructed 24 over 160 mm: cut to 16, then interpolated to 24."""
    wide = np.zeros((COILS, 16, 32), np.complex64)
    wide[:, :, 8:24] = phantom()
    lines = lines_of(fourier(wide))
    xml = header((32, 16, 1), (24, 16, 1), encoded_fov=(320, 160, 5), recon_fov=(160, 160, 5))
    data = io.read(save(tmp_path / "o.h5", xml, lines))
    np.testing.assert_allclose(data.samples[0, :, 0, :, 4:20], fourier(phantom()), atol=1e-5)
    assert data.mask[..., 4:20].all()
    assert data.mask.sum() == 16 * 16
    np.testing.assert_allclose(data.geometry.spacing_mm, [160 / 24, 10, 5])


def test_phase_oversampling_is_cut_only_when_nothing_folds(tmp_path: Path) -> None:
    tall = np.zeros((COILS, 32, 16), np.complex64)
    tall[:, 8:24] = phantom()
    lines = lines_of(fourier(tall))
    xml = header((16, 32, 1), (16, 16, 1), encoded_fov=(160, 320, 5), recon_fov=(160, 160, 5))
    data = io.read(save(tmp_path / "full.h5", xml, lines))
    np.testing.assert_allclose(data.samples[0, :, 0], fourier(phantom()), atol=1e-5)
    folded = io.read(save(tmp_path / "half.h5", xml, lines[::2]))
    assert folded.matrix == (1, 32, 16)
    np.testing.assert_allclose(folded.geometry.spacing_mm, [10, 10, 5])
    np.testing.assert_array_equal(folded.samples[0, :, 0, ::2], fourier(tall)[:, ::2])


def volume_lines(image: np.ndarray, **fields: object) -> list[object]:
    """Lines of a 3-D acquisition of ``image`` (coils, z, y, x)."""
    k = fourier(image, (-3, -2, -1))
    return [part for kz in range(k.shape[1]) for part in lines_of(k[:, kz], kspace_encode_step_2=kz, **fields)]


def test_third_encoding_is_transformed_and_cut(tmp_path: Path) -> None:
    image = np.stack([phantom(seed=i) for i in range(6)], axis=1)
    xml = header((16, 16, 6), (16, 16, 4), encoded_fov=(160, 160, 30), recon_fov=(160, 160, 20))
    lines = volume_lines(image)
    data = io.read(save(tmp_path / "v.h5", xml, lines))
    assert data.matrix == (4, 16, 16)
    np.testing.assert_allclose(data.samples[0], fourier(image[:, 1:5]), atol=1e-4)
    np.testing.assert_allclose(data.geometry.spacing_mm, [10, 10, 5])
    with pytest.raises(InputError, match="second phase direction"):
        io.read(save(tmp_path / "u.h5", xml, lines[16:]))


def test_left_handed_slab_keeps_its_place(tmp_path: Path) -> None:
    """A marker at index (z 1, y 3, x 12) of the acquisition lies where the direction vectors say."""
    image = np.zeros((COILS, 6, 16, 16), np.complex64)
    image[:, 1, 3, 12] = 1
    vectors = {"read_dir": (1, 0, 0), "phase_dir": (0, 1, 0), "slice_dir": (0, 0, -1), "position": (10, 20, 30)}
    xml = header((16, 16, 6), encoded_fov=(160, 160, 30))
    data = io.read(save(tmp_path / "l.h5", xml, volume_lines(image, **vectors)))
    lps = np.array([10 + (12 - 8) * 10, 20 + (3 - 8) * 10, 30 - (1 - 3) * 5])
    shifted = np.fft.ifftn(np.fft.ifftshift(data.samples[0, 0], (-2, -1)), axes=(-2, -1))
    z, y, x = np.unravel_index(np.abs(np.fft.fftshift(shifted, (-2, -1))).argmax(), (6, 16, 16))
    np.testing.assert_allclose(data.geometry.to_ras((x, y, z)), lps * [-1, -1, 1], atol=1e-4)


def test_slices_are_sorted_by_position(tmp_path: Path) -> None:
    """Slice counters run against the positions, whose distance of 8 mm the header (5 mm) does not know."""
    vectors = {"read_dir": (0, 1, 0), "phase_dir": (0, 0, -1), "slice_dir": (1, 0, 0)}
    offsets = {0: 16.0, 1: -8.0, 2: 8.0, 3: 0.0}
    ks = {number: fourier(phantom(seed=number)) for number in offsets}
    lines = [
        part
        for number, k in ks.items()
        for part in lines_of(k, slice=number, position=(offsets[number], 5.0, 7.0), **vectors)
    ]
    data = io.read(save(tmp_path / "s.h5", header(FULL), lines))
    assert data.matrix == (4, 16, 16)
    assert data.geometry.spacing_mm[2] == pytest.approx(8)
    for z in range(4):
        ras = data.geometry.to_ras((8, 8, z))
        number = next(n for n, offset in offsets.items() if np.allclose(ras, (-offset, -5, 7), atol=1e-4))
        np.testing.assert_array_equal(data.samples[0, :, z], ks[number])


def test_slices_that_make_no_volume_are_refused(tmp_path: Path) -> None:
    k = fourier(phantom())
    turned = [({"read_dir": (1, 0, 0), "phase_dir": (0, 1, 0)}), ({"read_dir": (0, 0, 1), "phase_dir": (0, 1, 0)})]
    lines = [part for i, v in enumerate(turned) for part in lines_of(k, slice=i, position=(0, 0, 5.0 * i), **v)]
    with pytest.raises(InputError, match="differing orientation"):
        io.read(save(tmp_path / "t.h5", header(FULL), lines))


def test_times_come_from_the_stamps(tmp_path: Path) -> None:
    k = fourier(phantom())
    lines = [
        part
        for frame in range(3)
        for ky, part in enumerate(lines_of(k, repetition=frame))
        if not setattr(part, "acquisition_time_stamp", 1000 + 100 * frame + 2 * ky)
        and not part.physiology_time_stamp.__setitem__(0, 40 * frame + 4)
    ]
    path = save(tmp_path / "t.h5", header(FULL), lines)
    np.testing.assert_allclose(io.read(path).times_s, 0.0025 * (100 * np.arange(3) + 15), atol=1e-9)
    np.testing.assert_allclose(io.read(path, times_from="physiology").times_s, 0.0025 * (40 * np.arange(3) + 4))
    bare = save(tmp_path / "b.h5", header(FULL), lines_of(k))
    with pytest.raises(InputError, match="no physiology time stamps"):
        io.read(bare, times_from="physiology")


def test_stamps_may_pass_midnight(tmp_path: Path) -> None:
    k, day = fourier(phantom()), 24 * 3600 * 400
    stamps = [day - 100, day - 40, 20]
    lines = [p for i, s in enumerate(stamps) for p in lines_of(k, repetition=i, acquisition_time_stamp=s)]
    data = io.read(save(tmp_path / "m.h5", header(FULL), lines))
    np.testing.assert_allclose(data.times_s, [0, 0.15, 0.3], atol=1e-9)
