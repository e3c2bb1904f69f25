"""``simulate``: k-space of a phantom, or of any image series (teaching mode)."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from DynamicMRIReconLib.cli_common import (
    add_series_options,
    existing,
    read_series,
    series_options,
    settings,
    value_of,
)
from DynamicMRIReconLib.errors import InputError

PHANTOMS = ("heart", "vocal-tract", "brain")
#: options that are ``SimulationParameters`` by name
_OPTIONS: tuple[tuple[str, type, str], ...] = (
    ("shots", int, "spokes or spiral arms a frame"),
    ("frames", int, "number of frames"),
    ("matrix", int, "image size N x N, in voxels"),
    ("coils", int, "number of receive coils"),
    ("noise", float, "standard deviation of the noise over the brightest voxel"),
    ("acceleration", float, "undersampling of a Cartesian acquisition"),
)


def add_command(commands: Any) -> None:
    """Add ``simulate`` to the command line."""
    parser = commands.add_parser("simulate", help="simulate the acquisition of a phantom or of an image series")
    parser.add_argument("scene", metavar="heart|vocal-tract|brain|SERIES", help="phantom, or file with an image series")
    parser.add_argument("--trajectory", required=True, choices=("radial", "spiral", "cartesian"))
    for name, kind, text in _OPTIONS:
        parser.add_argument(f"--{name}", type=kind, metavar="N" if kind is int else "X", help=text)
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of anatomy and noise (%(default)s)")
    parser.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", dest="settings", help="any other setting"
    )
    parser.add_argument("--output", required=True, metavar="OUT", help="k-space file: .h5, .npz or .cfl")
    parser.add_argument("--truth", metavar="TRUTH", help="also write the true images, for example truth.seq.nrrd")
    parser.add_argument(
        "--sound", metavar="OUT.wav", help="of vocal-tract: also write what is said, as .wav with a TextGrid beside it"
    )
    add_series_options(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Simulate and write."""
    from DynamicMRIReconLib.jobs.checks import check_output, simulation_parameters

    values: dict[str, Any] = {"trajectory": arguments.trajectory, "seed": arguments.seed}
    values |= {name: value for name, _, _ in _OPTIONS if (value := getattr(arguments, name)) is not None}
    values |= {name: value_of(text) for name, text in settings(arguments.settings, "--set").items()}
    parameters = simulation_parameters(values)
    source = None if arguments.scene in PHANTOMS else _series_file(arguments.scene)
    reading = series_options(arguments)
    if source is None and reading:
        raise InputError(f"--{' and --'.join(reading)} tell how to read a file: leave them out for a phantom.")
    outputs = [Path(arguments.output)] + ([Path(arguments.truth)] if arguments.truth else [])
    for output in outputs:
        check_output(output, [] if source is None else [source], holds="kspace" if output is outputs[0] else "series")
    if len({output.absolute() for output in outputs}) < len(outputs):
        raise InputError("--output and --truth name the same file: give two names.")
    sound = _sound_path(arguments)
    from DynamicMRIReconLib import io
    from DynamicMRIReconLib.acquisition.simulate import simulate

    scene = _scene(arguments.scene, source, arguments.seed, reading)
    kspace, truth = simulate(scene, parameters)
    io.write(outputs[0], kspace)
    if arguments.truth:
        io.write(outputs[1], truth)
    if sound is not None:
        from DynamicMRIReconLib.audio.of_phantom import write_sound

        write_sound(sound, scene.speech, float(2 * truth.times_s[-1] - truth.times_s[-2]) if truth.frames > 1 else 1.0)
    shape = " x ".join(str(n) for n in kspace.samples.shape)
    print(f"Simulated {kspace.frames} frames, {kspace.coils} coils, samples {shape} -> {outputs[0]}.")
    return 0


def _sound_path(arguments: argparse.Namespace) -> Path | None:
    if arguments.sound is None:
        return None
    path = Path(arguments.sound)
    if arguments.scene != "vocal-tract":
        raise InputError(f"--sound goes with the phantom vocal-tract: {arguments.scene} says nothing.")
    if path.suffix.lower() != ".wav" or not path.parent.is_dir():
        raise InputError(f"--sound {path} must be a .wav file in a folder that exists.")
    for one in (path, path.with_suffix(".TextGrid")):
        if one.exists():
            raise InputError(f"{one} exists already: name another sound file.")
    return path


def _series_file(name: str) -> Path:
    try:
        return existing(name)
    except InputError as error:
        raise InputError(f"{name!r} is neither a phantom ({', '.join(PHANTOMS)}) nor a file that exists.") from error


def _scene(name: str, source: Path | None, seed: int, reading: dict[str, Any]) -> Any:
    if source is None:
        from DynamicMRIReconLib import phantoms

        return phantoms.get(name, seed)
    from DynamicMRIReconLib.acquisition.simulate import SeriesScene

    return SeriesScene(read_series(source, **reading))
