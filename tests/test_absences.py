"""A skipped test fails a run with --allowed-absences, unless its reason is in the file."""

from __future__ import annotations

import pytest

pytest_plugins = ["pytester"]

CONFTEST = "from tests.conftest import pytest_addoption, pytest_configure"
SKIPPED = """
import pytest

def test_one():
    pytest.skip("no browser here: install one")

def test_two():
    pass
"""


@pytest.fixture
def project(pytester: pytest.Pytester) -> pytest.Pytester:
    """A folder with a test that is skipped and one that passes."""
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile(test_some=SKIPPED)
    return pytester


def run(project: pytest.Pytester, allowed: str | None) -> pytest.RunResult:
    options = []
    if allowed is not None:
        options = ["--allowed-absences", str(project.makefile(".txt", allowed=allowed))]
    return project.runpytest_inprocess("-p", "no:cacheprovider", *options)


def test_a_skipped_test_fails_the_run_and_is_named(project: pytest.Pytester) -> None:
    done = run(project, "# no browser here\n\nno wheel")
    assert done.ret == pytest.ExitCode.TESTS_FAILED
    done.assert_outcomes(passed=1, skipped=1)
    done.stdout.fnmatch_lines(["*test_some.py::test_one: no browser here: install one"])


@pytest.mark.parametrize("allowed", [None, "no wheel\nno browser here"])
def test_an_allowed_one_does_not_and_without_the_option_none(
    project: pytest.Pytester, allowed: str | None
) -> None:
    done = run(project, allowed)
    assert done.ret == pytest.ExitCode.OK
    done.assert_outcomes(passed=1, skipped=1)
    assert "allowed absence" not in done.stdout.str()


def test_a_skipped_module_fails_the_run_and_an_expected_failure_does_not(
    pytester: pytest.Pytester,
) -> None:
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile(
        test_all="import pytest\npytest.importorskip('no_such_package')",
        test_other="def test_it():\n    pass\n",
    )
    assert run(pytester, "no wheel").ret == pytest.ExitCode.TESTS_FAILED
    pytester.makepyfile(
        test_all="import pytest\n@pytest.mark.xfail\ndef test_it():\n    assert False\n"
    )
    assert run(pytester, "no wheel").ret == pytest.ExitCode.OK


def test_a_failed_run_keeps_its_own_code(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile(test_none="")
    assert run(pytester, "no wheel").ret == pytest.ExitCode.NO_TESTS_COLLECTED
