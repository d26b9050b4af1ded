"""From what is known of a study to its page."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import yaml
from markupsafe import Markup, escape

from clustrategy.core.cells import sim_path
from clustrategy.core.scenarios import SCENARIO
from clustrategy.evaluation.cell_verdicts import FALSE_POSITIVES
from clustrategy.evaluation.recommendation import Answer, advice, more_sims
from clustrategy.evaluation.wording import wording_of
from clustrategy.report import own_table
from clustrategy.report.citation import Citation
from clustrategy.report.design import conduct, design
from clustrategy.report.environment import page_environment
from clustrategy.report.failures import failures
from clustrategy.report.labels import shortened
from clustrategy.report.numbers import percent
from clustrategy.report.own_table import OwnTable
from clustrategy.report.pictures import FIRST, Picture, in_sections
from clustrategy.report.provenance import audit_table, others, versions
from clustrategy.report.references import references
from clustrategy.report.verdict_table import kind_table
from clustrategy.study.study import Study


@dataclass(frozen=True)
class Found:
    """What a study found, and where its numbers come from.

    Attributes
    ----------
    verdicts, fits : Table
        The study's tables.
    pictures : sequence of Picture
        The figures, in the order of the registry.
    conclusions : Table
        The statements of the study that this project started from, as `read_conclusions` gives
        them; without rows for a study that is not like it.
    audit : str, optional
        What the audit found, where there was one.
    provenance : mapping
        The content of provenance.json.
    citation : Citation, optional
        None where the checkout has no CITATION.cff.
    remake : str
        What makes a dataset again, less its own path.
    explorer : bool
        Whether explorer.html lies beside the page.
    own : OwnTable
        What a study on a table of one's own has found beside its verdicts.
    """

    verdicts: pa.Table
    fits: pa.Table
    pictures: Sequence[Picture]
    conclusions: pa.Table
    audit: str | None
    provenance: Mapping[str, Any]
    citation: Citation | None
    remake: str
    explorer: bool = False
    own: OwnTable = OwnTable()


def render(study: Study, found: Found) -> str:
    """Return the page of a study, as HTML that needs no other file.

    Parameters
    ----------
    study : Study
    found : Found
    """
    labels = [strategy.label for strategy in study.strategies]
    settings = study.config["verdict"]
    certify = more_sims(study.sims, study.sims_to_certify)
    wording = wording_of(study.factors, settings["effects"])
    said = advice(
        found.verdicts, settings["effect"], sims=study.sims, certify=certify, wording=wording
    )
    rates = found.verdicts.filter(pc.equal(found.verdicts["measure"], FALSE_POSITIVES)).to_pylist()
    shown = versions(found.provenance)
    environment = page_environment()
    environment.filters["percent"] = percent
    environment.filters["moment"] = _moment
    environment.filters["marked"] = _marked
    environment.filters["unbroken"] = _unbroken
    environment.filters["levels"] = lambda cell: _levels(cell, study.factors)
    short = shortened(labels)
    environment.filters["shorten"] = lambda label: _breakable(short[label])
    on_grid = study.given is None
    factors = [factor for factor in settings["by"] if isinstance(factor, str)]
    own = _of_grid(study, found) if on_grid else _of_table(study, found, said.answers)
    return environment.get_template("report.html" if on_grid else "own_table.html").render(
        **own,
        study=study,
        conduct=conduct(study, wording),
        cells=len(study.cells),
        wording=wording,
        alpha=percent(study.config["performance"]["alpha"], 0),
        paragraphs=said.paragraphs,
        tables=[kind_table(answer, rates, labels, factors) for answer in said.answers],
        failures=failures(found.fits, study.factors, labels, study.config["performance"]["usable"]),
        audit=None if found.audit is None else audit_table(found.audit),
        left_out=found.provenance["audit"]["left_out"],
        provenance=found.provenance,
        versions=shown,
        others=others(found.provenance, shown),
        command=f"{found.remake}/{sim_path(study.cells[0], 0)}/dataset.csv",
        config=yaml.safe_dump(found.provenance["config"], sort_keys=False, allow_unicode=True),
        citation=found.citation,
        explorer=found.explorer,
    )


def _of_grid(study: Study, found: Found) -> dict[str, Any]:
    """Return what the page of a study on a grid has of its own."""
    return {
        "design": design(study),
        "audit_picture": None,
        "first": next((one for one in found.pictures if one.name == FIRST), None),
        "sections": in_sections(found.pictures),
        "conclusions": found.conclusions.to_pylist(),
    }


def _of_table(study: Study, found: Found, answers: Sequence[Answer]) -> dict[str, Any]:
    """Return what the page of a study on a table has of its own."""
    assert study.given is not None
    own = found.own
    pictures = {one.name: one for one in found.pictures}
    audit_picture = pictures.pop("audit", None)
    return {
        "title": own_table.title(study),
        "about": own_table.about(study),
        "response": study.given.response,
        "uses": own_table.uses(answers, own.detectable),
        "detectable": own.detectable is not None,
        "on_slopes": own_table.on_slopes(study),
        "on_choosing": own_table.on_choosing(own.choice),
        "placebo": own_table.placebo_words(own.placebo),
        "rows": own.rows,
        "reservations": own.reservations,
        "before": own_table.tables_of(own.design, own_table.DESIGN),
        "last": own_table.tables_of(own.design, own_table.LAST),
        "estimates": own_table.estimate_tables(own.estimates, answers),
        "pictures": pictures,
        "audit_picture": audit_picture,
        "scenarios": study.given.scenarios,
        "simulated": study.levels[SCENARIO],
        "references": references(study.strategies),
    }


def _marked(text: str) -> Markup:
    """Escape a text, and set what stands between backticks as code."""
    return Markup(re.sub("`([^`]*)`", r"<code>\1</code>", str(escape(text))))


def _breakable(label: str) -> Markup:
    """Let a label break after an underscore."""
    return escape(label).replace("_", Markup("_<wbr>"))


def _unbroken(cell: str) -> str:
    """Keep a cell's factors and their levels on one line."""
    return ", ".join(part.replace(" ", "\N{NO-BREAK SPACE}") for part in cell.split(", "))


def _levels(cell: str, factors: Sequence[str]) -> str:
    """Return the levels of a cell that `named` named, without the factors."""
    parts = cell.split(", ")
    return ", ".join(
        part.replace(factor, "").strip() for part, factor in zip(parts, factors, strict=True)
    )


def _moment(time: str | None) -> str:
    """Return a time of provenance.json for readers."""
    return "an unknown time" if time is None else time.replace("T", " ").replace("+00:00", " UTC")
