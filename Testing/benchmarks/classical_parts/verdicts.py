"""What the tables say about each method and its rival, in a table and in words that hide no loss."""

from __future__ import annotations

from collections.abc import Iterable

from classical_parts.contenders import CONTENDERS, Contender
from classical_parts.results import Results, Row
from classical_parts.rows import untuned
from classical_parts.settings import Setting

HEAD = (
    "| scan | method | rival | PSNR | moving | CPU to the rival's PSNR, -i 30 | and at its best | untuned loses "
    "| verdict |",
    "|---|---|---|---|---|---|---|---|---|",
)
#: an untuned method may lose this much to its tuned optimum
LOSS_DB = 1.0


def table(settings: Iterable[Setting], results: Results) -> list[str]:
    """Every method with a rival on every scan."""
    lines = [_line(setting, contender, results) for setting in settings for contender in CONTENDERS.values()]
    return [*HEAD, *filter(None, lines), ""]


def best_of_tools(setting: Setting, results: Results) -> list[str]:
    """The best of this library beside the best of BART."""
    best: dict[str, tuple[Contender, Row]] = {}
    for contender in CONTENDERS.values():
        row = results.best(setting.name, contender)
        if row is not None and (contender.tool not in best or row["psnr_db"] > best[contender.tool][1]["psnr_db"]):
            best[contender.tool] = (contender, row)
    if not {"ours", "bart"} <= set(best):
        return []
    (ours, our_row), (theirs, their_row) = best["ours"], best["bart"]
    gain = our_row["psnr_db"] - their_row["psnr_db"]
    return [f"Best of all: {ours.name}, {gain:+.2f} dB against {theirs.name}.", ""]


def _line(setting: Setting, contender: Contender, results: Results) -> str | None:
    ours, rival = results.best(setting.name, contender), CONTENDERS.get(contender.rival)
    short = results.best(setting.name, rival) if rival else None
    if ours is None or rival is None or short is None:
        return None
    rows = [
        results.best(setting.name, other)
        for other in CONTENDERS.values()
        if (other.tool, other.method) == (rival.tool, rival.method)
    ]
    best = max((row for row in rows if row is not None), key=lambda row: float(row["psnr_db"]))
    gain, moving = (ours[name] - best[name] for name in ("psnr_db", "moving_psnr_db"))
    plain = untuned(setting, contender, results)
    # with one weight tried there is no optimum to lose to
    loss = ours["psnr_db"] - plain["psnr_db"] if plain and len(results.rows(setting.name, contender)) > 1 else None
    fails = [
        *(["PSNR"] if gain < 0 else []),
        *(["moving PSNR"] if moving < 0 else []),
        *(["CPU at -i 30"] if not _sooner(ours, short) else []),
        *(["CPU at its best"] if not _sooner(ours, best) else []),
        *(["untuned"] if loss is not None and loss >= LOSS_DB else []),
    ]
    verdict = f"FAILS: {', '.join(fails)}" if fails else "holds"
    if not _bracketed(short, results.rows(setting.name, rival)):
        verdict += "; BART's lambda is not bracketed"
    return (
        f"| {setting.name} | {contender.name} | {rival.method} {best['parameters']['lambda']:g}, "
        f"-i {best['parameters']['iterations']} | {gain:+.2f} dB | {moving:+.2f} dB | {_time(ours, short)} "
        f"| {_time(ours, best)} | {'one weight tried' if loss is None else f'{loss:.2f} dB'} | {verdict} |"
    )


def _bracketed(best: Row, rows: list[Row]) -> bool:
    """Whether weights on both sides of the best one were tried."""
    tried, value = [row["parameters"]["lambda"] for row in rows], best["parameters"]["lambda"]
    return min(tried) < value < max(tried)


def reached(ours: Row, theirs: Row) -> float | None:
    """CPU seconds until a run of ours first had the PSNR of ``theirs``; None if it never had."""
    return next((cpu for cpu, psnr in ours.get("trace", []) if psnr >= theirs["psnr_db"]), None)


def _sooner(ours: Row, theirs: Row) -> bool:
    time_s = reached(ours, theirs)
    return time_s is not None and time_s <= theirs["cpu_s"]


def _time(ours: Row, theirs: Row) -> str:
    time_s = reached(ours, theirs)
    return f"{'not reached' if time_s is None else f'{time_s:.1f} s'}, BART {theirs['cpu_s']:.1f} s"
