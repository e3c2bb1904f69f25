"""Trained methods from file to file: place and time of the marker phantom, synthetic flags, provenance, exit codes."""

import json

import numpy as np
import pytest
from kspace_cases import grid_samples, radial, sample
from tiny_models import idle_miccan, shifting_ifnet, tiny_ifnet, tiny_miccan

import DynamicMRIReconLib as dmr
from DynamicMRIReconLib import io
from DynamicMRIReconLib.cli import main
from DynamicMRIReconLib.data import ImageSeries, KSpace
from DynamicMRIReconLib.jobs.hashes import sha256_of
from DynamicMRIReconLib.jobs.job import InputFile, Job
from DynamicMRIReconLib.jobs.worker import run_job
from DynamicMRIReconLib.phantoms.marker import MarkerScene

SHAPE = (2, 64, 64)
TIMES = 0.05 + np.array([0.0, 0.031, 0.05, 0.093])


@pytest.fixture(scope="module")
def marker():
    return MarkerScene("oblique", duration_s=0.2)


def found(scene, series):
    """RAS position of the sphere in the last frame, and the time that its brightness tells in each frame."""
    magnitude = np.abs(series.array)
    k, j, i = np.indices(magnitude.shape[1:])
    places = np.einsum("ab,b...->...a", series.affine[:3], np.stack([i, j, k, np.ones_like(i)]))
    # within a slice: through the slices the sphere is shared between two
    distance = np.linalg.norm(places - scene.marker_ras_mm, axis=-1)
    k = int(np.unravel_index(distance.argmin(), distance.shape)[0])
    inside = distance[k] < 1.8 * scene.marker_radius_mm
    weight = magnitude[-1, k][inside]
    place = (weight[:, None] * places[k][inside]).sum(0) / weight.sum()
    wanted = scene.marker_ras_mm
    normal = np.cross(series.affine[:3, 0], series.affine[:3, 1])
    normal /= np.linalg.norm(normal)
    off = (place - wanted) - ((place - wanted) @ normal) * normal
    signal = magnitude[:, k][:, inside].sum(1)
    return np.linalg.norm(off) / np.linalg.norm(series.affine[:3, 0]), signal


def marker_kspace(scene, sampling):
    images = scene.render(TIMES, SHAPE)
    affine = scene.geometry(SHAPE).affine
    if sampling == "cartesian":
        return KSpace(grid_samples(images[:, None]), affine, TIMES)
    trajectory, density = radial(len(TIMES), 110, SHAPE[1:])
    slices = [sample(images[:, None, z], trajectory) for z in range(SHAPE[0])]
    return KSpace(np.stack(slices, axis=2), affine, TIMES, trajectory=trajectory, density=density, image_shape=SHAPE)


@pytest.mark.parametrize(("sampling", "voxels", "ms"), [("cartesian", 0.03, 0.05), ("radial", 0.1, 1.0)])
@pytest.mark.parametrize("method", ["miccan", "speech"])
def test_the_marker_is_in_its_place_at_its_time(folder, marker, sampling, method, voxels, ms):
    values = {"weights": str((tiny_miccan if sampling == "cartesian" else idle_miccan)(folder))}
    if method == "speech":
        # the mean of two frames: brightness that rises evenly is right half-way
        values |= {"interpolation_weights": str(shifting_ifnet(folder, 0.0, 0.0)), "temporal_upsampling": 2}
    series = dmr.reconstruct(marker_kspace(marker, sampling), method, device="cpu", **values)
    truth = ImageSeries(np.abs(marker.render(series.times_s, SHAPE)), series.affine, series.times_s)
    off, signal = found(marker, series)
    _, expected = found(marker, truth)
    assert off < voxels
    level = marker.marker_intensity(series.times_s) * (signal / expected)
    if sampling == "radial":
        # the corners of k-space, which spokes do not reach, change contrast and background by a constant
        fit = np.polyfit(level, marker.marker_intensity(series.times_s), 1)
        assert np.abs(fit - [1, 0]).max() < 0.06
        level = np.polyval(fit, level)
    told_s = (level - 0.4) / 0.6 * marker.duration_s
    np.testing.assert_allclose(told_s, series.times_s, atol=1e-3 * ms)
    if method == "speech":
        np.testing.assert_allclose(series.times_s[1::2], (TIMES[1:] + TIMES[:-1]) / 2)


def test_from_an_ismrmrd_file_to_a_sequence_and_on_with_synthetic_flags_and_provenance(folder, marker, tmp_path):
    scan = io.write(tmp_path / "scan.h5", marker_kspace(marker, "cartesian"))
    first, second = tiny_miccan(folder), shifting_ifnet(folder, 0.0, 0.0)
    (tmp_path / "job").mkdir()
    Job(
        method="speech", inputs=[InputFile(path=str(scan))], device="cpu", output=str(tmp_path / "movie.seq.nrrd"),
        parameters={"weights": str(first), "interpolation_weights": str(second), "temporal_upsampling": 3},
    ).save(tmp_path / "job")  # fmt: skip
    assert run_job(tmp_path / "job") == 0
    movie = io.read(tmp_path / "movie.seq.nrrd")
    assert movie.frames == 10
    np.testing.assert_array_equal(movie.synthetic, np.arange(10) % 3 != 0)
    started = movie.times_s[0]
    np.testing.assert_allclose(movie.times_s[::3] - started, TIMES - TIMES[0], atol=1e-3)
    assert found(marker, movie)[0] < 0.05
    origin = json.loads((tmp_path / "job" / "provenance.json").read_text())
    sums = {name: json.loads(path.with_suffix(".json").read_text())["sha256"] for name, path in
            (("miccan", first), ("ifnet", second))}  # fmt: skip
    assert origin["weights_sha256"] == sums
    assert movie.metadata["provenance"]["weights_sha256"] == sums
    # the movie is an input as any other: what is synthetic stays so
    again = dmr.reconstruct(movie, "ifnet", device="cpu", weights=str(second))
    np.testing.assert_array_equal(again.synthetic[::2], movie.synthetic)
    assert again.synthetic[1::2].all()
    assert set(again.metadata["models"]) == {"miccan", "ifnet"}


class TestExitCodes:
    @pytest.fixture
    def refused(self, marker, tmp_path):
        scan = io.write(tmp_path / "scan.npz", marker_kspace(marker, "cartesian"))
        (tmp_path / "job").mkdir()

        def check(weights, said):
            output = tmp_path / "out.seq.nrrd"
            job = Job(
                method="miccan", inputs=[InputFile(path=str(scan))], device="cpu", output=str(output),
                parameters={"weights": str(weights)},
            )  # fmt: skip
            job.save(tmp_path / "job")
            assert run_job(tmp_path / "job") == 2
            last = json.loads((tmp_path / "job" / "events.jsonl").read_text().splitlines()[-1])
            assert last["event"] == "error"
            assert last["kind"] == "input"
            assert said in last["message"]
            assert "\n" not in last["message"]
            assert not output.exists()
            assert not (tmp_path / "job" / "result.seq.nrrd").exists()

        return check

    def test_wrong_hash(self, refused, folder):
        path = tiny_miccan(folder)
        data = bytearray(path.read_bytes())
        data[-5] ^= 8
        path.write_bytes(data)
        refused(path, "SHA-256")

    def test_wrong_architecture(self, refused, folder):
        refused(tiny_ifnet(folder), "'miccan' is needed")

    def test_missing_file_and_missing_card(self, refused, folder):
        refused(folder / "nothing.safetensors", "do not exist")
        path = tiny_miccan(folder)
        path.with_suffix(".json").unlink()
        refused(path, "card")

    def test_a_damaged_file_whose_card_fits(self, refused, folder):
        path = tiny_miccan(folder)
        path.write_bytes(path.read_bytes()[:2000])
        card = json.loads(path.with_suffix(".json").read_text())
        card["sha256"] = sha256_of(path)
        path.with_suffix(".json").write_text(json.dumps(card))
        refused(path, "damaged")

    def test_the_command_line_says_one_line(self, marker, tmp_path, capsys):
        scan = io.write(tmp_path / "scan.npz", marker_kspace(marker, "cartesian"))
        words = ["recon", str(scan), "--method", "miccan", "--set", "weights=nothing", "--device", "cpu"]
        assert main([*words, "--output", str(tmp_path / "out.seq.nrrd")]) == 2
        last = capsys.readouterr().err.strip().splitlines()[-1]
        assert "There is no model 'nothing'" in last
        assert not (tmp_path / "out.seq.nrrd").exists()


def test_many_frames_go_through_the_networks_a_few_at_a_time(folder, monkeypatch):
    from DynamicMRIReconLib.methods import miccan
    from DynamicMRIReconLib.methods.common import interpolated_series
    from DynamicMRIReconLib.networks.ifnet import IFNet
    from DynamicMRIReconLib.networks.miccan import Miccan

    frames = 40
    images = MarkerScene("axial", duration_s=1.0).render(0.02 * np.arange(frames), (1, 16, 16))
    kspace = KSpace(grid_samples(images[:, None]), np.eye(4), 0.02 * np.arange(frames))
    seen = {"Miccan": [], "IFNet": []}
    for network in (Miccan, IFNet):
        forward = network.forward

        def watched(self, first, *rest, forward=forward):
            seen[type(self).__name__].append(len(first))
            return forward(self, first, *rest)

        monkeypatch.setattr(network, "forward", watched)
    values = {"weights": str(tiny_miccan(folder)), "interpolation_weights": str(tiny_ifnet(folder))}
    series = dmr.reconstruct(kspace, "speech", device="cpu", **values)
    assert series.frames == 79
    assert sum(seen["Miccan"]) == frames
    assert max(seen["Miccan"]) == miccan.FRAMES_ON_CPU
    assert sum(seen["IFNet"]) == frames - 1
    assert max(seen["IFNet"]) == interpolated_series.PICTURES_ON_CPU
