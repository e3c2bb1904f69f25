"""The documents name what exists: options, files, keys, commands, headings."""

from __future__ import annotations

import dataclasses
import re
import shlex
from pathlib import Path

import pytest

from DynamicMRIReconLib.cli import COMMANDS, build_parser
from DynamicMRIReconLib.data import ImageSeries, KSpace
from DynamicMRIReconLib.io import formats
from DynamicMRIReconLib.io.axes import DROPPED, KNOWN
from DynamicMRIReconLib.io.options import FRAME_COUNTERS, TIME_SOURCES, ReadOptions
from DynamicMRIReconLib.jobs import files
from DynamicMRIReconLib.jobs.job import Job, ReadSettings

ROOT = Path(__file__).resolve().parents[3]
PAGES = [*sorted((ROOT / "docs").rglob("*.md")), ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
CODE = re.compile(r"```(\w*)\n(.*?)```", re.DOTALL)


def text(name: str) -> str:
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


def _commands(page: Path) -> list[str]:
    blocks = [block for kind, block in CODE.findall(page.read_text(encoding="utf-8")) if kind == "sh"]
    lines = "\n".join(blocks).replace("\\\n", " ").splitlines()
    return [line.strip() for line in lines if line.strip().startswith("dynamic-mri-recon ")]


@pytest.mark.parametrize("command", [command for page in PAGES for command in _commands(page)])
def test_every_command_is_one_that_the_program_takes(command: str) -> None:
    arguments = build_parser().parse_args(shlex.split(command, comments=True)[1:])
    assert arguments.command


def test_there_are_commands_to_check() -> None:
    assert sum(len(_commands(page)) for page in PAGES) > 10


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_options_named_in_text_exist(page: Path) -> None:
    known = {"--write", "--job", "--events", "--overwrite", "--output", "--demo"}
    parser = build_parser()
    subparsers = next(action for action in parser._actions if hasattr(action, "_name_parser_map"))
    for command in subparsers._name_parser_map.values():
        known |= {option for action in command._actions for option in action.option_strings}
    prose = CODE.sub("", page.read_text(encoding="utf-8"))
    named = set(re.findall(r"`(--[a-z][a-z-]*)", prose))
    assert sorted(named - known) == []


def _headings(page: Path) -> set[str]:
    titles = re.findall(r"^#+ (.+)$", CODE.sub("", page.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_to_headings_lead_somewhere(page: Path) -> None:
    for target, heading in re.findall(r"\]\(([^)#\s]*)#([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if "://" not in target:
            there = (page.parent / target) if target else page
            assert heading in _headings(there), f"{page.name} -> {target}#{heading}"


@pytest.mark.parametrize(
    "name",
    [
        *(field.name for cls in (KSpace, ImageSeries, ReadOptions) for field in dataclasses.fields(cls)),
        *(suffix for module in formats.all_formats() for suffix in module.SUFFIXES),
        *(*KNOWN, *DROPPED, *FRAME_COUNTERS, *TIME_SOURCES),
    ],
)
def test_formats_page_names_it(name: str) -> None:
    assert f"`{name}`" in text("formats.md")


def test_formats_page_names_no_suffix_as_written_that_is_not() -> None:
    rows = {row.split("|")[1].strip(): row for row in text("formats.md").splitlines() if row.count("|") == 7}
    for module in formats.all_formats():
        row = next(row for title, row in rows.items() if title != "format" and f"`{module.SUFFIXES[0]}`" in row)
        assert (row.split("|")[4].strip() != "no") == hasattr(module, "write"), module.NAME


@pytest.mark.parametrize(
    "name",
    [
        *(value for key, value in vars(files).items() if key.isupper() and isinstance(value, str)),
        *Job.model_fields,
        *ReadSettings.model_fields,
    ],
)
def test_developer_guide_names_it(name: str) -> None:
    assert f"`{name}`" in text("developer-guide.md")


def test_user_guide_shows_every_command_that_users_need() -> None:
    shown = {command.split()[1] for command in _commands(ROOT / "docs" / "user-guide.md")}
    names = {module.__name__.rpartition("cli_")[2] for module in COMMANDS}
    assert names - shown <= {"demo"}


@pytest.mark.parametrize("page", [page for page in PAGES if "benchmarks" not in page.name], ids=lambda page: page.name)
def test_lines_are_short_outside_of_tables(page: Path) -> None:
    long = [line for line in page.read_text(encoding="utf-8").splitlines() if len(line) > 120 and line[0] != "|"]
    assert long == []
