"""A table's design with its scenarios: what a study on one's own data draws from."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from clustrategy.calibration.gls import gls_standard_errors
from clustrategy.calibration.scenarios import Scenario, scenarios
from clustrategy.core.digests import digest
from clustrategy.core.errors import DataError
from clustrategy.core.shard import Floats, Shard
from clustrategy.design.from_table import Design
from clustrategy.dgp.given import GivenProcess
from clustrategy.dgp.kinds import INTERCEPT_KIND
from clustrategy.tables.files import write_text
from clustrategy.tables.sealed import read_sealed, write_sealed

FOLDER = "given"
"""In the folder of a study."""

FORMAT = 3
"""Of the files, which is another one whenever they hold something else."""

MULTIPLES = (1.0, 2.0, 2.8, 4.0, 6.0)
"""The default effects, in standard errors of generalised least squares: 2.8 of them are found in
80 % of studies by a test that knows the variances."""

COMPARED = 2.8
"""The power at about so many standard errors is compared."""


@dataclass(frozen=True)
class GivenData:
    """A design and the scenarios of how outcomes come about on it.

    Attributes
    ----------
    made_from : str
        A digest of the table and of how it is read: another table is another study.
    shard : Shard
        The one dataset, its response that of the table.
    response : str
        The name of the response.
    scenarios : tuple of Scenario
        All there are names for, in their order; those that are left out have no process.
    code : str
        A digest of what makes the scenarios: other code makes them anew, and only those that come
        out otherwise are simulated again.
    formula_terms : dict of str to tuple of int
        The terms of the formula but the intercept, and the columns of X that each has.
    """

    made_from: str
    shard: Shard
    response: str
    scenarios: tuple[Scenario, ...]
    formula_terms: dict[str, tuple[int, ...]]
    code: str = ""

    @classmethod
    def of(cls, design: Design, made_from: str, *, ordered: bool, code: str = "") -> GivenData:
        """Fit the working models of a design.

        Parameters
        ----------
        design : Design
            That `check` accepts.
        made_from, code : str
            As of the class.
        ordered : bool
            Whether the rows of a cluster are in an order in which neighbours may be correlated.

        Raises
        ------
        DataError
            Where a predictor is called as verdicts call the constant.
        """
        if INTERCEPT_KIND in design.shard.terms:
            raise DataError(
                f"predictor {INTERCEPT_KIND!r}: must have another name, since the verdicts of a "
                "study call the constant so; rename the column"
            )
        found = tuple(scenarios(design, ordered=ordered))
        return cls(made_from, design.shard, design.response, found, design.terms, code)

    @property
    def origin(self) -> tuple[str, str]:
        """What the scenarios follow from: the table, and the code."""
        return self.made_from, self.code

    @cached_property
    def processes(self) -> dict[str, GivenProcess]:
        """How outcomes are drawn, by the name of the scenario; those left out are not there."""
        return {one.name: one.process for one in self.scenarios if one.process is not None}

    def scenarios_table(self, simulated: Collection[str]) -> dict[str, list[Any]]:
        """Return by column what each scenario supposes, and the numbers that it came to.

        Parameters
        ----------
        simulated : collection of str
            The names of those that a study simulates.
        """
        return {
            "scenario": [one.name for one in self.scenarios],
            "supposes": [one.words for one in self.scenarios],
            "simulated": [one.name in simulated for one in self.scenarios],
            "note": [one.note for one in self.scenarios],
        }

    @cached_property
    def digests(self) -> dict[str, str]:
        """Of all that the outcomes of a scenario follow from but seed and code, by its name."""
        design = _digest_of([self.shard.X, self.shard.n])
        return {
            name: digest(design, self.shard.terms, _values(process))
            for name, process in self.processes.items()
        }

    @cached_property
    def standard_errors(self) -> dict[str, float]:
        """Those of generalised least squares where the variances are as estimated, by term."""
        found = gls_standard_errors(self.processes["estimated"])
        return dict(zip(self.shard.terms, found.tolist(), strict=True))

    def default_effects(self) -> dict[str, list[float]]:
        """Return the effects at which power is given where none are named: `MULTIPLES`, by term."""
        return {
            term: [float(f"{multiple * error:.2g}") for multiple in MULTIPLES]
            for term, error in self.standard_errors.items()
        }

    def compared(self, effects: Mapping[str, Sequence[float]]) -> dict[str, float]:
        """Return the one effect of each term at which a good test finds about 80 %."""
        return {
            term: min(
                listed, key=lambda one: abs(np.log(one / (COMPARED * self.standard_errors[term])))
            )
            for term, listed in effects.items()
        }

    def write(self, folder: str) -> None:
        """Write the design and the scenarios into the folder of a study, unless they are there."""
        with suppress(DataError):
            kept = read_given_data(folder)
            if kept.origin == self.origin and kept.digests == self.digests:
                return
        shard = self.shard
        columns = {"cluster": shard.cluster_codes(0), "response": shard.y}
        columns |= {f"x{place}": np.ascontiguousarray(x) for place, x in enumerate(shard.X.T)}
        table = pa.table(columns)
        write_sealed(table, _file(folder, "design.parquet"), {"made_from": self.made_from})
        content = {
            "format": FORMAT,
            "made_from": self.made_from,
            "code": self.code,
            "response": self.response,
            "terms": shard.terms,
            "formula_terms": self.formula_terms,
            "scenarios": [
                {
                    "name": one.name,
                    "words": one.words,
                    "note": one.note,
                    "process": None if one.process is None else _values(one.process),
                }
                for one in self.scenarios
            ],
        }
        text = json.dumps({"digest": digest(content), **content}, indent=1) + "\n"
        write_text(text, _file(folder, "scenarios.json"))


def read_given_data(folder: str) -> GivenData:
    """Read what `GivenData.write` wrote into the folder of a study.

    Raises
    ------
    DataError
        Where it is not there, or damaged.
    """
    path = _file(folder, "scenarios.json")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        said = content.pop("digest")
        if said != digest(content) or content["format"] != FORMAT:
            raise ValueError
    except (OSError, ValueError, AttributeError, KeyError, TypeError):
        raise DataError(f"{path}: is not there or damaged; run again") from None
    table = read_sealed(_file(folder, "design.parquet"))
    columns = [table[name].to_numpy() for name in table.column_names]
    shard = Shard(
        columns[1],
        np.ascontiguousarray(np.column_stack(columns[2:])),
        np.bincount(columns[0])[None],
        tuple(content["terms"]),
    )
    found = tuple(
        Scenario(
            one["name"],
            one["words"],
            None if one["process"] is None else _process(shard, one["process"]),
            one["note"],
        )
        for one in content["scenarios"]
    )
    formula_terms = {term: tuple(places) for term, places in content["formula_terms"].items()}
    made_from, response, code = (content[name] for name in ("made_from", "response", "code"))
    return GivenData(made_from, shard, response, found, formula_terms, code)


def _file(folder: str, name: str) -> Path:
    return Path(folder, FOLDER, name)


def _values(process: GivenProcess) -> dict[str, Any]:
    """Return all of a process but its design as plain values."""

    def plain(values: Floats | float | None) -> Any:
        return None if values is None else np.asarray(values).tolist()

    return {
        "random": list(process.random),
        "covariance": plain(process.covariance),
        "sigma": plain(process.sigma),
        "autocorrelation": float(process.autocorrelation),
        "residuals": plain(process.residuals),
        "effects": plain(process.effects),
    }


def _process(shard: Shard, values: Mapping[str, Any]) -> GivenProcess:
    """Read what `_values` gave."""

    def array(name: str) -> Floats | None:
        return None if values[name] is None else np.array(values[name], dtype=np.float64)

    q = len(values["random"])
    sigma = values["sigma"]
    return GivenProcess(
        shard=shard,
        random=tuple(values["random"]),
        covariance=np.array(values["covariance"], dtype=np.float64).reshape(q, q),
        sigma=np.array(sigma) if isinstance(sigma, list) else sigma,
        autocorrelation=values["autocorrelation"],
        residuals=array("residuals"),
        effects=array("effects"),
    )


def _digest_of(arrays: Sequence[Any]) -> str:
    whole = hashlib.sha256()
    for array in arrays:
        whole.update(f"{array.dtype.str}{array.shape}".encode())
        whole.update(np.ascontiguousarray(array).tobytes())
    return whole.hexdigest()
