"""One run of a study at a time."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from clustrategy.core.errors import ConfigError
from clustrategy.runtime import lock

HOLD = """
from clustrategy.runtime.lock import hold
hold("results/study")
print("held", flush=True)
input()
"""


@pytest.fixture(autouse=True)
def _released(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    yield
    while lock._held:
        lock._held.pop().release()


def test_another_run_has_to_wait_until_the_first_has_ended(tmp_path: Path) -> None:
    run = subprocess.Popen(
        [sys.executable, "-c", HOLD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert run.stdout and run.stdin
    assert run.stdout.readline() == "held\n"
    sentence = r"^results/study: another run of this study is going on; wait for it$"
    with pytest.raises(ConfigError, match=sentence):
        lock.hold("results/study")
    lock.hold("results/other")
    run.kill()
    run.wait()
    run.stdin.close()
    run.stdout.close()
    lock.hold("results/study")


def test_the_lock_tells_when_the_last_run_began() -> None:
    before = time.time() - 1
    lock.hold("results/study")
    assert before <= lock.start_of_run("results/study") <= time.time()
    lock._held.pop().release()
    os.utime("results/study/.lock", (1e9, 1e9))
    assert lock.start_of_run("results/study") == 1e9
    lock.hold("results/study")
    assert lock.start_of_run("results/study") >= before
