"""``recon``: reconstruct a file, or run the job in a folder."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Callable
from contextlib import redirect_stdout, suppress
from pathlib import Path
from typing import Any

from DynamicMRIReconLib.cli_common import add_read_options, add_scheduler_options, read_options, tls_of
from DynamicMRIReconLib.cli_ending import note, raised, without_folder
from DynamicMRIReconLib.cli_recon_job import job_of
from DynamicMRIReconLib.errors import Cancelled, InputError, ReconError


def add_command(commands: Any) -> None:
    """Add ``recon`` to the command line."""
    parser = commands.add_parser(
        "recon",
        help="reconstruct k-space (or improve a series) with one of the methods",
        description="Reconstruct INPUT into OUT, or run (or repeat) the job in a folder. Not for diagnostic use.",
    )
    parser.add_argument("inputs", nargs="*", metavar="INPUT", help="k-space file or series; several: image stacks")
    parser.add_argument("--job", metavar="FOLDER", help="run the job in this folder instead of INPUT and OUT")
    parser.add_argument("--method", metavar="KEY", help="see: dynamic-mri-recon methods")
    parser.add_argument("--preset", metavar="NAME", help="fast, standard (the default) or faithful")
    parser.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", dest="settings", help="a parameter of the method"
    )
    parser.add_argument(
        "--sweep",
        action="extend",
        nargs="+",
        metavar="NAME=V1,V2,...",
        help="try every combination (at most 100) and write the best: with --reference the highest PSNR, else the "
        "corner of an L-curve over one weight; OUT-sweep.csv and OUT-l-curve.png tell about all",
    )
    stacks = parser.add_argument_group("stacks", "for methods that make one volume of several INPUTs")
    stacks.add_argument("--masks", nargs="+", metavar="FILE", help="what counts: one mask, or one for each INPUT")
    stacks.add_argument("--grid", metavar="FILE", help="make the result on the voxel grid of this volume")
    stacks.add_argument(
        "--transforms", action="store_true", help="write how each stack was moved: OUT.stack-1.tfm ... (ITK, 3D Slicer)"
    )
    parser.add_argument("--output", metavar="OUT", help="file to write: .seq.nrrd, .nii.gz, .npz ...")
    parser.add_argument("--reference", metavar="FILE", help="series to compare the result with")
    parser.add_argument(
        "--cardiac",
        metavar="auto|published|x0,y0,x1,y1",
        help="with --reference: also CardiacPSNR and CardiacSSIM, in this box of it (see: evaluate)",
    )
    parser.add_argument(
        "--simulate",
        metavar="NAME=VALUE,...",
        help="teaching mode: INPUT is a series; reconstruct a simulated acquisition of it (trajectory=radial,shots=13)",
    )
    parser.add_argument(
        "--frames", metavar="A:B", help="a quick look: only frames A to B - 1, counted from 0 (default: all)"
    )
    parser.add_argument(
        "--data-consistency",
        action="store_true",
        help="also tell how much of the measured data the result leaves unexplained (frame by frame in the record)",
    )
    parser.add_argument(
        "--private", action="store_true", help="file names become hashes in log, record and the result's header"
    )
    parser.add_argument(
        "--no-memory-check", action="store_true", help="try also what needs more memory than this computer has"
    )
    parser.add_argument("--device", help="auto (the default), cpu, cuda, cuda:n or mps")
    parser.add_argument("--seed", type=int, metavar="N", help="of all random numbers (default 0)")
    parser.add_argument("--events", action="store_true", help="JSON lines on standard output instead of a bar")
    parser.add_argument("--overwrite", action="store_true", help="with --job: its extra output may replace any file")
    remote = parser.add_argument_group("on a cluster", "with --job: the scheduler's workers must see the same paths")
    add_scheduler_options(remote)
    add_read_options(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Reconstruct."""
    if arguments.job is not None:
        return _run_folder(arguments)
    tls_of(arguments)
    if arguments.scheduler is not None:
        raise InputError("--scheduler goes with --job, or with batch: a folder that the scheduler's workers see too.")
    for name in ("inputs", "method", "output"):
        if not getattr(arguments, name):
            what = "an INPUT" if name == "inputs" else f"--{name}"
            raise InputError(f"recon needs {what} (see: dynamic-mri-recon recon --help)")
    if arguments.sweep:
        from DynamicMRIReconLib.cli_sweep import run_sweep

        return int(_or_event(arguments, lambda: run_sweep(arguments, job_of, raised)))
    job = _or_event(arguments, lambda: job_of(arguments))
    return _run_once(job, arguments.events)


def _run_once(job: Any, events: bool) -> int:
    """Run a job in a folder that goes afterwards; it stays where a run that failed can go on from its state."""
    from DynamicMRIReconLib.jobs import files

    folder, stays = Path(tempfile.mkdtemp(prefix="dynamic-mri-recon-")), False
    try:
        job.save(folder)
        return _watch(folder, events, _here(["--overwrite"]), stays=False)
    except ReconError as error:
        stays = not isinstance(error, InputError | Cancelled) and (folder / files.STATE).is_dir()
        if not stays:
            raise
        again = f"dynamic-mri-recon recon --overwrite --job {folder}"
        raise type(error)(f"{error} It can go on from where it was: {again}") from error
    finally:
        if not stays:
            shutil.rmtree(folder, ignore_errors=True)


def _or_event(arguments: argparse.Namespace, work: Callable[[], Any]) -> Any:
    """What ``work`` gives; an error out of it is also told as an event to whoever asked for events."""
    from DynamicMRIReconLib.cli_progress import display

    try:
        return work()
    except ReconError as error:
        if arguments.events:
            cancelled = isinstance(error, Cancelled)
            kind = {"event": "cancelled"} if cancelled else {"event": "error", "kind": error.kind}
            display(events=True).show({**kind, "message": str(error)})
        raise


def _run_folder(arguments: argparse.Namespace) -> int:
    ours = (
        *("inputs", "method", "preset", "settings", "sweep", "output", "reference", "simulate"),
        *("frames", "device", "seed", "masks", "grid", "cardiac"),
    )
    others = [getattr(arguments, name) for name in ours]
    flags = arguments.data_consistency or arguments.transforms or arguments.private or arguments.no_memory_check
    if any(value not in (None, []) for value in others) or flags or read_options(arguments):
        raise InputError("recon --job takes everything from the job file: leave out the input and the other options.")
    folder = Path(arguments.job)
    if arguments.scheduler is not None:
        from DynamicMRIReconLib.batch.remote import SchedulerRunner

        runner = SchedulerRunner(arguments.scheduler, tls_of(arguments), overwrite=arguments.overwrite)
        return _watch(folder, arguments.events, runner, stays=True)
    if not arguments.events:
        return _watch(folder, False, _here(["--overwrite"] if arguments.overwrite else []), stays=True)
    return _work(folder, arguments.overwrite)


def _here(extra_arguments: list[str]) -> Any:
    from DynamicMRIReconLib.jobs.local import LocalRunner

    return LocalRunner(extra_arguments=extra_arguments)


def _work(folder: Path, overwrite: bool) -> int:
    """Be the worker: run the job in this process, events on standard output."""
    import faulthandler

    from DynamicMRIReconLib.jobs.worker import run_job

    # Fails where standard error is no real file, as in tests.
    with suppress(ValueError, OSError, AttributeError):
        faulthandler.enable()
    last: dict[str, Any] = {}
    events = sys.stdout
    # What a library prints must not come between the events.
    with redirect_stdout(sys.stderr):
        code = run_job(folder, echo_events=events, listener=last.update, overwrite=overwrite)
    if last.get("event") in ("error", "cancelled"):
        raise raised(last)
    return code


def _watch(folder: Path, events: bool, runner: Any, *, stays: bool) -> int:
    """Run the job by ``runner`` and show what it tells; ``stays`` says whether its folder does."""
    from DynamicMRIReconLib.cli_failure import keep_log
    from DynamicMRIReconLib.cli_progress import display
    from DynamicMRIReconLib.cli_signals import cancelling
    from DynamicMRIReconLib.jobs import files

    shown = display(events=events)
    last: dict[str, Any] = {}

    def on_event(event: dict[str, Any]) -> None:
        last.clear()
        if not stays:
            event = without_folder(event, lambda text: keep_log(text, folder / files.LOG))
        last.update(event)
        shown.show(event)

    try:
        with cancelling(runner):
            code = runner.run(folder, on_event)
    finally:
        shown.close()
    if code != 0:
        raise raised(last if code != Cancelled.exit_code else {"event": "cancelled"})
    if not events:
        note(last)
    return code
