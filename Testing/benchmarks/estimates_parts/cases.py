"""What is measured: every method with data of several sizes. ``check`` marks sizes that no constant was fitted to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Case:
    """A method, its data (see ``data.sizes_of``), preset and parameters."""

    method: str
    data: str
    preset: str = "standard"
    parameters: dict[str, Any] = field(default_factory=dict)
    check: bool = False

    @property
    def name(self) -> str:
        """The same in a line."""
        settings = " ".join(f"{name}={value}" for name, value in self.parameters.items())
        return f"{self.method} | {self.data} | {self.preset} {settings}".rstrip()


SMALL, MIDDLE, LARGE = "radial f12 n96 c4 s13", "radial f20 n160 c8 s21", "radial f150 n128 c8 s21"
GRID, LARGE_GRID = "cartesian f24 n128 c6", "cartesian f100 n160 c8"
CHECK, SLICES = "radial f40 n112 c6 s9", "cartesian f40 n96 c4 z2"
UNMOVED: dict[str, Any] = {"registration": "none"}
ITERATIVE = ("cg-sense", "tv", "grasp", "space-time", "locally-low-rank", "low-rank-sparse")


def cases() -> list[Case]:
    """All of them; short ones first."""
    found = []
    for method in ("gridding", *ITERATIVE):
        found += [Case(method, SMALL), Case(method, GRID, "fast"), Case(method, CHECK, "fast", check=True)]
    found += [
        Case("gridding", MIDDLE),
        Case("gridding", LARGE_GRID, "fast"),
        Case("gridding", LARGE, "fast"),
        Case("gridding", SLICES, check=True),
        Case("cg-sense", LARGE, "fast"),
        Case("grasp", LARGE, "fast"),
        Case("grasp", SLICES, check=True),
        Case("grasp", SMALL, "faithful", check=True),
        Case("low-rank-sparse", LARGE_GRID, "fast"),
        Case("low-rank-sparse", SMALL, "faithful", check=True),
    ]
    for method in ("miccan", "speech"):
        found += [
            Case(method, "radial f8 n64 c4 s13", "fast"),
            Case(method, "radial f12 n84 c8 s9"),
            Case(method, "cartesian f24 n96 c4", "fast"),
            Case(method, "cartesian f120 n84 c1", check=True),
        ]
    found += [
        Case("st-inr", "radial f8 n64 c4 s13", "fast"),
        Case("st-inr", "radial f12 n96 c4 s13"),
        Case("st-inr", "cartesian f16 n96 c4", "fast"),
        Case("st-inr", "radial f20 n112 c6 s13", "fast", check=True),
        Case("st-inr", "radial f6 n48 c2 s13", "standard", {"representation": "hash-grid", "epochs": 40}),
        Case("st-inr", "radial f10 n64 c4 s13", "standard", {"representation": "hash-grid", "epochs": 20}, check=True),
        Case("cnn3d", "cartesian f12 n64 c1", "fast"),
        Case("cnn3d", "cartesian f24 n96 c4", "fast"),
        Case("cnn3d", "cartesian f24 n96 c4", check=True),
        Case("cnn3d", "cartesian f40 n128 c1", check=True),
        Case("cnn3d", "cartesian f30 n112 c6"),
        Case("cardiac-vsr", "series f12 n48", "fast"),
        Case("cardiac-vsr", "series f20 n96", "fast"),
        Case("cardiac-vsr", "series f20 n64 z2", "standard", {"scale": 4}),
        Case("cardiac-vsr", "series f30 n160"),
        Case("cardiac-vsr", "series f25 n128 z2", "fast", {"scale": 3}, check=True),
        Case("ifnet", "series f20 n64"),
        Case("ifnet", "series f30 n128", "standard", {"temporal_upsampling": 4}),
        Case("ifnet", "series f200 n96"),
        Case("ifnet", "series f24 n160 z2", check=True),
        Case("bicubic", "series f20 n96"),
        Case("bicubic", "series f100 n192", "standard", {"scale": 4}),
        Case("bicubic", "series f300 n256"),
        Case("bicubic", "series f60 n160 z3", "faithful", {"scale": 3}, check=True),
    ]
    for method in ("bspline", "srr", "irem"):
        found += [
            Case(method, "stacks n40 k4", "fast"),
            Case(method, "stacks n64 k4"),
            Case(method, "stacks n80 k5", "fast"),
            Case(
                method,
                "stacks n64 k4" if method == "irem" else "stacks n160 k4",
                "fast",
                UNMOVED,
                check=method == "irem",
            ),
        ]
    return found
