"""The second worked example: cluster-robust regression on a real table, beside the unclustered."""

from __future__ import annotations

import hashlib
import io
import sys
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import stdtrit

from clustrategy import tables
from clustrategy.analysis import analyze, shard_from_frame
from clustrategy.dataset import INTERCEPT, Floats, Ints, Shard
from clustrategy.errors import ClustrategyError, ConfigError, DataError
from clustrategy.stages.worked_example import markdown_table

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

_TIMEOUT = 10
_DEPTH = 4


@dataclass(frozen=True)
class Table:
    """Where the table comes from, for the rules.

    Attributes
    ----------
    settings : the study's `student` settings.
    folder : where a downloaded table is kept.
    """

    settings: Mapping[str, Any]
    folder: str

    @property
    def kept(self) -> str:
        """The file of the downloaded table."""
        return f"{self.folder}/{Path(self.settings['member']).name}"

    @property
    def is_to_be_downloaded(self) -> bool:
        """Whether the table is neither configured as a local file nor there already."""
        return not self.settings["file"] and not Path(self.kept).exists()

    def path(self, _: object = None) -> str:
        """The file to read, as an input function; one sentence where a local file is missing."""
        if not self.settings["file"]:
            return self.kept
        path = Path(self.settings["file"]).expanduser()
        if not path.is_file():
            sys.exit(f"clustrategy: {path}: there is no such file (student.file in the config)")
        return str(path)

    def url(self) -> str:
        """The archive's URL; the process ends with one sentence where it cannot be reached."""
        try:
            check_url(self.settings.get("url"))
        except ClustrategyError as error:
            sys.exit(f"clustrategy: {error}")
        return str(self.settings["url"])


@cache
def check_url(url: str | None) -> None:
    """See whether an archive can be downloaded.

    Raises
    ------
    ConfigError : where it is no address of the web.
    DataError : where the server cannot be reached or does not have it.
    """
    import requests

    if not str(url).startswith(("http://", "https://")):
        raise ConfigError(f"student.url must be an http or https address, found {url!r}")
    instead = "set student.file in the config to a local copy"
    try:
        with requests.get(str(url), stream=True, timeout=_TIMEOUT) as answer:
            status = answer.status_code
    except (requests.RequestException, ValueError):
        raise DataError(f"{url}: cannot be reached; connect to the network, or {instead}") from None
    if status != requests.codes.ok:
        raise DataError(
            f"{url}: the server answers with status {status}; correct student.url, or {instead}"
        )


def extract(archive: str | Path, table: str | Path, settings: Mapping[str, Any]) -> None:
    """Write the table that an archive holds, its checksum verified."""
    remedy = "the download is not the table that was expected"
    content = load(archive, settings, remedy, name=settings["url"])
    tables.write_whole(table, lambda path: path.write_bytes(content))


def load(
    path: str | Path, settings: Mapping[str, Any], remedy: str, name: str | None = None
) -> bytes:
    """The bytes of the table in a CSV file, a zip archive or a zip archive in another one.

    Parameters
    ----------
    path : the file.
    settings : the study's `student` settings.
    remedy : what to do about a wrong checksum.
    name : what messages call the file, if not by its path.

    Raises
    ------
    DataError : where there is no such table, or where its sha256 is not the configured one.
    """
    name = name or str(path)
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise DataError(f"{name}: cannot be read ({error.strerror})") from None
    if zipfile.is_zipfile(io.BytesIO(content)):
        member = settings["member"]
        try:
            found = find_member(content, member)
        except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, ValueError) as error:
            raise DataError(f"{name}: the archive cannot be read ({error})") from None
        if found is None:
            raise DataError(
                f"{name}: the archive holds no {member!r} (student.member in the config)"
            )
        content = found
    wanted, digest = settings["sha256"], hashlib.sha256(content).hexdigest()
    if wanted and digest != wanted.lower():
        raise DataError(
            f"{name}: the table has the sha256 {digest}, but student.sha256 is {wanted}; {remedy}"
        )
    return content


def find_member(archive: bytes, name: str, depth: int = _DEPTH) -> bytes | None:
    """The bytes of a file in a zip archive, or in the zip archives that it holds."""
    with zipfile.ZipFile(io.BytesIO(archive)) as files:
        names = [entry for entry in files.namelist() if not entry.endswith("/")]
        for entry in names:
            if entry == name or entry.endswith(f"/{name}"):
                return files.read(entry)
        inner = [entry for entry in names if entry.lower().endswith(".zip")]
        for entry in inner if depth > 1 else []:
            content = files.read(entry)
            if zipfile.is_zipfile(io.BytesIO(content)):
                found = find_member(content, name, depth - 1)
                if found is not None:
                    return found
    return None


def read_csv(content: bytes, path: str | Path) -> pd.DataFrame:
    """A table whose columns are parted by semicolons, tabs or commas.

    Raises
    ------
    DataError : where it is none.
    """
    import pandas as pd

    try:
        text = content.decode("utf-8-sig")
        header = text.partition("\n")[0]
        separator = next((mark for mark in ";\t" if mark in header), ",")
        return pd.read_csv(io.StringIO(text), sep=separator)
    except ValueError as error:  # pandas' own errors are of this kind
        reason = str(error).splitlines()[0]
        raise DataError(f"{path}: is not a CSV table ({reason})") from None


@dataclass(frozen=True)
class Example:
    """The regressions of one table.

    Attributes
    ----------
    source : a few words on the table.
    formula, cluster : as in the config.
    names : the clusters.
    shard : the design of the formula on the table, sorted by cluster.
    table : what `analyze` says, for `STRATEGIES`.
    extra : the fits that the page gives as alternatives, by name; those that failed are left out.
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
        """What is explained."""
        return self.formula.partition("~")[0].strip()

    @cached_property
    def term(self) -> str:
        """The first predictor."""
        return next(term for term in self.shard.terms if term != INTERCEPT)

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

    @cached_property
    def coefficients(self) -> Floats:
        """Of the pooled regression."""
        return self.table[self.table["strategy"] == UNCLUSTERED]["estimate"].to_numpy()

    @cached_property
    def own(self) -> Floats:
        """The coefficients of each cluster by itself; NaN where its rows do not determine them."""
        rows = []
        for code in range(self.shard.clusters):
            y, X = self.shard.y[self.codes == code], self.shard.X[self.codes == code]
            solution, _, rank, _ = np.linalg.lstsq(X, y)
            rows.append(solution if rank == self.shard.p else np.full(self.shard.p, np.nan))
        return np.array(rows)

    @cached_property
    def scores(self) -> Floats:
        """The score of each cluster and coefficient: sums of predictor times residual."""
        residual = self.shard.y - self.shard.X @ self.coefficients
        by_row = self.shard.X * residual[:, None]
        return np.array(
            [by_row[self.codes == code].sum(axis=0) for code in range(self.shard.clusters)]
        )

    def slope(self, strategy: str) -> dict[str, Any]:
        """A strategy's row for the first predictor."""
        rows = self.table["strategy"].eq(strategy) & self.table["term"].eq(self.term)
        return dict(self.table[rows].iloc[0])

    @property
    def ratio(self) -> float:
        """The unclustered standard error of the slope over the clustered one."""
        return float(self.slope(UNCLUSTERED)["std_error"] / self.slope(CLUSTERED)["std_error"])

    @property
    def rank(self) -> int:
        """Of the clustered variance matrix."""
        scaled = self.scores / np.linalg.norm(self.shard.X, axis=0)
        return int(np.linalg.matrix_rank(scaled, rtol=1e-8))

    @property
    def expected_ratio(self) -> float:
        """What the clustered standard error would be in units of the true one, were all rows alike.

        The root of its expected square, for independent residuals of one variance.
        """
        X, G, N, p = self.shard.X, self.shard.clusters, self.shard.y.size, self.shard.p
        bread = np.linalg.inv(X.T @ X)
        meat = np.zeros((p, p))
        for code in range(G):
            part = X[self.codes == code].T @ X[self.codes == code]
            meat += part - part @ bread @ part
        variance = G / (G - 1) * (N - 1) / (N - p) * bread @ meat @ bread
        return float(np.sqrt(variance[self.column, self.column] / bread[self.column, self.column]))


def example(path: str | Path, settings: Mapping[str, Any]) -> Example:
    """Fit the regressions.

    Raises
    ------
    DataError : where the table is not what was expected or a regression fails.
    """
    remedy = "set student.sha256 to null to use another table"
    if not settings["file"]:
        remedy = "delete that file to download the table again"
    content = load(path, settings, remedy)
    data = read_csv(content, path)
    formula, cluster = settings["formula"], settings["cluster"]
    try:
        shard = shard_from_frame(data, formula, cluster)
        table = analyze(data, formula, cluster=cluster, strategies=STRATEGIES)
    except DataError as error:
        raise DataError(f"{path}: {error}") from None
    if set(shard.terms) <= {INTERCEPT}:
        raise DataError(f"the formula {formula!r} has no predictor (student.formula)")
    if shard.clusters < 2:
        raise DataError(f"{path}: column {cluster!r} holds one cluster; two are the least")
    failed = table[table["status"] != "ok"]
    if len(failed):
        first = failed.iloc[0]
        raise DataError(f"{path}: the {first['strategy']} regression failed: {first['message']}")
    digest = hashlib.sha256(content).hexdigest()
    source = CREDITS.get(digest, f"`{Path(path).name}`, sha256 {digest[:12]}...")
    return Example(
        source,
        formula,
        cluster,
        cluster_names(data, formula, cluster),
        shard,
        table,
        alternatives(data, formula, cluster, shard),
    )


def cluster_names(data: pd.DataFrame, formula: str, cluster: str) -> list[str]:
    """The clusters in the order of the shard."""
    from formulaic import Formula

    variables = sorted(map(str, Formula(formula).required_variables))
    rows = data.dropna(subset=[*variables, cluster])
    return [str(name) for name in sorted(rows[cluster].unique())]


def alternatives(
    data: pd.DataFrame, formula: str, cluster: str, shard: Shard
) -> dict[str, dict[str, Any]]:
    """The first predictor in fits for few clusters: `CR2`, and `fixed` effects of the clusters."""
    codes = data[cluster].astype("category").cat.codes.where(data[cluster].notna())
    coded = data.assign(cluster_code=codes)
    cr2 = {"strategy": "cluster_robust", "variance": "CR2", "df": "satterthwaite"}
    fits: dict[str, tuple[str, Any]] = {"CR2": (formula, cr2)}
    if shard.clusters < FEW:
        fits["fixed"] = (f"{formula} + C(cluster_code)", {"strategy": "ols"})
    term = next(term for term in shard.terms if term != INTERCEPT)
    found: dict[str, dict[str, Any]] = {}
    for name, (model, strategy) in fits.items():
        table = analyze(coded, model, cluster="cluster_code", strategies=[strategy])
        row = dict(table[table["term"] == term].iloc[0])
        if row["status"] == "ok":
            found[name] = row
    return found


def page(it: Example) -> str:
    """The example in words, all of them after its numbers."""
    groups = it.shard.clusters
    lines = [
        f"# Cluster-robust regression with {groups} clusters",
        "",
        f"{as_code(it.formula)} on {it.shard.y.size} rows, clustered by `{it.cluster}` "
        f"({groups} clusters: {sizes(it)}). The table: {it.source}.",
        "",
        *fits_table(it),
        "",
        verdict(it),
        "",
        "![The fits and the intervals of the slope](student.png)",
        "",
        "## What is wrong with it" if groups == 2 else "## How far to trust it",
        "",
        *interleave([size_of_error(it), scores_in_words(it)]),
        *scores_table(it),
        "",
        *interleave([rank_in_words(it), freedom_in_words(it), slopes_in_words(it)]),
        "## What to do instead" if groups < FEW else "## What else to look at",
        "",
        *advice(it),
    ]
    return "\n".join(lines) + "\n"


def interleave(paragraphs: Sequence[str]) -> list[str]:
    """Paragraphs with an empty line after each; empty ones are left out."""
    return [line for paragraph in paragraphs if paragraph for line in (paragraph, "")]


def number(value: float) -> str:
    """Three significant digits."""
    return f"{value:.3g}"


def p_words(p_value: float) -> str:
    """A p value, or what it is below."""
    return f"p = {number(p_value)}" if p_value > 0 else "p < 1e-300"


def as_code(text: str) -> str:
    """A text as Markdown's code, which may hold backticks itself."""
    return f"`` {text} ``" if "`" in text else f"`{text}`"


def df_label(df: float) -> str:
    """The distribution that a test refers to."""
    return "normal" if np.isinf(df) else f"t, {df:.4g} df"


def fit_words(row: Mapping[str, Any]) -> str:
    """A slope with its standard error and test."""
    test = "normal" if np.isinf(row["df"]) else f"{row['df']:.3g} df"
    return (
        f"{number(row['estimate'])} (SE {number(row['std_error'])}, {test}, "
        f"{p_words(row['p_value'])})"
    )


def sizes(it: Example) -> str:
    """The rows of each cluster, or their range where there are many."""
    if it.shard.clusters > 6:
        low, high = it.sizes.min(), it.sizes.max()
        return f"{low} rows each" if low == high else f"{low} to {high} rows each"
    return ", ".join(f"{name} {n}" for name, n in zip(it.names, it.sizes, strict=True))


def fits_table(it: Example) -> list[str]:
    """The regressions side by side."""
    body = [
        [
            row["strategy"],
            row["term"].replace("|", "\\|"),
            f"{row['estimate']:.4f}",
            number(row["std_error"]),
            f"{row['conf_low']:.4f} to {row['conf_high']:.4f}",
            df_label(row["df"]),
            f"{row['statistic']:.3f}",
            p_words(row["p_value"]).removeprefix("p = ").removeprefix("p "),
        ]
        for row in it.table.to_dict("records")
    ]
    head = ["regression", "term", "estimate", "SE", "95 % CI", "reference", "statistic", "p"]
    return markdown_table(head, body)


def verdict(it: Example) -> str:
    """What the two t tests say."""
    plain, clustered = it.slope(UNCLUSTERED), it.slope(CLUSTERED)
    found = [row["p_value"] < 0.05 for row in (plain, clustered)]
    judgement = {
        (False, False): "Neither t test finds",
        (True, True): "Both t tests find",
        (True, False): "The unclustered t test finds, and the clustered one does not find,",
        (False, True): "The clustered t test finds, and the unclustered one does not find,",
    }[found[0], found[1]]
    return (
        f"{judgement} an association of {it.response} with {it.term} at the 5 % level: "
        f"{p_words(plain['p_value'])} unclustered and {p_words(clustered['p_value'])} "
        "clustered (the CR1S variance of statsmodels, t with as many degrees of freedom as "
        "clusters but one). The third regression is the second with the normal distribution, "
        "which statsmodels takes unless told `use_t=True`."
    )


def size_of_error(it: Example) -> str:
    """The two standard errors compared."""
    ratio = it.ratio
    how = f"{ratio:.2f} times smaller" if ratio >= 1 else f"{1 / ratio:.2f} times larger"
    plain, clustered = it.slope(UNCLUSTERED)["std_error"], it.slope(CLUSTERED)["std_error"]
    text = (
        f"**The clustered standard error is {how}.** It is {number(clustered)} for {it.term}, "
        f"the unclustered one {number(plain)}."
    )
    if ratio >= 1 and it.shard.clusters < FEW:
        text += (
            " This looks like precision and is none, for no information was added: a variance that "
            f"is estimated from {it.shard.clusters} clusters is mostly chance and biased towards "
            "zero."
        )
    elif it.shard.clusters < FEW:
        text += (
            f" An estimate of a variance from {it.shard.clusters} clusters is mostly chance: it "
            "could as well have come out far too small."
        )
    expected = it.expected_ratio
    if expected < 0.95:
        largest = int(it.sizes.argmax())
        share = it.sizes[largest] / it.sizes.sum()
        text += (
            " Even if all rows were independent, and so no clustering needed, this design would "
            f"give a clustered standard error of about {expected:.2f} times the true one"
        )
        text += f" ({share:.0%} of the rows are in {it.names[largest]})." if share > 0.5 else "."
    return text


def scores_in_words(it: Example) -> str:
    """What the clustered variance is made of."""
    return (
        "**The scores sum to zero.** The clustered variance is made of one score per cluster and "
        "coefficient, the sum over the cluster's rows of predictor times residual. Least squares "
        "sets the sum of all scores to zero"
        + (
            ", so that with 2 clusters one score is the other with the sign turned:"
            if it.shard.clusters == 2
            else f", so that {it.shard.clusters - 1} of the {it.shard.clusters} decide the last:"
        )
    )


def scores_table(it: Example) -> list[str]:
    """The clusters, ten at most: rows, slopes and scores."""
    shown = min(it.shard.clusters, 10)
    head = [it.cluster, "rows", f"own slope of {it.term}", *(f"score, {t}" for t in it.shard.terms)]
    body = [
        [
            it.names[g],
            str(it.sizes[g]),
            "none" if np.isnan(it.own[g, it.column]) else f"{it.own[g, it.column]:.4f}",
            *(f"{score:.2f}" for score in it.scores[g]),
        ]
        for g in range(shown)
    ]
    if shown < it.shard.clusters:
        body.append([f"{it.shard.clusters - shown} more", *[""] * (len(head) - 1)])
    total = it.scores.sum(axis=0)
    total[np.abs(total) < 1e-8 * np.abs(it.scores).sum(axis=0)] = 0
    sums = [f"{value:.2f}" for value in total]
    body.append(["all", str(it.sizes.sum()), f"{it.coefficients[it.column]:.4f}", *sums])
    return markdown_table([cell.replace("|", "\\|") for cell in head], body)


def rank_in_words(it: Example) -> str:
    """What the sum of zero does to the variance matrix."""
    p, groups = it.shard.p, it.shard.clusters
    if groups == 2:
        text = (
            f"**The variance matrix has rank {it.rank}.** All that it holds is one score, squared "
            f"and counted twice: the score of {it.names[0]} decides every standard error, and "
            f"the score of {it.names[1]} adds nothing to it."
        )
        if p > 1:
            text += (
                f" As a matrix of {p} coefficients it calls them perfectly correlated, and a joint "
                "test of them is impossible."
            )
        return text
    text = (
        f"**The variance matrix of the {p} coefficients has rank {it.rank}**, and {groups} "
        f"clusters cannot give it a rank above {groups - 1}."
    )
    if it.rank < p:
        text += f" A joint test of all {p} coefficients is impossible."
    return text


def freedom_in_words(it: Example) -> str:
    """The degrees of freedom, and what the normal distribution makes of them."""
    clustered, normal = it.slope(CLUSTERED), it.slope(NORMAL)
    df = int(clustered["df"])
    quantile = stdtrit(df, 0.975)
    only = "Only " if it.shard.clusters < FEW else ""
    noun = "degree of freedom is" if df == 1 else "degrees of freedom are"
    heading = f"{only}{df} {noun} left."
    text = (
        f"**{heading}** The interval reaches {quantile:.2f} standard errors to either side, where "
        f"the normal distribution takes 1.96, and {p_words(clustered['p_value'])}."
    )
    wrong = normal["p_value"] < 0.05 <= clustered["p_value"]
    if wrong:
        text += (
            f' By the default z the very same fit would "prove" an effect of {it.term}: '
            f"{p_words(normal['p_value'])}, 95 % interval {normal['conf_low']:.4f} to "
            f"{normal['conf_high']:.4f}. Nothing but the reference distribution differs."
        )
    else:
        text += f" By the default z it would be {p_words(normal['p_value'])}."
    return text


def slopes_in_words(it: Example) -> str:
    """Whether the clusters agree."""
    slopes = it.own[:, it.column]
    slopes = slopes[~np.isnan(slopes)]
    if len(slopes) < 2:
        return ""
    low, high = number(slopes.min()), number(slopes.max())
    if slopes.min() < 0 < slopes.max():
        return (
            f"**The clusters do not agree.** By themselves they have slopes from {low} to {high}, "
            "of different signs; the clustered standard error shows nothing of it."
            if it.shard.clusters == 2
            else f"By themselves the clusters have slopes from {low} to {high}, of either sign."
        )
    return f"By themselves the clusters have slopes from {low} to {high}."


def advice(it: Example) -> list[str]:
    """What to do with as many clusters as these."""
    groups, cr2, fixed = it.shard.clusters, it.extra.get("CR2"), it.extra.get("fixed")
    result = f"; here CR2 gives {fit_words(cr2)}" if cr2 is not None else ""
    if groups >= FEW:
        return [
            f"{groups} clusters reach the {FEW} or so that the clustered variance is said to "
            "need; that holds for clusters of like size and predictors that vary in most "
            f"of them. CR2 with Satterthwaite degrees of freedom tells whether it does{result}."
        ]
    lines = [
        f"- More clusters: {FEW} or so of like size are the usual advice. More rows in the same "
        f"{groups} are no replacement."
    ]
    if groups == 2:
        lines.append(
            "- Not a method for few clusters: CR2 with Satterthwaite degrees of freedom, the wild "
            f"cluster bootstrap and mixed models need more than 2 clusters as well{result}."
        )
    else:
        lines.append(
            "- A method for few clusters, such as CR2 with Satterthwaite degrees of freedom"
            f"{result}."
        )
    text = f"- Or `{it.cluster}` as a fixed effect, {as_code(f'{it.formula} + C({it.cluster})')}"
    if fixed is not None:
        text += f": the slope within the clusters is {fit_words(fixed)}"
    lines.append(
        f"{text}. This speaks of these {groups} clusters and says nothing about others in general."
    )
    return lines


def student(
    path: str | Path,
    settings: Mapping[str, Any],
    options: Mapping[str, Any],
    *,
    table: str | Path,
    text: str | Path,
    figures: Sequence[str | Path],
) -> None:
    """Write the example's table, page and figure.

    Parameters
    ----------
    path : the data, as CSV or in a zip archive.
    settings, options : the study's `student` and `figures` settings.
    table, text, figures : the files to write.
    """
    from clustrategy.figures.files import quiet, save
    from clustrategy.figures.student import student_figure

    it = example(path, settings)
    with quiet():
        save(student_figure(it, options), figures)
    tables.write_whole(table, lambda beside: it.table.to_csv(beside, index=False))
    tables.write_text(page(it), text)
