"""A run in which a test is skipped fails, unless what the test lacks may be missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest


@dataclass
class Absences:
    """A plugin of pytest that notes why tests were skipped.

    Attributes
    ----------
    allowed : sequence of str
        A reason that contains one of these is no fault.
    unexpected : list of str
        The skipped tests with any other reason.
    """

    allowed: Sequence[str]
    unexpected: list[str] = field(default_factory=list)

    @classmethod
    def read(cls, file: Path) -> Absences:
        """Read what may be missing: a line each, without empty lines and comments."""
        lines = map(str.strip, file.read_text(encoding="utf-8").splitlines())
        return cls([line for line in lines if line and not line.startswith("#")])

    def _note(self, report: pytest.TestReport | pytest.CollectReport) -> None:
        # An expected failure is reported as a skip, too.
        if report.skipped and not hasattr(report, "wasxfail"):
            assert isinstance(report.longrepr, tuple)
            reason = report.longrepr[2].removeprefix("Skipped: ")
            if not any(line in reason for line in self.allowed):
                self.unexpected.append(f"{report.nodeid}: {reason}")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note a test that was skipped."""
        self._note(report)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Note a module that was skipped."""
        self._note(report)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Fail the run."""
        if self.unexpected and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say which tests were skipped and should not have been."""
        if self.unexpected:
            terminalreporter.section("skipped, and not for an allowed absence", red=True)
            for line in self.unexpected:
                terminalreporter.line(line)
