"""The paper's Table 2 beside ours, and for each part whether it moves the figures as in the paper."""

from __future__ import annotations

import tomllib
from typing import Any

import numpy as np
from cardiac_vsr_parts.ablations import CONFIG, SCALE, STEPS

_ABOUT = """\
The paper's Table 2 by training: parts added one after the other. Each row is the published network with {features}
features instead of 64 and the bicubic interpolation added to the result, trained from the same seed for
{steps} updates of {batch} clips at x{scale} (`Resources/Training/{config}`)
and measured on the held-out short-axis slices, without data consistency. The paper trained 64 features for 1000 epochs
and measured on ACDC. *Updated memory* is the warm-up round the beat; a network that was trained without it is used
without it. *As in the paper* means that the part raises the figure, with every seed."""

_NONE = "The paper's ablations were not trained: `cardiac_vsr.py --ablations FOLDER` trains them."


def section(kept: dict[str, Any] | None) -> list[str]:
    """Lines of the page for what ``ablations.read`` gave."""
    found: dict[str, dict[int, dict[str, Any]]] = {}
    for row in kept["figures"] if kept else []:
        found.setdefault(row["step"], {})[row["seed"]] = row
    table = [
        "| | CardiacPSNR [dB] | CardiacSSIM | PSNR less the row above | as in the paper | paper: ACDC | less above |",
        "|---|---:|---:|---:|---|---:|---:|",
    ]
    above: dict[int, dict[str, Any]] = {}
    before = STEPS[0].paper[0]
    for step in STEPS:
        ours = found.get(step.name, {})
        gains = [ours[seed]["cardiac_psnr_db"] - above[seed]["cardiac_psnr_db"] for seed in sorted({*ours} & {*above})]
        table.append(
            f"| {step.name} | {_means(ours)} | {', '.join(f'{one:+.3f}' for one in gains)} "
            f"| {_verdict(gains, step.paper[0] - before)} | {step.paper[0]:.2f} / {step.paper[1]:.4f} "
            f"| {f'{step.paper[0] - before:+.3f}' if step is not STEPS[0] else ''} |"
        )
        above, before = ours, step.paper[0]
    return [*(_about(kept) if kept else [_NONE]), "", *table, "", *_spread(found)]


def _about(kept: dict[str, Any]) -> list[str]:
    config = tomllib.loads(CONFIG.read_text(encoding="utf-8"))
    base = tomllib.loads((CONFIG.parent / config["base"]).read_text(encoding="utf-8"))
    changed = kept["changed"]
    text = _ABOUT.format(
        features=changed.get("options.features", config["options"]["features"]),
        steps=changed.get("steps", config["steps"]),
        batch=changed.get("batch_size", base["batch_size"]),
        scale=SCALE,
        config=CONFIG.name,
    )
    # The text is about the configuration as it is: what a run replaced must be told, or it would be wrong.
    told = [f"Of this configuration, all rows have other settings: {_listed(changed)}."] if changed else []
    return [*text.splitlines(), *told]


def _listed(settings: dict[str, str]) -> str:
    return ", ".join(f"`{name}={value}`" for name, value in settings.items())


def _means(rows: dict[int, dict[str, Any]]) -> str:
    if not rows:
        return "not trained |"
    psnr, ssim = (np.mean([row[key] for row in rows.values()]) for key in ("cardiac_psnr_db", "cardiac_ssim"))
    return f"{psnr:.3f} | {ssim:.4f}"


def _verdict(gains: list[float], paper: float) -> str:
    if not gains:
        return ""
    same = [gain * paper > 0 for gain in gains]
    return "yes" if all(same) else "no" if not any(same) else "seeds differ"


def _spread(found: dict[str, dict[int, dict[str, Any]]]) -> list[str]:
    """How much the seed alone changes a row: smaller differences mean nothing."""
    seeds = {seed for rows in found.values() for seed in rows}
    if len(seeds) < 2:
        one = "One seed: how much of a difference is chance was not measured."
        return [one, ""] if seeds else []
    values = [[row["cardiac_psnr_db"] for row in rows.values()] for rows in found.values() if len(rows) > 1]
    largest = max((max(one) - min(one) for one in values), default=0.0)
    return [f"Means over {len(seeds)} seeds; the seed alone changes a row by up to {largest:.3f} dB.", ""]
