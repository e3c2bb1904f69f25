"""The module's samples in Slicer's Sample Data: shipped with it, so that nothing is downloaded."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

CATEGORY = "Dynamic MRI"
RESOURCES = Path(__file__).resolve().parents[1] / "Resources"
FOLDER = RESOURCES / "SampleData"
#: name of the file and of the node, and of the sample, which Slicer shows
SAMPLES = {
    "CineShortAxis": "Cine of the heart (Sunnybrook, CC0)",
    "SpeakingVocalTract": "Speech, simulated",
}
SOUND, LABELS = FOLDER / "SpeakingVocalTract.wav", FOLDER / "SpeakingVocalTract.TextGrid"


def register(*_: Any) -> None:
    """Offer the samples; Slicer copies them into its cache and loads them as sequences."""
    import SampleData

    for name, text in SAMPLES.items():
        path = FOLDER / f"{name}.seq.nrrd"
        SampleData.SampleDataLogic.registerCustomSampleDataSource(
            category=CATEGORY,
            sampleName=text,
            uris=path.as_uri(),
            fileNames=path.name,
            nodeNames=name,
            # A copy in the cache that another version of the module has left is replaced.
            checksums=f"SHA256:{hashlib.sha256(path.read_bytes()).hexdigest()}",
            loadFileType="SequenceFile",
            thumbnailFileName=str(RESOURCES / "Icons" / f"{name}.png"),
        )
