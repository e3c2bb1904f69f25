"""Makes the small series that the module ships for Slicer's Sample Data, with their thumbnails.

A real short-axis cine (``Resources/SampleData/cine_sax``, CC0) and a simulated speaker with sound and labels.
``--write`` makes the files anew; a test compares them with what they are made from.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
CINE = ROOT / "Resources" / "SampleData" / "cine_sax"
FOLDER = ROOT / "DynamicMRIRecon" / "Resources" / "SampleData"
ICONS = ROOT / "DynamicMRIRecon" / "Resources" / "Icons"
SPEECH_FRAMES, SPEECH_FRAME_S, SPEECH_MATRIX = 60, 0.04, 84


def cine() -> Any:
    """The real cine as whole numbers, which is what its DICOM files hold."""
    from DynamicMRIReconLib import io

    series = io.read(CINE)
    notes = {"source": "SCD2001 of the Sunnybrook Cardiac Data, CC0 1.0; series of 20 frames, de-identified"}
    return type(series)(series.array, series.affine, series.times_s, metadata=notes)


def speech() -> Any:
    """The speaking phantom: 2.4 s at 25 frames per s, 84 x 84 voxels."""
    from DynamicMRIReconLib import phantoms
    from DynamicMRIReconLib.data import ImageSeries

    scene = phantoms.get("vocal-tract", 0)
    times = (np.arange(SPEECH_FRAMES) + 0.5) * SPEECH_FRAME_S
    shape = (1, SPEECH_MATRIX, SPEECH_MATRIX)
    array = np.round(1000 * np.abs(scene.render(times, shape)).astype(np.float32))
    notes = {"source": "simulated: the speaking vocal tract of DynamicMRIRecon, not a person"}
    return ImageSeries(array, scene.geometry(shape).affine, times, metadata=notes)


def write() -> None:
    """Write series, sound, labels and thumbnails."""
    from DynamicMRIReconLib import io, phantoms
    from DynamicMRIReconLib.audio.of_phantom import write_sound

    FOLDER.mkdir(exist_ok=True)
    for name, series, frame in (("CineShortAxis", cine(), 0), ("SpeakingVocalTract", speech(), 20)):
        io.write(FOLDER / f"{name}.seq.nrrd", series)
        _thumbnail(series.array[frame, 0], ICONS / f"{name}.png")
    with tempfile.TemporaryDirectory() as folder:
        made = write_sound(
            Path(folder) / "SpeakingVocalTract.wav",
            phantoms.get("vocal-tract", 0).speech,
            SPEECH_FRAMES * SPEECH_FRAME_S,
        )
        for path in made:
            (FOLDER / path.name).write_bytes(path.read_bytes())


def _thumbnail(image: np.ndarray, path: Path) -> None:
    from PIL import Image

    low, high = np.percentile(image, (1, 99.5))
    grey = np.clip(255 * (image - low) / (high - low), 0, 255).astype(np.uint8)
    Image.fromarray(grey).resize((160, 160)).save(path, optimize=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", required=True, help="make the files anew")
    parser.parse_args()
    write()
