"""Checks that run inside Slicer: a tiny scan through the real worker, into the scene, measured, cancelled, broken."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import slicer

from DynamicMRIReconLib.data import ImageSeries
from DynamicMRIReconLib.errors import InputError
from DynamicMRIReconLib.geometry import Geometry
from DynamicMRIReconSlicer import lineProfile, sampleData, sequenceReader, sequences, soundImages
from DynamicMRIReconSlicer.fileReader import filePath

MATRIX, FRAMES, COILS, FRAME_S = 32, 4, 2, 0.045
SIMULATION = {"trajectory": "radial", "shots": 24, "coils": COILS, "noise": 0.0, "frames": FRAMES, "seed": 0}
_PREFIX = "check"
_TIMEOUT_S = 120.0


class SelfTest:
    """Each ``check...`` method is one test; ``logic`` is the module's logic."""

    def __init__(self, logic: Any) -> None:
        self.logic = logic

    @classmethod
    def names(cls) -> list[str]:
        """The tests in the order in which they are written."""
        return [name for name in cls.__dict__ if name.startswith(_PREFIX)]

    def run(self, name: str) -> None:
        """Run one test on an empty scene, and leave one; raises AssertionError when it fails."""
        slicer.mrmlScene.Clear(0)
        try:
            getattr(self, name)()
        finally:
            self.logic.stopAll()
            slicer.mrmlScene.Clear(0)

    def checkReconstructionKeepsPositionAndTime(self) -> None:
        """k-space simulated from moving images comes back in place and in time."""
        truth = movingSquare()
        result = self.logic.reconstruct(truth, "cg-sense", simulate=SIMULATION, device="cpu")
        back = sequenceReader.toSeries(result.sequence)
        assert np.allclose(back.affine, truth.affine, atol=1e-3), back.affine
        assert np.allclose(back.times_s, truth.times_s, atol=1e-3), back.times_s
        assert result.sequence.GetIndexUnit() == "s"
        assert abs(result.browser.GetPlaybackRateFps() - 1 / FRAME_S) < 0.1
        likeness = np.corrcoef(back.array.ravel(), truth.array.ravel())[0, 1]
        assert likeness > 0.8, f"the images agree only to {likeness:.3f}"
        assert result.provenanceNode.GetText().strip().startswith("{")
        assert result.sequence.GetAttribute("DynamicMRIRecon.Method") == "cg-sense"

    def checkLineProfileFollowsTheEdge(self) -> None:
        """The edge of a square that moves by one voxel a frame, measured in mm and s; nodes are made once."""
        truth = movingSquare()
        nodes = sequences.fromSeries(truth, "Square")
        line = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsLineNode", "Line")
        for ijk in ((2.0, 16.0, 0.0), (30.0, 16.0, 0.0)):
            line.AddControlPointWorld(*truth.geometry.to_ras(ijk))
        profile = self.logic.computeLineProfile(nodes.sequence, line, "rising")
        moved = np.diff(profile.mmode.edges_mm)
        spacing = float(truth.geometry.spacing_mm[0])
        assert np.allclose(moved, spacing, atol=0.3 * spacing), moved
        count = slicer.mrmlScene.GetNumberOfNodes()
        self.logic.computeLineProfile(nodes.sequence, line, "rising")
        assert slicer.mrmlScene.GetNumberOfNodes() == count, "a second computation made new nodes"
        assert profile.edgeTable.GetColumnUnitLabel("time") == "s"
        assert profile.edgeTable.GetColumnUnitLabel("edge position") == "mm"
        assert profile.edgeChart.GetYAxisTitle() == "Edge position (mm)"

    def checkFromFileToASavedScene(self) -> None:
        """A k-space file, its reconstruction, a profile; all of it is there again when the scene has been reloaded."""
        from DynamicMRIReconLib import io
        from DynamicMRIReconLib.acquisition.simulate import SeriesScene, SimulationParameters, simulate

        kspace, _ = simulate(SeriesScene(movingSquare()), SimulationParameters(**SIMULATION))
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            scan, scene = Path(folder) / "scan.h5", str(Path(folder) / "scene.mrb")
            io.write(scan, kspace)
            result = self.logic.reconstruct(scan, "gridding", device="cpu", name="Scan")
            line = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsLineNode", "Line")
            for ijk in ((2.0, 16.0, 0.0), (30.0, 16.0, 0.0)):
                line.AddControlPointWorld(*kspace.geometry.to_ras(ijk))
            profile = self.logic.computeLineProfile(result.sequence, line, "rising")
            images, edges = sequenceReader.toSeries(result.sequence), profile.mmode.edges_mm
            assert slicer.util.saveScene(scene), "the scene was not saved"
            slicer.mrmlScene.Clear(0)
            slicer.util.loadScene(scene)
            sequence = slicer.util.getFirstNodeByClassByName("vtkMRMLSequenceNode", "Scan")
            assert sequence is not None, "the result is not in the scene again"
            back = sequenceReader.toSeries(sequence)
            assert np.allclose(back.array, images.array, atol=1e-4 * images.array.max())
            assert np.allclose(back.affine, images.affine, atol=1e-3)
            assert np.allclose(back.times_s, images.times_s, atol=1e-3)
            ((found, edge, _),) = lineProfile.ofSequence(sequence)
            again = self.logic.computeLineProfile(sequence, found, edge)
            assert np.allclose(again.mmode.edges_mm, edges, atol=1e-3), again.mmode.edges_mm
            repeated = sequenceReader.toSeries(self.logic.repeat(sequence).sequence)
            assert np.allclose(repeated.array, images.array, atol=1e-4 * images.array.max())

    def checkSoundStandsBelowTheMMode(self) -> None:
        """The sample's sound is drawn over the time of the M-mode, and its labels are measured."""
        from DynamicMRIReconLib import io

        nodes = sequences.fromSeries(io.read(sampleData.FOLDER / "SpeakingVocalTract.seq.nrrd"), "Speech")
        line = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsLineNode", "Line")
        geometry = sequenceReader.toSeries(nodes.sequence).geometry
        for ijk in ((30.0, 40.0, 0.0), (45.0, 55.0, 0.0)):
            line.AddControlPointWorld(*geometry.to_ras(ijk))
        self.logic.setSound(sampleData.SOUND, 0.0, sampleData.LABELS)
        profile = self.logic.computeLineProfile(nodes.sequence, line)
        sound = soundImages.of(profile.volume)
        bounds = [np.zeros(6), np.zeros(6)]
        profile.volume.GetRASBounds(bounds[0])
        sound[soundImages.SPECTROGRAM].GetRASBounds(bounds[1])
        assert np.allclose(bounds[0][:2], bounds[1][:2], atol=1e-3), bounds
        assert sound[soundImages.TABLE].GetNumberOfRows() > 5

    def checkExportComesBackInPlaceAndTime(self) -> None:
        """DICOM images written from a sequence are read again where and when they were; nothing is replaced."""
        from DynamicMRIReconLib import io

        truth = movingSquare()
        nodes = sequences.fromSeries(truth, "Square")
        with tempfile.TemporaryDirectory() as folder:
            target = Path(folder) / "square.dicom"
            self.logic.export(nodes.sequence, target)
            back = io.read(target)
            assert np.allclose(back.affine, truth.affine, atol=1e-3), back.affine
            assert np.allclose(back.times_s, truth.times_s, atol=1e-3), back.times_s
            assert np.allclose(back.array, truth.array, atol=1e-2)
            refusal = ""
            try:
                self.logic.export(nodes.sequence, target)
            except InputError as error:
                refusal = str(error)
            assert "exists already" in refusal, "an existing folder was replaced"

    def checkARepeatGivesTheSameImages(self) -> None:
        """A result knows how it was made, and is made again from the node that it was made from."""
        nodes = sequences.fromSeries(movingSquare(), "Square")
        first = self.logic.reconstruct(nodes.sequence, "gridding", simulate=SIMULATION, device="cpu")
        again = self.logic.repeat(first.sequence)
        one, other = (sequenceReader.toSeries(result.sequence).array for result in (first, again))
        assert np.array_equal(one, other)

    def checkCancelEndsTheWorker(self) -> None:
        """A cancelled run is gone within seconds and leaves no folder."""
        ended: list[Any] = []
        run = self._start(ended)
        folder = run.folder
        run.cancel()
        assert self._wait(ended, 6.0), "the worker did not stop"
        assert ended[0][1]["event"] == "cancelled", ended
        assert not folder.exists(), "the job folder was left behind"

    def checkKilledWorkerIsAnErrorAndTheNextRunWorks(self) -> None:
        """A worker that dies is explained; afterwards everything still works."""
        ended: list[Any] = []
        run = self._start(ended)
        assert run.running
        run.killWorker()
        assert self._wait(ended, 10.0), "nothing was told of the dead worker"
        assert ended[0][1]["event"] == "error", ended
        assert ended[0][1]["message"]
        result = self.logic.reconstruct(movingSquare(), "gridding", simulate=SIMULATION, device="cpu")
        assert result.sequence.GetNumberOfDataNodes() == FRAMES

    def checkBadRequestsSayWhatIsWrong(self) -> None:
        """Missing files, unknown methods and values out of range end in sentences, not in crashes."""
        for source, method, parameters in (
            ("/no/such/file.h5", "cg-sense", {}),
            (movingSquare(), "no-such-method", {}),
            (movingSquare(), "cg-sense", {"iterations": -1}),
        ):
            message = self._refusal(source, method, parameters)
            assert message, f"{source} {method} {parameters} was accepted"

    def checkFileReaderOffersKSpace(self) -> None:
        """A k-space file becomes a node that can be reconstructed; a text file is refused."""
        from DynamicMRIReconSlicer.fileReader import KSpaceFileReader, addFileNode

        with tempfile.TemporaryDirectory() as folder:
            real, wrong = Path(folder) / "scan.npz", Path(folder) / "scan.h5"
            np.savez(real, samples=np.ones((1, 1, 1, 4, 4), np.complex64))
            wrong.write_text("no k-space", encoding="utf-8")
            reader = KSpaceFileReader(None)
            assert reader.canLoadFile(str(real))
            assert not reader.canLoadFile(str(wrong))
            assert filePath(addFileNode(real)) == real.absolute()

    def _refusal(self, source: Any, method: str, parameters: dict[str, Any]) -> str | None:
        try:
            self.logic.reconstruct(source, method, parameters, simulate=SIMULATION, device="cpu")
        except InputError as error:
            return str(error)
        return None

    def _start(self, ended: list[Any]) -> Any:
        return self.logic.startReconstruction(
            movingSquare(),
            "cg-sense",
            {"iterations": 50},
            simulate=SIMULATION,
            device="cpu",
            onFinished=lambda result, event: ended.append((result, event)),
        )

    def _wait(self, ended: list[Any], timeoutS: float) -> bool:
        until = time.monotonic() + min(timeoutS, _TIMEOUT_S)
        while not ended and time.monotonic() < until:
            slicer.app.processEvents()
            time.sleep(0.01)
        return bool(ended)


def movingSquare() -> ImageSeries:
    """A bright rectangle that moves by one voxel a frame along x, on an oblique grid."""
    array = np.zeros((FRAMES, 1, MATRIX, MATRIX), np.float32)
    for frame in range(FRAMES):
        array[frame, 0, 8:24, 10 + frame : 22 + frame] = 100.0
    angle = np.deg2rad(20.0)
    directions = [[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]]
    geometry = Geometry.from_parts((2.0, 2.0, 8.0), (-30.0, 12.0, 40.0), directions)
    return ImageSeries(array, geometry.affine, FRAME_S * np.arange(FRAMES))
