"""The rows of the paper's Table 2: networks trained only to be compared with each other, and what they reach."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from speech_parts.cases import Case
from speech_parts.spatial import figures
from training_parts.trained import updates_of

import DynamicMRIReconLib as dmr

#: the mask of the paper's table
MASK = "arms6_2"
STEPS = 600
#: everything else as Resources/Training/miccan-speech.toml has it; every frame at the table's mask
COMMON = (f'options.sampling.masks=["{MASK}"]', "optimiser.learning_rate=0.001", "schedule.warmup_steps=50")
#: folder of a row -> what is different, and the paper's test figures
ROWS: dict[str, tuple[tuple[str, ...], tuple[float, float]]] = {
    "U-Net": (("options.attention=false", "options.long_skip=false"), (29.58, 0.8303)),
    "channel attention": (("options.attention=true", "options.long_skip=false"), (29.63, 0.8321)),
    "channel attention, long skip": (("options.attention=true", "options.long_skip=true"), (29.72, 0.8340)),
}


def model_of(folder: Path, row: str) -> Path:
    """Where the weights of a row are, once it is trained."""
    return folder / row.replace(", ", "-").replace(" ", "-").lower() / "model.safetensors"


def settings_of(row: str, steps: int) -> list[str]:
    """``--set`` of the training command."""
    return [f"steps={steps}", *COMMON, *ROWS[row][0]]


def measure(cases: tuple[Case, ...], folder: Path) -> list[dict[str, Any]]:
    """PSNR (dB) and SSIM of each row that is trained, for each case, and after how many updates."""
    rows = []
    for case in cases:
        kspace = case.measured(MASK)
        for row in ROWS:
            model = model_of(folder, row)
            if model.exists():
                found = dmr.reconstruct(kspace, "miccan", device="cpu", weights=str(model))
                psnr_db, ssim = figures(found.array[:, 0], case.frames)
                measured = {"psnr_db": psnr_db, "ssim": ssim, "updates": updates_of(model)}
                rows.append({"case": case.title, "row": row, **measured})
    return rows
