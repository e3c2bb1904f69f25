"""Rules for the whole suite: what is skipped is said, and continuous integration skips nothing for want of a tool."""

from __future__ import annotations

import os

import pytest

#: reasons that a machine without a GPU may give; every other skip fails continuous integration
ALLOWED_IN_CI = ("gpu", "cuda")

_skipped: list[str] = []


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Collect the reasons of skipped tests (on the controller, with or without xdist)."""
    if report.skipped and not hasattr(report, "wasxfail"):
        reason = str(report.longrepr[2]) if isinstance(report.longrepr, tuple) else str(report.longrepr)
        if not any(word in reason.lower() for word in ALLOWED_IN_CI):
            _skipped.append(f"{report.nodeid}: {reason}")


def pytest_collectreport(report: pytest.CollectReport) -> None:
    """The same for modules skipped as a whole."""
    if report.skipped and isinstance(report.longrepr, tuple):
        _skipped.append(f"{report.nodeid}: {report.longrepr[2]}")


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Fail continuous integration when a test could not run because a tool or package was missing."""
    if os.environ.get("CI") == "true" and _skipped and exitstatus == 0 and not hasattr(session.config, "workerinput"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name them."""
    if os.environ.get("CI") == "true" and _skipped:
        terminalreporter.section("skipped although continuous integration must run everything")
        for line in _skipped:
            terminalreporter.line(line)
