"""docs/benchmarks-cine.md from the rows."""

from __future__ import annotations

import platform
import statistics
from collections.abc import Sequence
from typing import Any

import torch
from cine_parts.ablations import ROWS, TITLES, title_of

Row = dict[str, Any]
METHODS = (
    "zero-filled", "shared lines", "grasp", "low-rank-sparse", "simple", "complex", "2 iterations", "3 iterations",
)  # fmt: skip
CLASSICAL = ("grasp", "low-rank-sparse")
#: updates of the models that ship, those of the shorter cascades they began with included
UPDATES = {"simple": 1000, "complex": 700, "2 iterations": 1400, "3 iterations": 9650}
#: the paper's test figures, PSNR in dB and SSIM: table, model, and which of ours stands beside it
PAPER = (
    (1, "zero-filled", "20.75 ± .582", ".695 ± .079", "zero-filled"),
    (1, "simple, 500 epochs", "28.66 ± .73", ".886 ± .042", "simple"),
    (1, "complex, 500 epochs", "31.12 ± .87", ".934 ± .020", "complex"),
    (2, "complex, 300 epochs", "30.311", ".904", title_of("complex")),
    (2, "complex, edge loss", "30.612", ".928", title_of("complex-edge")),
    (2, "complex, perceptual loss", "30.939", ".959", ""),
    (3, "complex, dropout 0.4", "28.74 ± .42", ".889 ± .038", title_of("complex-dropout")),
    (3, "simple, dropout 0.4", "27.39 ± .92", ".861 ± .041", title_of("simple-dropout")),
    (4, "complex, SGD 0.01", "22.28 ± .48", ".708 ± .076", title_of("complex-sgd")),
    (5, "simple, batch normalisation", "27.68 ± .627", ".865 ± .043", title_of("simple-bn")),
    (5, "complex, batch normalisation", "30.91 ± .765", ".927 ± .030", title_of("complex-bn")),
    (6, "simple, no iteration", "28.04 ± .975", ".877 ± .042", "simple"),
    (6, "2 iterations", "28.96 ± .633", ".899 ± .038", "2 iterations"),
    (6, "3 iterations", "29.76 ± .379", ".913 ± .033", "3 iterations"),
)

_ABOUT = """\
The models that ship ([models.md](models.md)) at {matrix} x {matrix} and 20 frames, on what no training has seen: three
slices of the one real short-axis cine (same person as in training, 16 mm and more from the slices learned from), the
real four-chamber cine (other person, view and scanner), and phantoms of other seeds. k-space is made from magnitude
images with a smooth phase, whole lines, other ones in each frame, without noise; every method has the same samples.
PSNR is of the whole movie's magnitude, peak 1; SSIM the mean over frames, Gaussian window; mean ± standard deviation
over the cases. *Shared lines* is what the networks start with: gaps of a frame filled from the frames around it. It is
no network, and most of the way from the zero-filled movie to the result is its own. The classical methods have the
weight that is best for each case by PSNR and by SSIM apart, of {weights}, and {iterations} iterations; the networks
have nothing to choose. Each longer cascade began with the weights of the shorter one, so it was trained for longer,
too: {updates[simple]} updates for the simple network, {updates[2 iterations]} for two iterations,
{updates[3 iterations]} for three, the last 6000 with Muon."""
_PAPER = """\
The paper's data (200 cines of 20 x 192 x 192, not public), acceleration (not stated) and training (a GPU, hundreds of
epochs) are other ones; its figures stand beside for orientation. Ours: all cases of one coil at an acceleration of 8.
Tables 1 and 6 have the models that ship. Those of tables 2 to 5 were trained only for this comparison, alike but for
what the row says, one seed each (`Testing/benchmarks/cine_ablations.py`); so short a training cannot tell which is
better in the end. The row of the perceptual loss needs VGG16 weights, which do not come with the program. Our simple
network has 32 features in the place of 64, the complex one 16 in the place of 32, and all start from shared lines (from
the zero-filled movie: see above); the paper's own configurations are `Resources/Training/cnn3d-table-*.toml`."""

_FROM_ZEROS = """\
The published networks start with the zero-filled movie. Two were trained that way for this comparison alone, alike for
{updates} updates at an acceleration of 8: the simple one with 32 features, which sees 4 frames to each side, and the
complex one with 16 that also halves time where it halves the size (`pool_time`), which sees 12. What frames share they
have to find out themselves."""


def summary(rows: list[Row], group: str | None, acceleration: float) -> dict[str, dict[str, tuple[float, float]]]:
    """Mean and standard deviation of ``psnr_db`` and ``ssim`` by method; group None: all cases of one coil."""
    found: dict[str, dict[str, tuple[float, float]]] = {}
    for method in (*METHODS, *map(title_of, ROWS)):
        chosen = [
            row
            for row in rows
            if (row["method"], row["acceleration"]) == (method, acceleration)
            and (row["group"] == group if group else "coils" not in row["group"])
        ]
        if chosen:
            values = {key: [row[key] for row in chosen] for key in ("psnr_db", "ssim")}
            found[method] = {
                key: (statistics.fmean(v), statistics.stdev(v) if len(v) > 1 else 0.0) for key, v in values.items()
            }
    return found


def page(found: dict[str, Any]) -> str:
    """The whole page."""
    from cine_parts.runs import CLASSICAL as TRIED
    from cine_parts.runs import ITERATIONS

    rows = found["rows"]
    weights = "; ".join(
        f"{name}: {', '.join(format(one['regularization'], 'g') for one in tried)}" for name, tried in TRIED.items()
    )
    lines = [
        "# The 3D CNN on cines, measured",
        "",
        "Written by `python Testing/benchmarks/cine.py --write`.",
        "",
        f"{platform.machine()}, one thread; Python {platform.python_version()}, torch {torch.__version__}; "
        f"{found['cpu_s'] / 60:.0f} CPU minutes. On a GPU: not measured.",
        "",
        *_wrapped(_ABOUT.format(matrix=found["matrix"], weights=weights, iterations=ITERATIONS, updates=UPDATES)),
        "",
    ]
    for acceleration in dict.fromkeys(row["acceleration"] for row in rows):
        lines += [
            f"## Acceleration {acceleration:g}",
            "",
            *_table(rows, acceleration),
            *_verdict(rows, acceleration),
            "",
        ]
    lines += _from_zeros(rows, found.get("updates", {}))
    lines += [
        "![Short axis](pictures/cine-short-axis.png)",
        "",
        "![Four chambers](pictures/cine-four-chambers.png)",
        "",
    ]
    lines += [*SEEN.splitlines(), ""]
    lines += ["## The paper's tables", "", *_PAPER.splitlines(), "", *_paper(rows, UPDATES | found.get("updates", {}))]
    lines += ["## Time", "", *_times(rows)]
    return "\n".join(lines)


#: what a person saw in the pictures; to be judged again after a new training
SEEN = """\
Errors are result minus truth; red is missing signal. Last row: the middle column over time. Zero-filled frames show
nothing. Shared lines give sharp walls at rest and smear what moves: the walls hardly move, the blood changes its
brightness instead. The simple and the complex network take the ringing away and leave it at that. The cascades bring
movement back, the longest most of it: the lower wall of the short axis thickens and thins again, softly, where
low-rank-sparse goes in steps; thin structures that move are blurred in both. Do not measure the motion of walls with
these models at an acceleration of 8: what is nearly still in the result can move in the patient."""


def _wrapped(text: str) -> list[str]:
    import textwrap

    return textwrap.wrap(" ".join(text.split()), 120, break_long_words=False, break_on_hyphens=False)


def _from_zeros(rows: list[Row], updates: dict[str, int]) -> list[str]:
    """The networks with the published start, where they were measured."""
    table = summary(rows, None, 8.0)
    if not {*TITLES.values(), "zero-filled", "shared lines"} <= set(table):
        return []
    simple, complex_ = (table[title]["psnr_db"][0] for title in TITLES.values())
    verdict = (
        f"Simple is {simple - table['zero-filled']['psnr_db'][0]:+.2f} dB from zero-filled (wanted: 6), complex "
        f"{complex_ - simple:+.2f} dB from simple (wanted: 1)."
    )
    about = _FROM_ZEROS.format(updates=updates[next(iter(TITLES.values()))])
    shown = ("zero-filled", *TITLES.values(), "shared lines")
    head = ["## From the zero-filled movie", "", *_wrapped(about), ""]
    return [*head, *_table(rows, 8.0, shown, coils=False), *_wrapped(verdict), ""]


def _table(rows: list[Row], acceleration: float, methods: Sequence[str] = METHODS, *, coils: bool = True) -> list[str]:
    groups = [g for g in dict.fromkeys(row["group"] for row in rows) if summary(rows, g, acceleration)]
    groups = [g for g in groups if coils or "coils" not in g]
    counts = {
        g: len({row["case"] for row in rows if (row["group"], row["acceleration"]) == (g, acceleration)})
        for g in groups
    }
    head = " | ".join(f"{group} ({counts[group]}): PSNR [dB] | SSIM" for group in groups)
    lines = [f"| method | all, one coil: PSNR [dB] | SSIM | {head} |", f"|---|{'---:|---:|' * (1 + len(groups))}"]
    tables = [summary(rows, group, acceleration) for group in (None, *groups)]
    for method in methods:
        cells = []
        for table in tables:
            cells += (
                [_cell(table[method]["psnr_db"], 2), _cell(table[method]["ssim"], 3)] if method in table else ["", ""]
            )
        lines.append(f"| {method} | {' | '.join(cells)} |")
    return [*lines, ""]


def _cell(value: tuple[float, float], digits: int) -> str:
    spread = f" ± {value[1]:.{digits}f}" if value[1] else ""
    return f"{value[0]:.{digits}f}{spread}"


def _verdict(rows: list[Row], acceleration: float) -> list[str]:
    """The wanted differences beside those that were found."""
    table = {name: one["psnr_db"][0] for name, one in summary(rows, None, acceleration).items()}
    if not set(METHODS) <= set(table):
        return []
    classical = max(CLASSICAL, key=lambda name: table[name])
    best = max(METHODS[4:], key=lambda name: table[name])
    ahead = table[best] - table[classical]
    text = (
        f"All cases of one coil: simple is {table['simple'] - table['zero-filled']:+.2f} dB from zero-filled "
        f"({table['simple'] - table['shared lines']:+.2f} dB from the shared lines it starts with; wanted: 6 from "
        f"zero-filled), complex {table['complex'] - table['simple']:+.2f} dB from simple (wanted: 1), two iterations "
        f"{table['2 iterations'] - table['simple']:+.2f} dB from simple, three "
        f"{table['3 iterations'] - table['2 iterations']:+.2f} dB from two (wanted: above 0). The best network "
        f"({best}) is {abs(ahead):.2f} dB {'ahead of' if ahead >= 0 else 'behind'} the best classical method "
        f"({classical}, its weight chosen with the truth in hand)."
    )
    return _wrapped(text)


def _paper(rows: list[Row], updates: dict[str, int]) -> list[str]:
    ours = summary(rows, None, 8.0)
    lines = [
        "| table | model | paper: PSNR [dB] | SSIM | ours: PSNR [dB] | SSIM | updates |",
        "|---:|---|---:|---:|---:|---:|---:|",
    ]
    for number, model, psnr, ssim, mine in PAPER:
        one = ours.get(mine)
        cells = f"{_cell(one['psnr_db'], 2)} | {_cell(one['ssim'], 3)}" if one else " | "
        lines.append(f"| {number} | {model} | {psnr} | {ssim} | {cells} | {updates.get(mine, '') if one else ''} |")
    return [*lines, ""]


def _times(rows: list[Row]) -> list[str]:
    lines = ["| method | CPU time for 20 frames, one coil [s] |", "|---|---:|"]
    for method in METHODS:
        values = [row["cpu_s"] for row in rows if row["method"] == method and "coils" not in row["group"]]
        if values:
            lines.append(f"| {method} | {statistics.median(values):.2f} |")
    return [*lines, ""]
