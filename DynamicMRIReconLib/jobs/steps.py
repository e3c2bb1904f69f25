"""The steps of one run: check, read, simulate if asked, reconstruct, compare, write."""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from DynamicMRIReconLib.data import ImageSeries, KSpace
from DynamicMRIReconLib.device import resolve_device
from DynamicMRIReconLib.errors import InputError, ResourceError
from DynamicMRIReconLib.io.part_files import part_paths, write_parts
from DynamicMRIReconLib.jobs import files, provenance
from DynamicMRIReconLib.jobs.checks import check_job, simulation_parameters
from DynamicMRIReconLib.jobs.comparison import compare, means_of
from DynamicMRIReconLib.jobs.fingerprint import fingerprint as fingerprint_of
from DynamicMRIReconLib.jobs.frame_range import cut_alike, only_frames
from DynamicMRIReconLib.jobs.hashes import sha256_of
from DynamicMRIReconLib.jobs.job import Job
from DynamicMRIReconLib.jobs.memory import shortage
from DynamicMRIReconLib.jobs.privacy import redacted, redactor_of
from DynamicMRIReconLib.jobs.reading import read_inputs
from DynamicMRIReconLib.jobs.reporting import Reporter
from DynamicMRIReconLib.jobs.saved_state import SavedState, identity_of
from DynamicMRIReconLib.jobs.stop import StopRequest
from DynamicMRIReconLib.jobs.transforms import transforms_of
from DynamicMRIReconLib.methods import registry
from DynamicMRIReconLib.methods.base import Data

logger = logging.getLogger(__name__)

#: share of the progress bar that the reconstruction itself takes
RECONSTRUCTION = (0.1, 0.95)


class Run:
    """One run of the job in a folder that is locked and cleared.

    Parameters
    ----------
    folder
        The job folder.
    reporter, stop
        Where to tell, and when to stop.
    overwrite
        ``output`` may replace any file.
    made_output
        Path and SHA-256 of the output an earlier run of this job wrote, and of its ``parts`` by name; these may be
        replaced as well.
    """

    def __init__(
        self,
        folder: Path,
        reporter: Reporter,
        stop: StopRequest,
        *,
        overwrite: bool = False,
        made_output: dict[str, Any] | None = None,
    ) -> None:
        self._folder = folder
        self._reporter = reporter
        self._stop = stop
        self._overwrite = overwrite
        self._made_output = made_output
        self._cost: dict[str, Any] = {}

    def run(self) -> dict[str, Any]:
        """Do it; gives the fields of the ``done`` event.

        Raises
        ------
        ReconError
            Of the kind that fits; anything else is a fault of the program.
        """
        started = datetime.now(UTC)
        job = Job.load(self._folder)
        self._reporter.started(job.method, job.device)
        values = check_job(job, self._folder)
        self._check_replaced(job, values)
        if job.device != "auto":
            # Refused before anything is read; auto cannot fail, and asking costs seconds that a bad input may save.
            resolve_device(job.device)
        job = self._hashed(job)
        redact = redactor_of(job)
        fingerprint = fingerprint_of(job, values)
        data, reference = read_inputs(job, self._folder, self._reporter)
        if job.simulate is not None:
            data, truth = self._simulate(job, data)
            reference = reference or truth
        if job.frames is not None:
            data = only_frames(data, *job.frames)
            reference = cut_alike(reference, job.frames)
        self._reporter.stage(0.08, "Starting the method")
        # Seconds of loading, which would pass for slow first iterations.
        import torch  # noqa: F401

        device = resolve_device(job.device)
        kept = SavedState(self._folder, identity_of(fingerprint, device), self._reporter)
        series = self._reconstruct(job, data, values, device, kept)
        consistency = self._consistency(job, data, series, device)
        self._reporter.stage(RECONSTRUCTION[1], "Comparing with the reference")
        metrics = compare(job, series, reference, self._reporter)
        used = values.model_dump(mode="json")
        origin = provenance.of_result(job, used, self._simulation(job), device, self._reporter.warnings)
        origin["parts"] = list(series.parts)
        origin["weights_sha256"] = provenance.weights_of(series)
        series = series.with_metadata(**redacted({**series.metadata, "provenance": origin}, redact))
        parts, output = self._write(job, series)
        try:
            figures = series.metadata.get("figures")
            run = {
                "started_at": started.isoformat(timespec="seconds"),
                "wall_time_s": round(self._reporter.elapsed_s, 3),
                "peak_memory": provenance.peak_memory(device),
                "cost": self._cost,
                "command": provenance.shell_command(job),
                "inputs": [{"path": str(one.resolved(self._folder)), "sha256": one.sha256} for one in job.all_inputs()],
                "output": output,
                "fingerprint": fingerprint,
                "resumed": kept.resumed,
                "metrics": metrics,
                "figures": figures,
                "data_consistency": consistency,
                "warnings": self._reporter.warnings,
            }
            files.write_json(self._folder / files.PROVENANCE, redacted({**origin, **run}, redact))
        except BaseException:
            # Without its record the output would pass for somebody else's, and no repeat could replace it.
            _remove_output(output)
            raise
        return {
            "path": str(self._folder / files.RESULT),
            "output": None if output is None else output["path"],
            "parts": {name: str(path) for name, path in parts.items()},
            "output_parts": {name: one["path"] for name, one in (output or {}).get("parts", {}).items()},
            "transforms": (output or {}).get("transforms", []),
            "frames": series.frames,
            "elapsed_s": round(self._reporter.elapsed_s, 2),
            "provenance": str(self._folder / files.PROVENANCE),
            "metrics": means_of(metrics),
            "data_consistency": None if consistency is None else sum(consistency) / len(consistency),
        }

    def _check_replaced(self, job: Job, values: Any) -> None:
        output = job.output_path(self._folder)
        if output is None or self._overwrite:
            return
        made = self._made_output or {}
        ours = {one.get("path"): one.get("sha256") for one in [made, *made.get("parts", {}).values()]}
        parts = registry.get(job.method).parts_of(values)
        beside = [*part_paths(output, parts).values(), *transforms_of(job, output)]
        redact = redactor_of(job)
        for path in [output, *beside]:
            name = redact(str(path))
            if name in made.get("transforms", []) or not path.exists():
                continue
            if ours.get(name) != sha256_of(path, self._stop.check):
                raise InputError(
                    f"The output {path} exists already and is not from this job: move it away, or repeat with "
                    "--overwrite."
                )

    def _hashed(self, job: Job) -> Job:
        """The job with the hash of every input, saved when one was new.

        Raises
        ------
        InputError
            An input is not what it was when the job ran first.
        """
        self._reporter.stage(0.0, "Checking the input")
        before = job.model_dump()
        for one in job.all_inputs():
            digest = sha256_of(one.resolved(self._folder), self._stop.check)
            if one.sha256 not in (None, digest):
                raise InputError(
                    f"{one.path} has changed since this job was made (its SHA-256 differs): make a new job for it."
                )
            one.sha256 = digest
        if job.model_dump() != before:
            job.save(self._folder)
        return job

    def _simulate(self, job: Job, data: Data) -> tuple[KSpace, ImageSeries]:
        from DynamicMRIReconLib.acquisition.simulate import SeriesScene, simulate

        if not isinstance(data, ImageSeries):
            raise InputError("A simulated acquisition needs an image series as input; this is something else.")
        self._reporter.stage(0.05, "Simulating the acquisition")
        return simulate(SeriesScene(data), simulation_parameters(self._simulation(job) or {}))

    def _simulation(self, job: Job) -> dict[str, Any] | None:
        """Every parameter of the simulated acquisition; the job's seed is its seed unless it has one."""
        if job.simulate is None:
            return None
        settings: dict[str, Any] = {"seed": job.seed, **job.simulate}
        everything: dict[str, Any] = simulation_parameters(settings).model_dump(mode="json")
        return everything

    def _reconstruct(self, job: Job, data: Data, values: Any, device: str, kept: SavedState) -> ImageSeries:
        from DynamicMRIReconLib.pipeline import reconstruct

        method = registry.get(job.method)
        reason = method.why_not(data)
        if reason:
            raise InputError(reason)
        self._reporter.stage(RECONSTRUCTION[0], "Reconstructing")
        estimate = method.estimate(data, values, device)
        self._reporter.expect(estimate.seconds)
        first = job.frames[0] if job.frames else 0
        short = shortage(method, data, job.preset, dict(job.parameters), device, values, first)
        if short is not None and short.hopeless and job.memory_check:
            raise ResourceError(f"{short.sentence} To try it all the same: --no-memory-check.")
        if short is not None:
            self._reporter.warn(short.sentence)
        context = replace(self._reporter.context(device, job.seed, RECONSTRUCTION), keeper=kept)
        parameters: dict[str, Any] = dict(job.parameters)
        wall, cpu = time.perf_counter(), time.process_time()
        series = reconstruct(data, job.method, preset=job.preset, context=context, **parameters)
        self._cost = {
            "estimated_memory_bytes": round(estimate.memory_bytes),
            "estimated_s": round(estimate.seconds, 3),
            "wall_s": round(time.perf_counter() - wall, 3),
            "cpu_s": round(time.process_time() - cpu, 3),
        }
        return series

    def _consistency(self, job: Job, data: Data, series: ImageSeries, device: str) -> list[float] | None:
        """What each frame leaves unexplained of the measured data; None where nobody asked or it cannot be told."""
        if not job.data_consistency or not isinstance(data, KSpace):
            return None
        import torch

        from DynamicMRIReconLib.evaluation import data_consistency

        self._reporter.stage(RECONSTRUCTION[1], "Comparing with the measured data")
        try:
            found = data_consistency(data, series, device=device, progress=lambda _: self._stop.check())
        except InputError as error:
            self._reporter.warn(f"The result could not be compared with the measured data: {error}")
            return None
        except (MemoryError, torch.OutOfMemoryError):
            # The result is good whether or not it can be compared.
            self._reporter.warn("There was no memory left to compare the result with the measured data.")
            return None
        return [round(float(value), 6) for value in found]

    def _write(self, job: Job, series: ImageSeries) -> tuple[dict[str, Path], dict[str, Any] | None]:
        """Write the result and its parts; gives the parts' files in the job folder, and what ``output`` became."""
        from DynamicMRIReconLib import io
        from DynamicMRIReconLib.registration.transform_files import write_transforms

        self._reporter.stage(0.97, "Writing the result")
        parts = write_parts(self._folder / files.RESULT, series)
        io.write(self._folder / files.RESULT, series)
        output = job.output_path(self._folder)
        # From here on the files take their places, and a request to stop comes too late.
        self._stop.check()
        self._stop.hold = True
        if output is None:
            return parts, None
        placed: list[Path] = []
        try:
            beside = write_parts(output, series)
            placed += beside.values()
            io.write(output, series)
            placed.append(output)
            entries = {name: {"path": str(path), "sha256": sha256_of(path)} for name, path in beside.items()}
            written = {"path": str(output), "sha256": sha256_of(output), "parts": entries}
            if job.transforms:
                paths = transforms_of(job, output)
                write_transforms(paths, series.metadata["stacks"])
                written["transforms"] = [str(path) for path in paths]
        except BaseException:
            files.remove_all(placed)
            raise
        return parts, written


def _remove_output(output: dict[str, Any] | None) -> None:
    """Delete what ``_write`` wrote as the further output."""
    if output is None:
        return
    paths = [output["path"], *(part["path"] for part in output["parts"].values()), *output.get("transforms", [])]
    files.remove_all([Path(path) for path in paths])
