"""Networks that are trained only to be compared with each other: rows of the paper's tables, and its start."""

from __future__ import annotations

from pathlib import Path

#: what training learns from, as for the models that ship
SLICES = tuple(f"SCD2001_{number}" for number in ("000", "001", "002", "003", "009", "010"))
STEPS = 800
#: whole clips, a few columns of each; everything else as Resources/Training/cnn3d-cine.toml has it
COMMON = (
    "options.learned_frames=0",
    "options.learned_columns=16",
    # at the rate of that file all of a complex network's last features can fall silent in the first updates
    "optimiser.learning_rate=6e-4",
    "schedule.warmup_steps=150",
)
KINDS = {
    "simple": ("options.kind=simple", "options.features=32"),
    "complex": ("options.kind=complex", "options.features=16"),
}
#: the published start has much more to be learned: longer, faster, at one acceleration
FROM_ZEROS = (
    "options.sharing=false",
    "options.sampling.accelerations=[8.0]",
    "seed=8",
    "steps=9000",
    "steps_per_epoch=100",
    "schedule.warmup_steps=100",
    "optimiser.name=muon",
    "optimiser.momentum=0.95",
    "optimiser.learning_rate=0.001",
    "optimiser.gradient_clip=10",
)
#: folder of a row -> kind, and what is different
ROWS: dict[str, tuple[str, tuple[str, ...]]] = {
    "simple": ("simple", ()),
    "complex": ("complex", ()),
    # from the second epoch on, after 200 updates: a quarter of STEPS goes without, a third in the paper
    "complex-edge": ("complex", ("options.edge_weight=0.2", "options.edge_from_epoch=1")),
    "complex-dropout": ("complex", ("options.dropout=0.4",)),
    "simple-dropout": ("simple", ("options.dropout=0.4",)),
    "complex-sgd": (
        "complex",
        ("optimiser.name=sgd", "optimiser.learning_rate=0.01", "optimiser.momentum=0.0", "optimiser.gradient_clip=1.0"),
    ),
    "simple-bn": ("simple", ("options.batch_norm=true",)),
    "complex-bn": ("complex", ("options.batch_norm=true",)),
    "zero-filled-simple": ("simple", FROM_ZEROS),
    "zero-filled-complex": ("complex", (*FROM_ZEROS, "options.pool_time=true")),
}
#: what rows are called among the methods, where it is not ``short: ROW``
TITLES = {"zero-filled-simple": "simple, zero-filled start", "zero-filled-complex": "complex, zero-filled start"}


def title_of(row: str) -> str:
    """What the row is called among the methods."""
    return TITLES.get(row, f"short: {row}")


def model_of(folder: Path, row: str) -> Path:
    """Where the weights of a row are, once it is trained."""
    return folder / row / "model.safetensors"


def settings_of(row: str, steps: int) -> list[str]:
    """``--set`` of the training command."""
    kind, different = ROWS[row]
    given = [f"steps={steps}", *KINDS[kind], *COMMON, *different]
    # what a row says stands in the place of what all have in common
    return list({one.partition("=")[0]: one for one in given}.values())
