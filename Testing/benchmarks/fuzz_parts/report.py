"""The table of docs/reliability.md."""

from __future__ import annotations

import platform

from fuzz_parts import judge
from fuzz_parts.page import put_part
from fuzz_parts.results import Results
from fuzz_parts.runner import CPU_S, MEMORY_BYTES, Finding

_COLUMNS = {
    "refused": "exit code 2 and one line that names the file; of a bomb also that it does not fit into memory",
    "same data": "accepted, and every number is the good file's",
    "as changed": "accepted with other numbers that keep the contract of the data: finite, times increasing, geometry "
    "right-handed, no more than the file can hold; where the right outcome of a fault is known, it was that one",
    "wrong": "accepted though it must be refused; other numbers though they must be the same, or a checksum guards "
    "them; a refusal that is unclear; something unpickled, started, or written elsewhere",
    "traceback": "an unexpected failure",
    "hang": "no end in time",
    "crash": "ended by a signal, or memory used up",
    "half file": "a temporary file or a part of a result is left, or an input changed",
}

_FUZZ = """## Broken files

Written by `python Testing/benchmarks/fuzz.py --files {files} --write` ({seeds}; Python {python}, {system}).

{tried} files, none of them good: {structured} with a fault that means something (values that are no numbers, no frames,
coils or shots, times that repeat or run backwards, singular and left-handed geometry, sizes beyond any memory, the
other order of bytes, zip and gzip bombs, pickles, HDF5 links in circles and out of the file, DICOM tags missing or
contradicting, billions of laughs in XML, nested brackets in JSON, names of all kinds), drawn by hypothesis; the others
with bytes cut, flipped, swapped, doubled, removed, inserted, and lengths that lie. Each goes through `info` of the
command line, every tenth through `recon` too (job files, records and weights always through `recon`, training
configurations through `train`; sound, labels and checkpoints, which no command reads alone, through the library), in a
process with {memory} MiB of memory beyond the loaded modules and {seconds:g} s of computing. An audit hook hears
whether anything is unpickled, started, connected to, or written outside of the case's folder.

{columns}

What fails is run once more, alone in a process of its own, and that verdict counts.

{table}
"""


def _column_rows() -> list[str]:
    return [f"| {name} | {meaning} |" for name, meaning in _COLUMNS.items()]


def line_of(finding: Finding, run_seed: int) -> str:
    """A finding in a line, with what makes it again."""
    kind, why = finding.verdict
    value = "" if finding.case.value is None else f" {str(finding.case.value)[:80]!r}"
    return f"{kind}: {finding.case.format} seed {run_seed} number {finding.case.number} [{finding.label}{value}] {why}"


def table(results: Results, names: list[str]) -> list[str]:
    """A row for each format that was tried, and the sum."""
    lines = [f"| format | tried | {' | '.join(judge.COLUMNS)} |", "|---" * (len(judge.COLUMNS) + 2) + "|"]
    tried = [name for name in names if results.counts(name)]
    for name in tried:
        numbers = [results.counts(name)[column] for column in judge.COLUMNS]
        lines.append(f"| {name} | {sum(numbers)} | {' | '.join(map(str, numbers))} |")
    sums = [sum(results.counts(name)[column] for name in tried) for column in judge.COLUMNS]
    return [*lines, f"| all | {sum(sums)} | {' | '.join(map(str, sums))} |"]


def write(results: Results, names: list[str]) -> None:
    """Put the table into the page; the other parts of the page stay."""
    tried = sum(results.counts(name).total() for name in names)
    part = _FUZZ.format(
        files=tried,
        tried=tried,
        seeds=f"seed {', '.join(map(str, results.seeds()))}",
        structured=results.structured(),
        python=platform.python_version(),
        system=platform.system(),
        memory=MEMORY_BYTES >> 20,
        seconds=CPU_S,
        columns="\n".join(["| column | what it counts |", "|---|---|", *_column_rows()]),
        table="\n".join(table(results, names)),
    )
    put_part(part)
