"""``export``: a series in other formats: DICOM, movie, NIfTI ..."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from DynamicMRIReconLib.cli_common import add_series_options, existing, read_series, series_options
from DynamicMRIReconLib.errors import InputError


def add_command(commands: Any) -> None:
    """Add ``export`` to the command line."""
    parser = commands.add_parser(
        "export",
        help="write a series in other formats: DICOM, movie, NIfTI",
        description="Write SERIES in the format that each OUT's suffix tells: .dcm (one multi-frame DICOM file), "
        ".dicom (a new folder of single DICOM images), .mp4, .gif, .nii.gz, .seq.nrrd, .npz. Not for diagnostic use.",
    )
    parser.add_argument("series", metavar="SERIES", help="image series")
    parser.add_argument("--output", required=True, nargs="+", action="extend", metavar="OUT", help="what to write")
    parser.add_argument(
        "--patient-from",
        metavar="DICOM",
        help="DICOM file or folder whose patient and study the DICOM output shall carry (default: nobody's)",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace files that exist")
    parser.add_argument("--events", action="store_true", help="JSON lines on standard output that tell the progress")
    add_series_options(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Check every output, then write."""
    from DynamicMRIReconLib import io
    from DynamicMRIReconLib.cli_signals import terminable
    from DynamicMRIReconLib.io import formats
    from DynamicMRIReconLib.jobs.checks import check_output
    from DynamicMRIReconLib.jobs.events import EventWriter

    source = existing(arguments.series)
    patient = None if arguments.patient_from is None else existing(arguments.patient_from)
    outputs = [Path(name) for name in arguments.output]
    options: list[dict[str, Any]] = []
    for path in outputs:
        check_output(path, [source, *([] if patient is None else [patient])])
        if path.exists() and not arguments.overwrite:
            raise InputError(f"The output {path} exists already: name another, or add --overwrite.")
        named = patient is not None and "patient_from" in getattr(formats.for_writing(path)[0], "WRITE_OPTIONS", ())
        options.append({"patient_from": patient} if named else {})
    if patient is not None and not any(options):
        raise InputError("--patient-from is for DICOM output (.dcm, .dicom): leave it out, or name such an output.")
    events = EventWriter(None, sys.stdout if arguments.events else None)
    with terminable():
        series = read_series(source, **series_options(arguments))
        for index, (path, option) in enumerate(zip(outputs, options, strict=True)):
            events.emit("progress", fraction=index / len(outputs), message=f"Writing {path.name}")
            io.write(path, series, **option)
    events.emit("done", outputs=[str(path) for path in outputs], frames=series.frames)
    if arguments.events:
        return 0
    print(f"{series.frames} frames -> {', '.join(str(path) for path in outputs)}. Not for diagnostic use.")
    return 0
