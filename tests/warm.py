"""Snakemake and its jobs in forks of processes that have imported what they need.

Reads a JSON line for each run of Snakemake on its standard input (`folder`, `arguments`, `output`)
and answers each with the exit code. Whatever Snakemake would start as `python <script>` is forked
from a second process. In processes of their own are what the tests kill, and `Checkout.run` with
an `env`.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import pkgutil
import runpy
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Never

import pandas  # noqa: F401  (Snakemake asks for it)
import snakemake.cli
import snakemake.script

import clustrategy
from clustrategy.core.sources import PACKAGE, code_digest
from clustrategy.engines.chosen import registry


def serve() -> None:
    """Fork for every line, and wait for the fork."""
    for module in pkgutil.walk_packages(clustrategy.__path__, "clustrategy."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    registry()
    code_digest(sorted(PACKAGE.rglob("*.py")))
    gc.freeze()
    with tempfile.TemporaryDirectory() as folder:
        address = str(Path(folder, "scripts"))
        server = serve_scripts(address)
        for line in sys.stdin:
            code = forked(lambda wanted: be_snakemake(address, **wanted), json.loads(line))
            print(code, flush=True)
        ask(address, {})
        os.waitpid(server, 0)


def be_snakemake(scripts: str, folder: str, arguments: list[str], output: str) -> None:
    """Be `python -m snakemake` in a folder."""

    def execute_script(self: Any, fname: str, edit: bool = False) -> None:
        threads = {f"{of}_NUM_THREADS": str(self.threads) for of in ("OMP", "OPENBLAS", "MKL")}
        environment = {**os.environ, **threads}
        wanted = {"folder": os.getcwd(), "script": fname, "output": output}
        if code := ask(scripts, {**wanted, "environment": environment}):
            raise subprocess.CalledProcessError(code, f"python {fname}")

    snakemake.script.PythonScript.execute_script = execute_script
    Path(output).write_bytes(b"")
    become(folder, output, ["snakemake", *arguments])
    snakemake.cli.main(arguments)


def be_script(folder: str, script: str, output: str, environment: dict[str, str]) -> None:
    """Be `python <script>` in a folder."""
    os.environ.clear()
    os.environ.update(environment)
    become(folder, output, [script])
    runpy.run_path(script, run_name="__main__")


def become(folder: str, output: str, arguments: list[str]) -> None:
    """Take the folder, the streams and the command line of a new process."""
    nothing = os.open(os.devnull, os.O_RDONLY)
    written = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for source, target in ((nothing, 0), (written, 1), (written, 2)):
        os.dup2(source, target)
    os.chdir(folder)
    sys.argv = arguments


def forked(run: Callable[[Any], None], argument: object) -> int:
    """Run in a fork that ends as Python does; return its exit code."""
    fork = os.fork()
    if fork == 0:
        end(run, argument)
    return os.waitstatus_to_exitcode(os.waitpid(fork, 0)[1])


def end(run: Callable[[Any], None], argument: object) -> Never:
    """Run, and end the process."""
    code: object = None
    try:
        run(argument)
    except SystemExit as exited:
        code = exited.code
    except BaseException:
        sys.excepthook(*sys.exc_info())
        code = 1
    if isinstance(code, str):
        print(code, file=sys.stderr)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code if isinstance(code, int) else int(code is not None))


def serve_scripts(address: str) -> int:
    """Start the process that forks scripts, several at a time; return its number."""
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(address)
    listening.listen()
    server = os.fork()
    if server:
        listening.close()
        return server
    while True:
        connection, _ = listening.accept()
        with connection, connection.makefile("rw") as stream:
            wanted = json.loads(stream.readline())
            if wanted and os.fork() == 0:
                code = forked(lambda script: be_script(**script), wanted)
                with suppress(BrokenPipeError):
                    connection.send(f"{code}\n".encode())
                os._exit(0)
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG if wanted else 0)[0]:
                pass
        if not wanted:
            os._exit(0)


def ask(address: str, wanted: Mapping[str, object]) -> int:
    """Have a script forked, and wait for its exit code; nothing wanted ends the process."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(address)
        with connection.makefile("rw") as stream:
            print(json.dumps(wanted), file=stream, flush=True)
            return int(stream.readline() or 0)


if __name__ == "__main__":
    serve()
