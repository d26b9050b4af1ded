"""What a simulation study on one's own design found."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import pyarrow as pa
from tabulate import tabulate

from clustrategy.calibration.given_data import GivenData
from clustrategy.evaluation.choice_in_words import choice_sentences
from clustrategy.evaluation.detectable_in_words import detectable_sentences
from clustrategy.evaluation.recommendation import Advice, advice, more_sims, table_of_kinds
from clustrategy.evaluation.wording import wording_of
from clustrategy.owndata.analysis import Analysis
from clustrategy.owndata.calibrated_choice import calibrated_choice
from clustrategy.owndata.placebo import placebo
from clustrategy.owndata.reservations import reservations
from clustrategy.study.power import study_power
from clustrategy.study.study import Study
from clustrategy.study.whole_tables import CellTables

if TYPE_CHECKING:
    import pandas as pd

WIDTH = 88

FURTHER = """\
False positives at 5 % in the worst scenario, drawn again (Monte Carlo SE); scenarios safe / liberal
/ undecided. More: verdicts(), scenarios(), detectable(), power(), placebo(), choice(), on_choosing;
and last, when you have decided, estimates()."""


@dataclass(frozen=True)
class Calibration:
    """Strategies tried on outcomes that were simulated on one's own predictors and clusters.

    Print it for what to do. Decide by it before you look at `estimates`.

    Attributes
    ----------
    study : Study
        The simulation study: its cells are scenarios.
    given : GivenData
        The design and the scenarios.
    cells : list of CellTables
        What was found in each scenario.
    table : Table
        The verdicts, as `verdicts.parquet` of a study.
    analysis : Analysis
        Of the table itself.
    """

    study: Study = field(repr=False)
    given: GivenData = field(repr=False)
    cells: list[CellTables] = field(repr=False)
    table: pa.Table = field(repr=False)
    analysis: Analysis = field(repr=False)

    @cached_property
    def advice(self) -> Advice:
        """What to use for each term, and what not."""
        certify = more_sims(self.study.sims, self.study.sims_to_certify)
        return advice(
            self.table,
            self.study.config["verdict"]["effect"],
            sims=self.study.sims,
            certify=certify,
            wording=wording_of(self.study.factors),
        )

    @property
    def recommendation(self) -> str:
        """The advice in words."""
        return "\n\n".join(self.advice.paragraphs)

    def verdicts(self) -> pd.DataFrame:
        """Return the verdicts: a row per scenario, strategy, term and measure, and over all.

        The columns are those of `verdicts.parquet` (docs/verdicts.md).
        """
        return self.table.to_pandas()

    def power(self) -> pd.DataFrame:
        """Return the power at all effects: a row per scenario, strategy, term and effect.

        The columns are those of `power.parquet` (docs/verdicts.md).
        """
        return self._power[0].to_pandas()

    def detectable(self) -> pd.DataFrame:
        """Return the effect found in 80 % of studies, by scenario and in the worst of them.

        The columns are those of `detectable.parquet` (docs/verdicts.md).
        """
        return self._power[1].to_pandas()

    @cached_property
    def _power(self) -> tuple[pa.Table, pa.Table]:
        settings = self.study.verdict_settings
        return study_power(self.study.plan, settings, self.cells, self.table)

    def scenarios(self) -> pd.DataFrame:
        """Return what each scenario supposes, and the numbers that it came to."""
        import pandas as pd

        return pd.DataFrame(self.given.scenarios_table(self.simulated))

    @cached_property
    def _placebo(self) -> pa.Table:
        return placebo(
            self.given.shard,
            self.given.formula_terms,
            self.study.strategies,
            self.given.processes["estimated"],
            seed=self.study.seed,
            **self.study.placebo_settings,
        )

    def placebo(self) -> pd.DataFrame:
        """Return how often placebos are rejected on the real outcome, and on simulated ones.

        The columns are those of `clustrategy.owndata.placebo.placebo`.
        """
        return self._placebo.to_pandas()

    @cached_property
    def reservations(self) -> list[str]:
        """What the simulation takes for granted, and the table may not grant."""
        return reservations(self.analysis)

    @property
    def simulated(self) -> list[str]:
        """The names of the scenarios that were simulated."""
        return [str(cell["scenario"]) for cell in self.study.cells]

    def estimates(self) -> pd.DataFrame:
        """Return the estimates on the table itself, as `analyze` does.

        A strategy chosen after a look at them is not the one that was calibrated.
        """
        return self.analysis.tidy()

    @cached_property
    def _choice(self) -> pa.Table:
        settings = self.study.verdict_settings
        return calibrated_choice(self.study.plan, settings, self.cells, self.table)

    def choice(self) -> pd.DataFrame:
        """Return what becomes of the level where the data choose the strategy that tests them.

        A row per scenario, rule of the choice, term and measure, and over all scenarios; `chosen`
        is how often each strategy is. The columns are those of `calibrated_choice.parquet`.
        """
        return self._choice.to_pandas()

    @property
    def on_choosing(self) -> list[str]:
        """What `choice` comes to in words, a sentence or two for each term."""
        return choice_sentences(self._choice)

    def __str__(self) -> str:
        heads, lines = table_of_kinds(self.advice.answers)
        table = tabulate(lines, heads, tablefmt="simple", disable_numparse=True)
        effects = detectable_sentences(self.advice.answers, self._power[1])
        mind = [f"Mind: {one}" for one in self.reservations]
        paragraphs = [*self.advice.paragraphs, *effects, *mind]
        said = "\n\n".join(textwrap.fill(one, WIDTH) for one in paragraphs)
        return f"{said}\n\n{table}\n\n{FURTHER}"
