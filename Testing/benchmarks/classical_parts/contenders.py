"""Who competes: this library's methods, BART's pics with the matching regularisers, and sigpy."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from DynamicMRIReconLib.methods import registry

CHILD = Path(__file__).with_name("child.py")
#: the weights that are scaled together when a method is tuned
WEIGHTS = ("regularization", "spatial_regularization", "low_rank_regularization", "smoothness")
#: the sizes of BART's lambda that its search begins with; it scales the data itself
BART_LAMBDA = {"T": 0.01, "L": 0.009}
BART_ITERATIONS = 30
BART_MORE_ITERATIONS = 100


@dataclass(frozen=True)
class Contender:
    """One method of one tool.

    Attributes
    ----------
    tuned
        whether its weight is searched, or only its default taken.
    rival
        the contender whose PSNR it has to reach.
    options
        fixed parameters.
    """

    name: str
    tool: str
    method: str
    tuned: bool = True
    rival: str = ""
    options: dict[str, Any] = field(default_factory=dict)

    def parameters(self, factor: float, smoother: float = 1.0, lower: float = 1.0, mean: float = 0.0) -> dict[str, Any]:
        """What the run is told: the usual weights times ``factor``, rounded so that equal runs look equal.

        ``smoother`` multiplies the smoothness once more, ``lower`` the weight of the low-rank part; ``mean``
        is what the mean over time counts, when above 0 and the method has that.
        """
        if self.tool == "bart":
            return {**self.options, "lambda": float(f"{BART_LAMBDA[self.method] * factor:.3g}")}
        if self.tool == "sigpy":
            return dict(self.options)
        values = registry.get(self.method).parameters(**self.options).model_dump()
        own = {"smoothness": smoother, "low_rank_regularization": lower}
        factors = {name: factor * own.get(name, 1.0) for name in WEIGHTS}
        scaled = {
            name: float(f"{values[name] * factors[name]:.3g}") for name in WEIGHTS if name in values and self.tuned
        }
        if mean and "mean_weight" in values:
            scaled["mean_weight"] = mean
        return {**self.options, **scaled, **({"iterations": values["iterations"]} if "iterations" in values else {})}

    def command(self, place: Path, parameters: dict[str, Any], cartesian: bool) -> list[str]:
        """The child process; it leaves ``result.npz`` or ``result.cfl`` in ``place``."""
        if self.tool != "bart":
            words = [f"{name}={value}" for name, value in parameters.items()]
            return [sys.executable, str(CHILD), str(place), self.tool, self.method, *words]
        weight = parameters["lambda"]
        if self.method == "T":
            regulariser = ["-R", f"T:1024:0:{weight:g}"]
        else:
            # -e: without the largest eigenvalue its step is too long for non-Cartesian data and it diverges
            regulariser = ["-e", "-b", "8", "-R", f"L:3:3:{weight:g}"]
        trajectory = [] if cartesian else ["-t", str(place / "scan_traj")]
        files = [str(place / name) for name in ("scan", "maps", "result")]
        return ["bart", "pics", "-S", "-i", str(parameters["iterations"]), *regulariser, *trajectory, *files]


def _bart(regulariser: str, more: bool = False) -> Contender:
    iterations = BART_MORE_ITERATIONS if more else BART_ITERATIONS
    name = f"BART pics -R {regulariser}" + (f", -i {iterations}" if more else "")
    return Contender(name, "bart", regulariser, not more, options={"iterations": iterations})


#: ours and theirs in alternation
CONTENDERS = {
    contender.name: contender
    for contender in (
        Contender("gridding", "ours", "gridding", tuned=False),
        Contender("cg-sense", "ours", "cg-sense", tuned=False),
        Contender("sigpy SenseRecon", "sigpy", "SenseRecon", tuned=False, options={"max_iter": 12}),
        Contender("grasp", "ours", "grasp", rival="BART pics -R T"),
        _bart("T"),
        Contender("locally-low-rank", "ours", "locally-low-rank", rival="BART pics -R L"),
        _bart("L"),
        Contender("low-rank-sparse", "ours", "low-rank-sparse", rival="BART pics -R T"),
        Contender("space-time", "ours", "space-time"),
        Contender("tv", "ours", "tv"),
        _bart("T", more=True),
        _bart("L", more=True),
    )
}
