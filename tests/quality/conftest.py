"""Print the figures that the quality tests measure."""

from __future__ import annotations

from collections.abc import Callable

import pytest

_FIGURES = pytest.StashKey[list[str]]()


@pytest.fixture(scope="session")
def report_figure(pytestconfig: pytest.Config) -> Callable[[str], None]:
    """Report a measured figure in the summary of the test run."""
    return pytestconfig.stash.setdefault(_FIGURES, []).append


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the figures after the results."""
    if figures := config.stash.get(_FIGURES, []):
        terminalreporter.section("measured with the shipped models")
        for figure in figures:
            terminalreporter.line(figure)
