"""Files that a clock dated in the future."""

from __future__ import annotations

import os
import time
from pathlib import Path

from clustrategy.runtime.clock import reset_future_mtimes


def test_files_of_the_future_are_dated_now(tmp_path: Path) -> None:
    now = time.time()
    dates = {"deep/down/future": now + 1e6, "soon": now + 100, "past": now - 100, "old": 1e9}
    for name, date in dates.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
        os.utime(path, (date, date))
    os.utime(tmp_path / "deep", (now + 50, now + 50))
    (tmp_path / "broken link").symlink_to(tmp_path / "nowhere")
    reset_future_mtimes(str(tmp_path))
    found = {name: (tmp_path / name).stat().st_mtime for name in dates}
    for name in ("deep/down/future", "soon"):
        assert now - 1 <= found[name] <= time.time()
    assert (tmp_path / "deep").stat().st_mtime <= time.time()
    for name in ("past", "old"):
        assert found[name] == dates[name]
    assert all((tmp_path / name).read_text() == name for name in dates)


def test_a_study_that_is_not_there_yet(tmp_path: Path) -> None:
    reset_future_mtimes(str(tmp_path / "none"))
    assert not list(tmp_path.iterdir())
