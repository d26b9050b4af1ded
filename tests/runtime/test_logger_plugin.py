"""The log by Rich: what goes wrong with it is said, but for the log of a job that was stopped."""

from __future__ import annotations

import logging

import pytest

from snakemake_logger_plugin_clustrategy import LogHandler

RECORD = logging.LogRecord("run", logging.ERROR, "rule", 1, "a job was stopped", None, None)


@pytest.mark.parametrize(("error", "is_said"), [(FileNotFoundError, False), (ValueError, True)])
def test_only_a_log_that_is_not_there_is_passed_over(error, is_said, capsys):
    handler = object.__new__(LogHandler)
    try:
        raise error("logs/x.log")
    except error:
        handler.handleError(RECORD)
    assert ("Logging error" in capsys.readouterr().err) is is_said
