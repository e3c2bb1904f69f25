"""Which runs are watched: a command on a long series of 84 x 84 voxels, for several numbers of frames."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from long_series_parts import inputs
from long_series_parts.memory import Watched, watch

from DynamicMRIReconLib.models.architectures import build

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "unit" / "methods"))
import tiny_models

LONGEST = 25_000
LENGTHS = (500, 1000, 2000, 4000, LONGEST)


@dataclass(frozen=True)
class Case:
    """One row of figures.

    Attributes
    ----------
    kind, suffix, coils
        Of the input, see ``inputs``.
    networks
        The parameters that name weights, and what makes a small untrained network of that form: what it computes does
        not matter here, and 25,000 frames through one that ships take hours of a CPU.
    lengths
        Numbers of frames.
    output
        Suffix of the further output beside the job's own result.
    """

    method: str
    kind: str
    suffix: str
    coils: int = 1
    networks: dict[str, Callable[[Path], Path]] = field(default_factory=dict)
    parameters: dict[str, Any] = field(default_factory=dict)
    lengths: tuple[int, ...] = LENGTHS
    output: str = ""

    def run(self, frames: int, folder: Path) -> Watched:
        """Make the input in ``folder``, run the command there, and watch it."""
        source = folder / f"series{self.suffix}"
        inputs.write(source, self.kind, frames, self.coils)
        program = [sys.executable, "-m", "DynamicMRIReconLib"]
        environment = {"OMP_NUM_THREADS": "1", "TMPDIR": str(folder)}
        if self.method == "profile":
            line = " ".join(",".join(f"{x:g}" for x in end) for end in inputs.line_ras_mm())
            words = ["profile", str(source), "--line", line, "--output", str(folder / "profile.csv")]
            return watch([*program, *words], environment)
        job = folder / "job"
        job.mkdir()
        weights = {name: str(make(folder)) for name, make in self.networks.items()}
        entries = {"method": self.method, "inputs": [str(source)], "device": "cpu"}
        entries["parameters"] = {**self.parameters, **weights}
        if self.output:
            entries["output"] = str(job / f"out{self.output}")
        (job / "job.json").write_text(json.dumps(entries), encoding="utf-8")
        return watch([*program, "recon", "--job", str(job), "--events"], environment)


def _miccan(folder: Path) -> Path:
    options = {"blocks": 1, "features": 8}
    return tiny_models.write_model(folder, "miccan", build("miccan", options), options)


_MICCAN = {"weights": _miccan}
CASES: dict[str, Case] = {
    "gridding, radial, 4 coils, `.npz`": Case("gridding", "radial", ".npz", coils=4, output=".npz"),
    "gridding, radial, 4 coils, ISMRMRD": Case("gridding", "radial", ".h5", coils=4),
    "miccan, Cartesian, 1 coil, `.npz`": Case("miccan", "cartesian", ".npz", networks=_MICCAN),
    "ifnet, `.seq.nrrd`, twice the frames": Case(
        "ifnet", "series", ".seq.nrrd", networks={"weights": tiny_models.tiny_ifnet}
    ),
    "speech, Cartesian, 1 coil, twice the frames": Case(
        "speech", "cartesian", ".npz", networks={**_MICCAN, "interpolation_weights": tiny_models.tiny_ifnet}
    ),
    "cnn3d, Cartesian, 1 coil, `.npz`": Case(
        "cnn3d", "cartesian", ".npz", networks={"weights": tiny_models.tiny_cnn3d}
    ),
    "line profile of a `.seq.nrrd`": Case("profile", "series", ".seq.nrrd"),
    "cardiac-vsr, `.seq.nrrd`": Case(
        "cardiac-vsr",
        "series",
        ".seq.nrrd",
        networks={"weights": lambda folder: tiny_models.tiny_cardiac_vsr(folder, 2)},
        parameters={"ed_frame": 0, "es_frame": 20, "beats": 2},
        lengths=(50, 100, 200, 400, 800, 1600),
    ),
}
