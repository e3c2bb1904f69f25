"""Arrays without names: which axis is which, as the user says it."""

from __future__ import annotations

from typing import Any, Literal

from numpy.typing import NDArray

from DynamicMRIReconLib import spool
from DynamicMRIReconLib.errors import InputError
from DynamicMRIReconLib.io.centred_fft import ifft_axis

Kind = Literal["cartesian", "shots", "series"]
ORDER: dict[Kind, tuple[str, ...]] = {
    "cartesian": ("frames", "coils", "z", "ky", "kx"),
    "shots": ("frames", "coils", "z", "shots", "readout"),
    "series": ("frames", "z", "y", "x"),
}
# Both of these must be among the axes; the others may be absent.
NEEDED: dict[Kind, frozenset[str]] = {
    "cartesian": frozenset({"ky", "kx"}),
    "shots": frozenset({"shots", "readout"}),
    "series": frozenset({"y", "x"}),
}
KNOWN = ("frames", "coils", "z", "kz", "ky", "kx", "shots", "readout", "x", "y")
DROPPED = ("_", "1")
EXAMPLES = {
    True: {2: "ky,kx", 3: "coils,ky,kx", 4: "coils,frames,shots,readout", 5: "frames,coils,z,ky,kx"},
    False: {2: "y,x", 3: "frames,y,x", 4: "frames,z,y,x"},
}


def need_axes(array: NDArray[Any], name: str) -> InputError:
    """The error that says what is missing, with the shape and an example."""
    return InputError(
        f"{name} holds an array of shape {array.shape} but does not say which axis is which: name them in order with "
        f"--axes, for example --axes {_example(array)} (known: {', '.join(KNOWN)}, and _ for an axis of size 1)."
    )


def arrange(array: NDArray[Any], axes: tuple[str, ...], name: str) -> tuple[Kind, NDArray[Any]]:
    """What the named ``axes`` make of ``array``, and the array with the axes of ``ORDER`` (absent ones of size 1).

    ``kz`` is transformed to z (the other names mean what they say).

    Raises
    ------
    InputError
        Names that are unknown, missing, doubled or do not belong together, or not one name an axis.
    """
    if len(axes) != array.ndim:
        raise InputError(
            f"{name} has {array.ndim} axes (shape {array.shape}) but {len(axes)} names were given ({','.join(axes)}): "
            f"give one for each axis, for example {_example(array)}."
        )
    unknown = [axis for axis in axes if axis not in KNOWN + DROPPED]
    if unknown:
        raise InputError(f"Unknown axis {unknown[0]!r} for {name}; known are {', '.join(KNOWN)} and _.")
    for axis, size in zip(axes, array.shape, strict=True):
        if axis in DROPPED and size != 1:
            raise InputError(f"{name} has {size} elements on an axis called {axis}, which drops only axes of size 1.")
    array = array.reshape([n for axis, n in zip(axes, array.shape, strict=True) if axis not in DROPPED])
    names = [axis for axis in axes if axis not in DROPPED]
    if len(set(names)) != len(names):
        raise InputError(f"The axes {','.join(axes)} of {name} name one axis twice.")
    kind = _kind(set(names), name)
    if kind != "series" and array.dtype.kind != "c":
        raise InputError(f"{name} holds real numbers, but k-space is complex; name images with the axes y and x.")
    if "kz" in names:
        position = names.index("kz")
        array, names[position] = ifft_axis(array, position), "z"
    order = ORDER[kind]
    array = array.transpose([names.index(axis) for axis in order if axis in names])
    shape = iter(array.shape)
    sizes = [next(shape) if axis in names else 1 for axis in order]
    return kind, spool.contiguous(array).reshape(sizes)


def _kind(names: set[str], name: str) -> Kind:
    for kind, needed in NEEDED.items():
        if needed <= names:
            allowed = set(ORDER[kind]) | ({"kz"} if kind == "cartesian" and "z" not in names else set())
            wrong = sorted(names - allowed)
            if wrong:
                raise InputError(f"The axes {', '.join(sorted(needed))} of {name} do not go with {', '.join(wrong)}.")
            return kind
    raise InputError(
        f"The axes of {name} must hold ky and kx (Cartesian k-space), shots and readout (radial, spiral), or y and x "
        f"(images); given are {', '.join(sorted(names)) or 'none'}."
    )


def _example(array: NDArray[Any]) -> str:
    return EXAMPLES[array.dtype.kind == "c"].get(array.ndim, ",".join(KNOWN[: array.ndim]))
