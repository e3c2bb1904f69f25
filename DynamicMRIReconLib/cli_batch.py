"""``batch``: the jobs of a manifest, on this computer or on a Dask cluster.

Exit codes besides those of all commands: 4, at least one row failed (the others are done).
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from DynamicMRIReconLib.cli_common import add_scheduler_options, tls_of
from DynamicMRIReconLib.errors import Cancelled, InputError

#: at least one row of a batch that came to its end is not done
EXIT_PARTLY = 4
#: options of ``recon`` that hold for every row
_FOR_ALL = ("private", "no_memory_check")


def add_command(commands: Any) -> None:
    """Add ``batch`` to the command line."""
    parser = commands.add_parser(
        "batch",
        help="run the jobs of a table (CSV), here or on a Dask cluster",
        description="Run every line of MANIFEST.csv as a job. Its columns: input, method, output and what else recon "
        "knows (preset, parameters, device, seed ...). What is done already is not done again. Exit codes: 0 all rows "
        "are done, 2 the manifest is wrong and nothing was started, 3 cancelled, 4 some rows failed. Not for "
        "diagnostic use.",
    )
    parser.add_argument("manifest", metavar="MANIFEST.csv", help="a job a line; relative paths start at its folder")
    parser.add_argument(
        "--folder", metavar="FOLDER", help="for logs, records and summary.csv (default: MANIFEST-batch beside it)"
    )
    where = parser.add_argument_group("where the rows run", "default: a Dask cluster of processes on this computer")
    where.add_argument("--local", action="store_true", help="one row after the other, without Dask")
    where.add_argument("--workers", type=int, metavar="N", help="processes (default: one for each GPU, at least one)")
    where.add_argument(
        "--threads", type=int, metavar="N", help="threads of each row (default: all cores shared among the workers)"
    )
    add_scheduler_options(where)
    parser.add_argument("--private", action="store_true", help="file names become hashes in logs, records and results")
    parser.add_argument(
        "--no-memory-check", action="store_true", help="try also what needs more memory than this computer has"
    )
    parser.add_argument(
        "--overwrite", action="store_true", help="outputs may replace files that are not from this batch"
    )
    parser.add_argument("--check", action="store_true", help="only check the manifest")
    parser.add_argument("--events", action="store_true", help="JSON lines on standard output instead of a bar")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Check the manifest, run what is not done, tell how it went."""
    from DynamicMRIReconLib.batch import follow
    from DynamicMRIReconLib.batch.cluster import need_dask
    from DynamicMRIReconLib.batch.summary import Result, count_of, counted, shown
    from DynamicMRIReconLib.cli_progress import display
    from DynamicMRIReconLib.cli_signals import cancelling
    from DynamicMRIReconLib.jobs.lock import FolderLock

    _check_options(arguments)
    if not (arguments.local or arguments.check):
        need_dask()
    manifest = Path(arguments.manifest).absolute()
    place = Path(arguments.folder).absolute() if arguments.folder else manifest.with_name(f"{manifest.stem}-batch")
    rows = _checked(arguments, manifest, place)
    if arguments.check:
        print(f"{manifest.name} is right ({count_of(len(rows))}).")
        return 0
    _make(place)
    screen = display(events=arguments.events)
    stop = follow.Stop(place)
    results: list[Result]
    try:
        with FolderLock(place), cancelling(stop):
            stop.path.unlink(missing_ok=True)
            screen.show({"event": "started", "rows": len(rows), "folder": str(place)})
            done, todo = follow.split_done(rows, stop)
            for row in todo:
                follow.prepare(row)
            with _engine(arguments, todo, stop, place, screen.show) as engine:
                results = follow.follow(todo, done, engine, stop, place, screen.show)
            stop.path.unlink(missing_ok=True)
    finally:
        screen.close()
    good = all(one.good for one in results)
    if arguments.events:
        kind = "done" if good else "cancelled" if stop.requested else "error"
        screen.show(
            {"event": kind, "message": counted(results), "kind": "input", "summary": str(place / "summary.csv")}
        )
    else:
        print(shown(results))
        print(f"-> {place / 'summary.csv'}. Not for diagnostic use.")
    if good:
        return 0
    return Cancelled.exit_code if stop.requested else EXIT_PARTLY


def _check_options(arguments: argparse.Namespace) -> None:
    if arguments.local and (arguments.scheduler or arguments.workers):
        raise InputError("--local runs the rows here, one after the other: leave out --scheduler and --workers.")
    if arguments.scheduler and arguments.workers:
        raise InputError("--workers is for workers on this computer; the scheduler has its own: leave it out.")
    tls_of(arguments)
    for name in ("workers", "threads"):
        value = getattr(arguments, name)
        if value is not None and not 1 <= value <= 1024:
            raise InputError(f"--{name} {value}: give a number from 1 to 1024.")


def _checked(arguments: argparse.Namespace, manifest: Path, place: Path) -> list[Any]:
    from DynamicMRIReconLib.batch.manifest import read_manifest
    from DynamicMRIReconLib.batch.rows import checked_rows
    from DynamicMRIReconLib.cli import build_parser
    from DynamicMRIReconLib.cli_recon_job import job_of

    parser = build_parser()
    lines = read_manifest(manifest)
    rows, complaints = checked_rows(
        lines,
        manifest.parent,
        place,
        lambda words: job_of(parser.parse_args(["recon", *words])),
        overwrite=arguments.overwrite,
        options=tuple(f"--{name.replace('_', '-')}" for name in _FOR_ALL if getattr(arguments, name)),
    )
    if not complaints:
        return rows
    for sentence in complaints:
        print(f"{manifest.name}, {' '.join(sentence.split())}", file=sys.stderr)
    count = len({sentence.partition(":")[0] for sentence in complaints})
    raise InputError(f"{count} of {len(lines)} rows of {manifest.name} are wrong, see above; nothing was started.")


def _make(place: Path) -> None:
    try:
        place.mkdir(exist_ok=True)
    except OSError as error:
        raise InputError(
            f"The folder {place} cannot be made: {error.strerror or error}; name one with --folder."
        ) from error


@contextmanager
def _engine(arguments: argparse.Namespace, todo: list[Any], stop: Any, place: Path, tell: Any) -> Iterator[Any]:
    """Who runs the rows; nothing is started or contacted when there are none."""
    from DynamicMRIReconLib.batch import cluster
    from DynamicMRIReconLib.batch.engines import InTurn, OnDask

    if arguments.local or not todo:
        in_turn = InTurn(stop.path, arguments.threads)
        try:
            yield in_turn
        finally:
            in_turn.close()
        return
    log = place / "dask.log"
    if arguments.scheduler:
        client_of = cluster.scheduler_client(arguments.scheduler, tls_of(arguments), log)
        threads = arguments.threads
    else:
        workers = min(arguments.workers or max(1, cluster.gpus()), len(todo))
        client_of, threads = cluster.local_client(workers, log), _threads(arguments, workers)
    with client_of as client:
        engine = OnDask(client, stop.path, threads, grows=bool(arguments.scheduler))
        for sentence in engine.warnings(todo):
            tell({"event": "warning", "message": sentence})
        yield engine


def _threads(arguments: argparse.Namespace, workers: int) -> int | None:
    """Threads of each row: as told, what the environment says, or a share of the cores; alone, what ``recon`` takes."""
    if arguments.threads is not None or workers == 1 or "OMP_NUM_THREADS" in os.environ:
        return arguments.threads
    return max(1, (os.cpu_count() or 1) // workers)
