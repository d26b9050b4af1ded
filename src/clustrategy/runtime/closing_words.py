"""The closing words of a run: what to do, the numbers behind it, and where the rest is."""

from __future__ import annotations

import shutil
import textwrap
from pathlib import Path

from tabulate import tabulate

from clustrategy.core.counted import counted
from clustrategy.evaluation.detectable_in_words import detectable_sentences
from clustrategy.evaluation.recommendation import (
    COLUMNS,
    FEW_KINDS,
    Answer,
    advice,
    more_sims,
    short,
    table,
    table_of_kinds,
)
from clustrategy.evaluation.wording import wording_of
from clustrategy.runtime.lock import start_of_run
from clustrategy.study.size import duration
from clustrategy.study.study import Study
from clustrategy.tables.files import read_parquet

WIDEST = 120
"""Lines of text are no longer, however wide the terminal is."""


FILES = (
    "verdicts.parquet",
    "detectable.parquet",
    "report.html",
    "audit.txt",
    "figures",
    "student",
)
"""What a run may have made that there is something to say of."""


def closing_words(study: Study, cores: int = 1) -> str:
    """Say what this run found: which strategies to use, and where the results are.

    Empty where nothing of the study was made, as when another target was asked for.

    Parameters
    ----------
    study : Study
        That was run.
    cores : int
        On which more sims could be run.
    """
    folder = Path(study.folder)
    start = start_of_run(study.folder)
    made = {
        name
        for name in FILES
        if (folder / name).exists() and (folder / name).stat().st_mtime >= start
    }
    if not made:
        return ""
    parts = []
    if "verdicts.parquet" in made:
        parts.append(_answer(study, cores, detectable="detectable.parquet" in made))
    if "report.html" in made:
        parts.append(f"Report, to read or to send: {study.folder}/report.html")
    parts.append(f"All results: {study.folder}/")
    if "audit.txt" in made and study.config["audit"]:
        parts.append(_audit(folder / "audit.txt"))
    elif study.left_out and "verdicts.parquet" in made:
        parts.append(f"Not audited: {study.left_out}.")
    return "\n" + "\n".join(parts)


def _answer(study: Study, cores: int, *, detectable: bool) -> str:
    """Say what to use, with the table of how far each strategy keeps its promises.

    `detectable` tells whether the effects that are found in 80 % of datasets are known, too.
    """
    settings = study.config["verdict"]
    found = advice(
        read_parquet(f"{study.folder}/verdicts.parquet"),
        settings["effect"],
        sims=study.sims,
        certify=_certify(study, cores),
        wording=wording_of(study.factors, settings["effects"]),
    )
    width = min(shutil.get_terminal_size().columns, WIDEST)
    paragraphs = [*found.paragraphs]
    if detectable:
        # Of a study on a table alone: what it imports takes time, which each run would pay.
        from clustrategy.steps.own_estimates import read_reservations

        table = read_parquet(f"{study.folder}/detectable.parquet")
        paragraphs += detectable_sentences(found.answers, table)
        paragraphs += [f"Mind: {one}" for one in read_reservations(study.folder)]
    said = [_filled(paragraph, width) for paragraph in paragraphs]
    return "\n\n".join(["\n".join(said), _table(study, found.answers)]) + "\n"


def _filled(text: str, width: int) -> str:
    """Break a text into lines, but not before a percent sign, nor within a word."""
    filled = textwrap.fill(text.replace(" %", "\xa0%"), width, break_on_hyphens=False)
    return filled.replace("\xa0", " ")


def _table(study: Study, found: list[Answer]) -> str:
    """Return the table of one kind of terms, or of several."""
    alpha = study.config["performance"]["alpha"]
    wording = wording_of(study.factors, study.config["verdict"]["effects"])
    cell, cells = wording.cell, wording.cells
    of = f"{counted(len(study.cells), cell)} of {counted(study.sims, 'sim')}"
    level = f"False positives at {100 * alpha:g} %, {of}"
    if len(found) == 1:
        heads, lines = list(COLUMNS), table(found[0])
        below = (
            f"{level}: range over {cells}, the highest drawn again (Monte Carlo SE), {cells} by "
            f"verdict.\nPower: size-adjusted, at {wording.effect(found[0].effect)}. Power, "
            f"singular and unusable: means over these {cells}."
        )
    else:
        heads, lines = table_of_kinds(found)
        few = len(found) <= FEW_KINDS
        heads = [textwrap.fill(head, 20 if few else 12) for head in heads]
        counts = f", {cells} safe / liberal / undecided" if few else ""
        below = f"{level}: the highest {cell} drawn again (Monte Carlo SE){counts}."
    lines = [[short(line[0]), *line[1:]] for line in lines]
    return f"{tabulate(lines, heads, tablefmt='simple', disable_numparse=True)}\n{below}"


def _certify(study: Study, cores: int) -> str:
    """Say how many sims would certify a strategy that keeps its level, and how long they take."""
    enough = study.sims_to_certify
    seconds = sum(study.recipe.seconds(b, study.plan.labels) for b in study.plan.blocks)
    took = f"about {duration(seconds * enough / study.sims / cores)}"
    return more_sims(study.sims, enough, took)


def _audit(path: Path) -> str:
    """Return the first words of an audit, and where the others are."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return "\n".join([*(line for line in lines if line[:1] != " "), f"  details: {path}"])
