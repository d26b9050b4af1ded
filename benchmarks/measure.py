"""Fair timing: what is compared takes turns, on one thread each, and CPU seconds are counted.

Processes are started anew for each turn. CPU seconds are user and system time of a process and of
all that it started; on a machine that others use too they mean more than wall seconds, and a ratio
of two things that took turns means more than either.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import clustrategy

REPO = Path(__file__).parents[1]
RESULTS = REPO / "results" / "benchmarks"
ENVIRONMENT = os.environ | {f"{library}_NUM_THREADS": "1" for library in ("OPENBLAS", "OMP", "MKL")}
# The package that this process has is what all of them take, in whatever folder.
ENVIRONMENT["PYTHONPATH"] = str(Path(clustrategy.__file__).parents[1])
MAXRSS_UNIT = 1 if sys.platform == "darwin" else 1024

T = TypeVar("T")


class Usage(NamedTuple):
    """What a process and all that it started took.

    Attributes
    ----------
    cpu, wall : float
        The seconds.
    peak : int
        The resident memory, in bytes, of the largest of these processes at its largest.
    """

    cpu: float
    wall: float
    peak: int


def run(
    command: Sequence[str], folder: Path = REPO, package: Path | None = None
) -> tuple[Usage, str]:
    """Run a command to its end; also return what it printed.

    Parameters
    ----------
    command : sequence of str
    folder : Path
        Where it runs.
    package : Path, optional
        The folder of another version of the package, for the command to take.

    Notes
    -----
    The peak of a process is never reported below that of the one which started it, so a benchmark
    that reads it keeps heavy imports out of its own process.
    """
    with tempfile.TemporaryFile("w+") as out:
        start = time.perf_counter()
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=ENVIRONMENT | ({"PYTHONPATH": str(package)} if package else {}),
            stdout=out,
            stderr=subprocess.STDOUT,
        )
        _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        said = out.read()
    if process.returncode != 0:
        sys.exit(f"{' '.join(command)} ended with status {process.returncode}:\n{said[-2000:]}")
    return Usage(used.ru_utime + used.ru_stime, wall, used.ru_maxrss * MAXRSS_UNIT), said


def child(module: str, *arguments: object) -> Any:
    """Run a module of this folder in a process of its own; its last line is its answer, in JSON."""
    command = [sys.executable, "-m", f"benchmarks.{module}", *map(str, arguments)]
    return json.loads(run(command)[1].splitlines()[-1])


def interleaved(contenders: Mapping[str, Callable[[int], T]], turns: int) -> dict[str, list[T]]:
    """Let each contender have its turns, in an order that is turned round every time.

    Parameters
    ----------
    contenders : Mapping of str to Callable
        Functions of the number of the turn, by name.
    turns : int
        How many turns each has.
    """
    results: dict[str, list[T]] = {name: [] for name in contenders}
    for turn in range(turns):
        for name in list(contenders)[:: -1 if turn % 2 else 1]:
            print(f"turn {turn + 1} of {turns}: {name}", file=sys.stderr)
            results[name].append(contenders[name](turn))
    return results


@dataclass
class Clock:
    """CPU seconds of the parts of what goes on inside this process."""

    seconds: dict[str, float] = field(default_factory=lambda: defaultdict(float))

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Count what happens inside for a part."""
        start = time.process_time()
        yield
        self.seconds[name] += time.process_time() - start


def machine() -> str:
    """Describe the machine: kind of processor, cores, system and Python."""
    cpus = Path("/proc/cpuinfo")
    lines = cpus.read_text().splitlines() if cpus.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    kind = names[0] if names else platform.processor() or platform.machine()
    system = f"{platform.system()} {platform.machine()}"
    return f"{kind}, {os.cpu_count()} cores, {system}, Python {platform.python_version()}"


def keep(name: str, result: Mapping[str, Any]) -> None:
    """Keep what a benchmark found, for `benchmarks.report`."""
    from clustrategy.tables.files import write_text

    stamp = {"machine": machine(), "date": datetime.now(UTC).date().isoformat()}
    write_text(json.dumps(stamp | dict(result), indent=1) + "\n", RESULTS / f"{name}.json")


def kept(name: str) -> dict[str, Any] | None:
    """Return what a benchmark found when it last ran here, None if it never did."""
    file = RESULTS / f"{name}.json"
    return dict(json.loads(file.read_text())) if file.exists() else None
