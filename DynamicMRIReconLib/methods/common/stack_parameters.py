"""Parameters that all methods share which make one volume of several stacks."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from DynamicMRIReconLib.methods.base import Parameters, parameter

Row = Annotated[list[float], Field(min_length=4, max_length=4)]


class Grid(BaseModel):
    """A voxel grid in numbers: ``shape`` (z, y, x) and ``affine``, voxel index to RAS mm."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    shape: Annotated[list[Annotated[int, Field(ge=1, le=4096)]], Field(min_length=3, max_length=3)]
    affine: Annotated[list[Row], Field(min_length=4, max_length=4)]


class StackParameters(Parameters):
    """What to make of the stacks, and how they are brought together."""

    voxel_size_mm: float | None = parameter(
        None, "Size of the cubic voxels of the result; automatic: the finest pixel size of the stacks.",
        ge=0.05, le=50, unit="mm",
    )  # fmt: skip
    registration: Literal["rigid", "none"] = parameter(
        "rigid", "Bring all stacks onto the fixed one by rigid registration, or trust the scanner's positions."
    )
    fixed_stack: int = parameter(1, "Number of the stack that stays where it is; the others move.", ge=1)
    registration_refinements: int = parameter(
        1, "Rounds in which each stack is aligned with what the others say of it, slice thickness heeded.", ge=0, le=10,
        advanced=True,
    )  # fmt: skip
    slice_thickness_mm: float | None = parameter(
        None, "Thickness of the slices of all stacks; automatic: what the files say, else the distance of slices.",
        gt=0, le=200, unit="mm",
    )  # fmt: skip
    intensity_matching: Literal["scale", "linear", "none"] = parameter(
        "scale", "Match each stack's brightness to the fixed one: by a factor, by a factor and an offset, or not.",
        advanced=True,
    )  # fmt: skip
    field_of_view: Literal["overlap", "union", "fixed"] = parameter(
        "overlap", "What the result covers: where two stacks or more lie, where any lies, or the fixed stack.",
        advanced=True,
    )  # fmt: skip
    region_mm: list[float] | None = parameter(
        None, "Box to make instead: right, right, anterior, anterior, superior, superior (from, to each), in RAS.",
        unit="mm", advanced=True, min_length=6, max_length=6,
    )  # fmt: skip
    grid: Grid | None = parameter(
        None, "Voxel grid to make instead, {shape: [z, y, x], affine: 4 x 4}; --grid takes that of a file.",
        advanced=True,
    )  # fmt: skip
