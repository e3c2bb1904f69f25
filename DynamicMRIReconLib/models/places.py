"""Where models lie: those that ship with the program, and the user's own."""

from __future__ import annotations

import sys
from pathlib import Path

from DynamicMRIReconLib.errors import InputError

SUFFIX = ".safetensors"
#: in a checkout of the source, beside the library in Slicer, and where pip puts a package's data
FOLDERS = (
    Path(__file__).resolve().parents[2] / "Resources" / "Models",
    Path(__file__).resolve().parents[1] / "Resources" / "Models",
    Path(sys.prefix) / "share" / "dynamic-mri-recon" / "Models",
)


def shipped() -> dict[str, Path]:
    """The models that ship, by name."""
    for folder in FOLDERS:
        found = {path.stem: path for path in sorted(folder.glob(f"*{SUFFIX}"))}
        if found:
            return found
    return {}


def card_of(path: Path) -> Path:
    """The card of the weights ``path``: beside them, ending in ``.json``."""
    return path.with_suffix(".json")


def find(id_or_path: str | Path) -> Path:
    """The file of weights of a model's name or file name.

    Raises
    ------
    InputError
        If there is none.
    """
    text = str(id_or_path)
    models = shipped()
    if text in models:
        return models[text]
    path = Path(id_or_path)
    if path.suffix != SUFFIX:
        have = f"those that ship are {', '.join(models)}" if models else "none ship with this installation"
        raise InputError(f"There is no model {text!r}: {have}; or name a {SUFFIX} file.")
    if not path.is_file():
        raise InputError(f"The weights {path} do not exist: check the name.")
    return path
