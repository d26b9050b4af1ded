"""The regressions of the table, and what explains their standard errors."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from clustrategy.core.errors import DataError
from clustrategy.core.shard import INTERCEPT, Floats, Ints, Shard
from clustrategy.design.from_table import design_from_table
from clustrategy.examples.student_table import Settings, load, read_csv
from clustrategy.owndata.analyze import analyze

if TYPE_CHECKING:
    import pandas as pd

UNCLUSTERED, CLUSTERED, NORMAL = "unclustered", "clustered", "clustered, normal"
STRATEGIES: tuple[dict[str, str], ...] = (
    {"strategy": "ols", "engine": "statsmodels", "name": UNCLUSTERED},
    {"strategy": "cluster_robust", "engine": "statsmodels", "name": CLUSTERED},
    {"strategy": "cluster_robust", "engine": "statsmodels", "df": "normal", "name": NORMAL},
)
FEW = 40
"""Fewer clusters than this are few, by the usual rule of thumb."""

CREDITS = {
    "e47f9ee225e1ee6e69b7564e6dac7123e80b8486677fe111f351964cef5dec80": (
        "the Student Performance data, mathematics (Cortez & Silva 2008, UCI Machine Learning "
        "Repository, CC BY 4.0)"
    )
}
"""What a table is known as, by its sha256."""


@dataclass(frozen=True)
class Example:
    """The regressions of one table.

    Attributes
    ----------
    source : str
        A few words on the table.
    formula, cluster : str
        As in the config.
    names : Sequence of str
        The names of the clusters.
    shard : Shard
        The design of the formula on the table, sorted by cluster.
    table : DataFrame
        What `analyze` makes of it with `STRATEGIES`.
    extra : Mapping of str to Mapping
        The fits that the page gives as alternatives, by name; those that failed are left out.
    """

    source: str
    formula: str
    cluster: str
    names: Sequence[str]
    shard: Shard
    table: pd.DataFrame
    extra: Mapping[str, Mapping[str, Any]]

    @property
    def response(self) -> str:
        """The response of the formula."""
        return self.formula.partition("~")[0].strip()

    @cached_property
    def term(self) -> str:
        """The first predictor."""
        return predictors(self.shard)[0]

    @property
    def column(self) -> int:
        """The column of the first predictor."""
        return self.shard.terms.index(self.term)

    @property
    def codes(self) -> Ints:
        """The cluster of each row."""
        return self.shard.cluster_codes(0)

    @property
    def sizes(self) -> Ints:
        """The rows of each cluster."""
        return self.shard.n[0]

    def by_cluster(self, rows: Floats) -> list[Floats]:
        """Split the rows of an array by cluster."""
        return np.split(rows, np.cumsum(self.sizes)[:-1])

    @cached_property
    def coefficients(self) -> Floats:
        """The coefficients of the pooled regression."""
        return self.table[self.table["strategy"] == UNCLUSTERED]["estimate"].to_numpy()

    @cached_property
    def own(self) -> Floats:
        """The coefficients of each cluster by itself; NaN where its rows do not determine them."""
        rows = []
        for y, X in zip(self.by_cluster(self.shard.y), self.by_cluster(self.shard.X), strict=True):
            solution, _, rank, _ = np.linalg.lstsq(X, y)
            rows.append(solution if rank == self.shard.p else np.full(self.shard.p, np.nan))
        return np.array(rows)

    @cached_property
    def scores(self) -> Floats:
        """The score of each cluster and coefficient: sums of predictor times residual."""
        residual = self.shard.y - self.shard.X @ self.coefficients
        by_row = self.shard.X * residual[:, None]
        return np.array([part.sum(axis=0) for part in self.by_cluster(by_row)])

    def slope(self, strategy: str) -> dict[str, Any]:
        """Return a strategy's row for the first predictor."""
        rows = self.table["strategy"].eq(strategy) & self.table["term"].eq(self.term)
        return dict(self.table[rows].iloc[0])

    @property
    def ratio(self) -> float:
        """The unclustered standard error of the slope over the clustered one."""
        return float(self.slope(UNCLUSTERED)["std_error"] / self.slope(CLUSTERED)["std_error"])

    @property
    def is_trap(self) -> bool:
        """Whether the normal distribution claims an effect that the t distribution does not."""
        return bool(self.slope(NORMAL)["p_value"] < 0.05 <= self.slope(CLUSTERED)["p_value"])

    @property
    def rank(self) -> int:
        """The rank of the clustered variance matrix."""
        scaled = self.scores / np.linalg.norm(self.shard.X, axis=0)
        return int(np.linalg.matrix_rank(scaled, rtol=1e-8))

    @property
    def expected_ratio(self) -> float:
        """The expected clustered standard error over the true one if rows were independent.

        It is the root of the expected square, for residuals of one variance.
        """
        X, G, N, p = self.shard.X, self.shard.clusters, self.shard.y.size, self.shard.p
        bread = np.linalg.inv(X.T @ X)
        meat = np.zeros((p, p))
        for rows in self.by_cluster(X):
            part = rows.T @ rows
            meat += part - part @ bread @ part
        variance = G / (G - 1) * (N - 1) / (N - p) * bread @ meat @ bread
        return float(np.sqrt(variance[self.column, self.column] / bread[self.column, self.column]))


class Source(NamedTuple):
    """What the regressions are fitted to.

    Attributes
    ----------
    content : bytes
        The table as it stands in its file.
    data : DataFrame
        The table.
    shard : Shard
        The design of the formula on it, sorted by cluster.
    names : list of str
        The names of the clusters.
    """

    content: bytes
    data: pd.DataFrame
    shard: Shard
    names: list[str]


def read(path: str | Path, settings: Settings) -> Source:
    """Read the table and the design of the formula.

    Parameters
    ----------
    path : str or Path
        The table, as CSV or in a zip archive.
    settings : Settings
        The config's `student`.

    Raises
    ------
    DataError
        If the table is not what was expected, or the formula or the clusters do not go with it.
    """
    remedy = "set student.sha256 to null to use another table"
    if not settings.file:
        remedy = "delete that file to download the table again"
    content = load(path, settings, remedy)
    data = read_csv(content, path)
    formula, cluster = settings.formula, settings.cluster
    try:
        design = design_from_table(data, formula, cluster)
    except DataError as error:
        raise DataError(f"{path}: {error}") from None
    shard = design.shard
    if not predictors(shard):
        raise DataError(f"the formula {formula!r} has no predictor (student.formula)")
    if shard.clusters < 2:
        raise DataError(f"{path}: column {cluster!r} holds one cluster; two are the least")
    return Source(content, data, shard, list(design.names))


def example(path: str | Path, settings: Settings) -> Example:
    """Fit the regressions.

    Parameters
    ----------
    path, settings
        As of `read`.

    Raises
    ------
    DataError
        As of `read`, or if a regression fails.
    """
    content, data, shard, names = read(path, settings)
    formula, cluster = settings.formula, settings.cluster
    try:
        table = analyze(data, formula, cluster=cluster, strategies=STRATEGIES)
    except DataError as error:
        raise DataError(f"{path}: {error}") from None
    failed = table[table["status"] != "ok"]
    if len(failed):
        first = failed.iloc[0]
        raise DataError(f"{path}: the {first['strategy']} regression failed: {first['message']}")
    digest = hashlib.sha256(content).hexdigest()
    source = CREDITS.get(digest, f"`{Path(path).name}`, sha256 {digest[:12]}...")
    extra = alternatives(data, formula, cluster, shard)
    return Example(source, formula, cluster, names, shard, table, extra)


def predictors(shard: Shard) -> list[str]:
    """List the terms but the intercept."""
    return [term for term in shard.terms if term != INTERCEPT]


def alternatives(
    data: pd.DataFrame, formula: str, cluster: str, shard: Shard
) -> dict[str, dict[str, Any]]:
    """Fit the first predictor as few clusters need it: `CR2`, and `fixed` effects of clusters."""
    codes = data[cluster].astype("category").cat.codes.where(data[cluster].notna())
    coded = data.assign(cluster_code=codes)
    cr2 = {"strategy": "cluster_robust", "variance": "CR2", "df": "satterthwaite"}
    fits: dict[str, tuple[str, Any]] = {"CR2": (formula, cr2)}
    if shard.clusters < FEW:
        fits["fixed"] = (f"{formula} + C(cluster_code)", {"strategy": "ols"})
    found: dict[str, dict[str, Any]] = {}
    for name, (model, strategy) in fits.items():
        table = analyze(coded, model, cluster="cluster_code", strategies=[strategy])
        row = dict(table[table["term"] == predictors(shard)[0]].iloc[0])
        if row["status"] == "ok":
            found[name] = row
    return found
