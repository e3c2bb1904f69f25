"""Made data of any size, each in a file that is made once: simulated scans, cines and stacks of phantoms."""

from __future__ import annotations

import sys
from pathlib import Path

#: a line of data: kind, then sizes by one letter: frames, side, coils, shots, slices, factor of the stacks
Sizes = dict[str, int]


def sizes_of(name: str) -> tuple[str, Sizes]:
    """``radial f12 n96 c4 s13`` as kind and sizes."""
    kind, *words = name.split()
    return kind, {word[0]: int(word[1:]) for word in words}


def files_of(name: str, folder: Path) -> list[Path]:
    """The files of the data, which are made where they are missing."""
    stem = name.replace(" ", "-")
    paths = [folder / f"{stem}-{k}.npz" for k in range(3)] if name.startswith("stacks") else [folder / f"{stem}.npz"]
    if not all(path.exists() for path in paths):
        import subprocess

        # in a process of its own: what this one has held would count as the worker's memory
        subprocess.run([sys.executable, __file__, name, *map(str, paths)], check=True)
    return paths


def make(name: str, paths: list[Path]) -> None:
    """Make the data."""
    from DynamicMRIReconLib import io

    kind, sizes = sizes_of(name)
    made = {"stacks": _stacks, "series": _series}.get(kind)
    parts = made(sizes) if made else [_scan(kind, sizes)]
    for path, part in zip(paths, parts, strict=True):
        part_file = path.with_name(f"part-{path.name}")
        io.write(part_file, part)
        part_file.rename(path)


def _scan(kind, sizes):
    from DynamicMRIReconLib import phantoms
    from DynamicMRIReconLib.acquisition.simulate import SimulationParameters, simulate

    shots = {} if kind == "cartesian" else {"shots": sizes["s"]}
    settings = SimulationParameters(
        trajectory=kind,
        matrix=sizes["n"],
        frames=sizes["f"],
        coils=sizes["c"],
        slices=sizes.get("z", 1),
        times_per_frame=1,
        **shots,
    )
    return simulate(phantoms.get("heart"), settings)[0]


def _series(sizes):
    import numpy as np

    from DynamicMRIReconLib import phantoms
    from DynamicMRIReconLib.data import ImageSeries

    scene, shape = phantoms.get("heart"), (sizes.get("z", 1), sizes["n"], sizes["n"])
    # one beat is rendered, and comes back in longer series
    beat = min(sizes["f"], 30)
    times = np.arange(beat) * scene.duration_s / beat
    images = np.abs(scene.render(times, shape))[np.arange(sizes["f"]) % beat]
    return [ImageSeries(images, scene.geometry(shape).affine, np.arange(sizes["f"]) * scene.duration_s / beat)]


def _stacks(sizes):
    import numpy as np

    from DynamicMRIReconLib import phantoms
    from DynamicMRIReconLib.acquisition.thick_slices import thick_slices
    from DynamicMRIReconLib.data import ImageSeries

    scene, shape = phantoms.get("brain"), (sizes["n"],) * 3
    volume = ImageSeries(np.abs(scene.render([0.0], shape)), scene.geometry(shape).affine, np.zeros(1))
    return [thick_slices(volume, axis, sizes["k"]) for axis in range(3)]


if __name__ == "__main__":
    make(sys.argv[1], [Path(word) for word in sys.argv[2:]])
