"""Reconstructions and line profiles without the panel: what the panel does, for the Python console and scripts."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import slicer

from DynamicMRIReconLib.errors import Cancelled, InputError, ReconError, ResourceError
from DynamicMRIReconLib.profiles import RegionCurve
from DynamicMRIReconSlicer import (
    exportFiles,
    heartRegion,
    profileFiles,
    provenance,
    regionCurves,
    sound,
    sources,
)
from DynamicMRIReconSlicer.jobFolder import Request, Scheduler
from DynamicMRIReconSlicer.lineProfile import LineProfiles, ProfileNodes
from DynamicMRIReconSlicer.results import Result
from DynamicMRIReconSlicer.run import Run
from DynamicMRIReconSlicer.translation import tr as _

_ERRORS: dict[str, type[Exception]] = {"input": InputError, "resource": ResourceError}


class ReconstructionLogic:
    """Starts reconstructions, keeps track of those that run, computes line profiles."""

    def __init__(self) -> None:
        self._profiles = LineProfiles()
        self._runs: list[Run] = []

    def startReconstruction(
        self,
        source: Any,
        method: str,
        parameters: dict[str, Any] | None = None,
        *,
        preset: str = "standard",
        device: str = "auto",
        seed: int = 0,
        read: dict[str, Any] | None = None,
        simulate: dict[str, Any] | None = None,
        frames: tuple[int, int] | None = None,
        reference: Any = None,
        cardiac: Any = None,
        name: str | None = None,
        runOn: Scheduler | None = None,
        load: Callable[..., Any] | None = None,
        onEvent: Callable[[dict[str, Any]], None] = lambda _event: None,
        onFinished: Callable[[Result | None, dict[str, Any]], None] = lambda _result, _event: None,
        onLog: Callable[[str], None] = lambda _line: None,
    ) -> Run:
        """Start a reconstruction in a process of its own and return at once.

        Parameters
        ----------
        source
            A file or folder, a node of the scene (sequence, volume, k-space file node), an ``ImageSeries``, or a list
            of volumes for methods on stacks, whose masks are the nodes that ``stackNodes.setMask`` has set.
        method, parameters, preset
            Registry key, values put over the preset, preset.
        device, seed
            ``auto``, ``cpu``, ``cuda``...; the seed of all random numbers.
        read
            Options of the reader, for example ``{"axes": "frames,coils,ky,kx"}``.
        simulate
            Teaching mode: the acquisition to simulate from an image series, for example
            ``{"trajectory": "radial", "shots": 13, "coils": 8, "noise": 0.01}``.
        frames
            A quick look: only these frames, from the first to the one before the second.
        runOn
            A Dask scheduler that shall run it: ``jobFolder.Scheduler(address, folder)``; None: this computer.
        load
            What makes of the finished job what ``onFinished`` gets, see ``Request``; None: a result in the scene.
        reference
            Images to compare the result with (file, sequence or ``ImageSeries``): their PSNR and SSIM are told.
        cardiac
            With a reference: CardiacPSNR and CardiacSSIM too, in this region of it: ``auto``, ``published``,
            ``x0,y0,x1,y1`` voxels or an ROI node.
        onEvent, onLog
            Called with the worker's events and log lines while it runs.
        onFinished
            Called once: with the result (None when there is none) and the event that ended it.

        Raises
        ------
        InputError
            The source is nothing that can be reconstructed.
        """
        compared = None if reference is None else sources.dataOf(reference)
        request = Request(
            source=sources.dataOf(source),
            method=method,
            preset=preset,
            parameters=dict(parameters or {}),
            read=dict(read or {}),
            simulate=simulate,
            frames=None if frames is None else (int(frames[0]), int(frames[1])),
            device=device,
            seed=seed,
            name=name or f"{sources.nameOf(source)} {method}",
            node=source if hasattr(source, "GetID") else None,
            runOn=runOn,
            load=load,
            reference=compared,
            referenceNode=reference if hasattr(reference, "GetID") else None,
            cardiac=None if cardiac is None or compared is None else heartRegion.ruleOf(cardiac, compared),
        )

        def finished(result: Result | None, event: dict[str, Any]) -> None:
            self._runs = [one for one in self._runs if one is not run]
            onFinished(result, event)

        run = Run(request, onEvent, finished, onLog)
        self._runs.append(run)
        try:
            run.start()
        except BaseException:
            self._runs.remove(run)
            raise
        return run

    def reconstruct(self, source: Any, method: str, parameters: dict[str, Any] | None = None, **options: Any) -> Result:
        """Reconstruct and wait for the result, while Slicer's event loop goes on; options as for the other.

        Raises
        ------
        InputError, ResourceError, Cancelled, ReconError
            What went wrong, in a sentence fit to show.
        """
        ended: list[tuple[Result | None, dict[str, Any]]] = []
        chained = options.pop("onFinished", None)
        self.startReconstruction(
            source, method, parameters, onFinished=lambda result, event: ended.append((result, event)), **options
        )
        while not ended:
            slicer.app.processEvents()
            time.sleep(0.01)
        result, event = ended[0]
        if chained is not None:
            chained(result, event)
        if result is not None:
            return result
        if event["event"] == "cancelled":
            raise Cancelled(event.get("message") or _("Cancelled."))
        raise _ERRORS.get(str(event.get("kind")), ReconError)(event.get("message") or _("The reconstruction failed."))

    def computeLineProfile(
        self, sequence: Any, lineNode: Any, edge: str = "either", marks: str = "turns", withSound: bool = True
    ) -> ProfileNodes:
        """M-mode, tables and charts of a sequence along a line; see ``LineProfiles.compute``."""
        return self._profiles.compute(sequence, lineNode, edge, marks, withSound)

    def setSound(self, path: str | Path | None, offsetMs: float = 0.0, labels: str | Path | None = None) -> None:
        """Name the wav file that was recorded with the images; profiles show it below their M-mode from now on.

        Parameters
        ----------
        offsetMs
            When the recording began, on the time axis of the images; negative: before their time 0.
        labels
            Praat's TextGrid of the recording.

        Raises
        ------
        InputError, ResourceError
            One of the files cannot be used; there is no sound then.
        """
        self._profiles.sound = None
        if path is not None:
            self._profiles.sound = sound.read(path, offsetMs, labels)

    @property
    def sound(self) -> sound.Sound | None:
        """What was recorded with the images."""
        return self._profiles.sound

    def computeRegionCurve(self, sequence: Any, region: Any) -> tuple[Any, RegionCurve]:
        """Table and figures of the brightness of a sequence in a closed curve, a ROI or a segment, over time.

        Raises
        ------
        InputError
            The region holds no voxel of the images, or the sequence holds no images.
        """
        curve = regionCurves.measure(self._profiles.imagesOf(sequence), region)
        return regionCurves.update(sequence, region, curve), curve

    def repeat(self, sequence: Any, **options: Any) -> Result:
        """Make a result again from the same input with the same settings, and wait for it.

        ``options`` go over what was asked for then, as in ``reconstruct``.

        Raises
        ------
        InputError, ResourceError, Cancelled, ReconError
            Its input is gone, it does not say how it was made, or what else went wrong.
        """
        asked = provenance.request(sequence)
        method, parameters = asked.pop("method"), asked.pop("parameters")
        del asked["path"]
        asked["reference"] = provenance.referenceOf(sequence)
        asked["cardiac"] = provenance.cardiacOf(sequence)
        return self.reconstruct(self.inputOf(sequence), method, parameters, **{**asked, **options})

    def inputOf(self, sequence: Any) -> Any:
        """What a result was made from: a node of the scene or a path.

        Raises
        ------
        InputError
            It is gone, or was never in the scene or in a file.
        """
        return sources.inputOf(sequence)

    def export(self, sequence: Any, *paths: str | Path, patientFrom: str | Path | None = None) -> list[Path]:
        """Write a sequence, with its record, in the format that each path's suffix tells, and wait for it.

        Parameters
        ----------
        paths
            ``.seq.nrrd``, ``.nii.gz``, ``.dcm`` (one DICOM file), ``.dicom`` (a new folder of DICOM images), ``.mp4``,
            ``.gif``, or ``.csv`` for the line profiles of the sequence.
        patientFrom
            DICOM file or folder whose patient and study DICOM output shall carry; None names nobody.

        Raises
        ------
        InputError, ResourceError
            Something is there already, or cannot be written.
        """
        from DynamicMRIReconLib import io

        series = exportFiles.seriesOf(sequence)
        written: list[Path] = []
        for path in map(Path, paths):
            if path.exists():
                raise InputError(_("{path} exists already: name another.").format(path=path))
            if path.suffix == exportFiles.PROFILES:
                written += self.writeProfiles(sequence, path)
                continue
            named = patientFrom is not None and path.suffix in exportFiles.DICOM
            written.append(io.write(path, series, patient_from=patientFrom if named else None))
        return written

    def writeProfiles(self, sequence: Any, path: Path) -> list[Path]:
        """Write the profiles of a sequence beside ``path``; see ``profileFiles.write``.

        Raises
        ------
        InputError
            It has no profile, a line lies outside by now, or the files cannot be written.
        """
        return profileFiles.write(self._profiles, sequence, path)

    @property
    def runs(self) -> list[Run]:
        """The reconstructions that run now."""
        return list(self._runs)

    def stopAll(self) -> None:
        """End every running reconstruction before this returns, and remove its folder. Nothing is reported."""
        for run in self._runs:
            run.stopNow()
        self._runs = []
        self._profiles.forget()
