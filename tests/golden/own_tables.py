"""Tables as users have them, which R's packages analysed: four real ones and 200 random ones.

The random ones are the same bits on every machine, as those of `random_datasets`.
"""

from __future__ import annotations

import importlib.resources
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from tests.golden.random_datasets import Draws

HERE = Path(__file__).parent
RANDOM = range(200)
# Draws below are those of `random_datasets`.
FIRST = 1000


class OwnTable(NamedTuple):
    """A table, and the model of it: fixed effects, then a bar, as lme4 and `fit` read them."""

    data: pd.DataFrame
    fixed: str
    bar: str

    @property
    def formula(self) -> str:
        """The whole model."""
        return f"{self.fixed} + {self.bar}"

    @property
    def cluster(self) -> str:
        """The column of the clusters."""
        return self.bar.split("|")[-1].strip(" )")


def _golden(dataset: str, names: dict[str, str]) -> pd.DataFrame:
    table = pd.read_csv(HERE / "datasets.csv", float_precision="round_trip")
    rows = table[table["dataset"] == dataset].rename(columns=names)
    return rows[list(names.values())].reset_index(drop=True)


def sleepstudy() -> OwnTable:
    """`lme4::sleepstudy`; the subjects are text."""
    data = _golden("sleepstudy", {"y": "Reaction", "x1": "Days", "cluster": "Subject"})
    data["Subject"] = [f"S{number:02}" for number in data["Subject"]]
    return OwnTable(data, "Reaction ~ Days", "(Days | Subject)")


def orthodont() -> OwnTable:
    """`nlme::Orthodont`; subjects and sex are text."""
    names = {"y": "distance", "x1": "age", "x2": "Sex", "cluster": "Subject"}
    data = _golden("orthodont", names)
    data["Sex"] = np.where(data["Sex"] == 1, "Female", "Male")
    data["Subject"] = [f"S{number:02}" for number in data["Subject"]]
    return OwnTable(data, "distance ~ age * Sex", "(age | Subject)")


def student(fixed: str, bar: str) -> OwnTable:
    """Some columns of the student performance data (mathematics)."""
    return OwnTable(pd.read_csv(HERE / "student.csv"), fixed, bar)


def petersen() -> OwnTable:
    """The test data of Petersen (2009), 500 firms by 10 years, as statsmodels ships them."""
    file = importlib.resources.files("statsmodels") / "stats" / "tests" / "test_data.txt"
    data = pd.read_csv(str(file), sep=r"\s+", header=None, names=["firm", "year", "x", "y"])
    return OwnTable(data, "y ~ x", "(1 | firm)")


def real_tables() -> dict[str, OwnTable]:
    """The real tables by name."""
    by_job = "G3 ~ absences + sex + Fjob"
    return {
        "sleepstudy": sleepstudy(),
        "orthodont": orthodont(),
        "student by school": student("G3 ~ absences + sex + studytime", "(1 | school)"),
        "student by Mjob": student(by_job, "(1 + absences | Mjob)"),
        "petersen": petersen(),
    }


def random_table(number: int) -> OwnTable:
    """Random table `number` of 200.

    6 to 40 clusters of 3 to 11 rows, in any order; one to three numbers, `x3` of small integers; a
    factor `f` of three levels, which in every second table differs between clusters only; in two
    of three a treatment `arm` of whole clusters; in every fifth an interaction; in every third
    missing values. Between clusters no, hardly any, some or much variance.
    """
    draws = Draws(FIRST + number)
    clusters = draws.whole(6, 40)
    school = np.repeat(np.arange(clusters), draws.sizes(3, 11, clusters))
    rows = school.size
    names = np.array([f"school {letter}" for letter in _texts(draws, clusters)], dtype=object)
    slope_sd = (0.5, 0.02, 0.8, 1.5)[number % 4]
    sd = (1.0, 0.5, 0.02, 0.0, 2.0)[number % 5]

    data = {"school": names[school]}
    x = draws.normal(rows, 3) + 0.5 * draws.normal(clusters, 3)[school]
    predictors = [f"x{k + 1}" for k in range(draws.whole(1, 3))]
    for column, name in enumerate(predictors):
        data[name] = x[:, column].round(4)
    if "x3" in data:
        data["x3"] = (10 * x[:, 2]).round().astype(np.int8)
    levels = np.array([draws.whole(0, 2) for _ in range(clusters if number % 2 else rows)])
    levels[:6] = [0, 1, 2, 0, 1, 2]
    data["f"] = np.array(["high", "low", "mid"], dtype=object)[
        levels[school] if number % 2 else levels
    ]
    terms = [*predictors, "f"]
    y = 0.3 * x[:, 0] + 0.4 * (data["f"] == "low")
    if number % 3:
        arm = np.array([draws.whole(0, 3) == 0 for _ in range(clusters)], dtype=np.int64)
        arm[[1, 3]], arm[[0, 4]] = 1, 0
        data["arm"] = arm[school]
        terms.append("arm")
        y += 0.5 * data["arm"]
    if number % 5 == 2:
        terms.append("x1:f")
    between = draws.normal(clusters, 2)
    y += sd * between[school, 0] + slope_sd * between[school, 1] * x[:, 0] + draws.normal(rows)
    data["y"] = (10 + 3 * y).round(4)

    table = pd.DataFrame(data).iloc[np.argsort(draws.normal(rows), kind="stable")]
    table = table.reset_index(drop=True)
    if number % 3 == 1:
        for name in ("y", "f", "x1"):
            table.loc[[draws.whole(0, rows - 1) for _ in range(rows // 40 + 1)], name] = None
    bar = ("(1 + x1 | school)", "(1 | school)", "(1 + x1 || school)")[number % 7 % 3]
    return OwnTable(table, f"y ~ {' + '.join(terms)}", bar)


def _texts(draws: Draws, count: int) -> list[str]:
    """Different pairs of letters."""
    found: list[str] = []
    while len(found) < count:
        text = chr(draws.whole(65, 90)) + chr(draws.whole(97, 122))
        if text not in found:
            found.append(text)
    return found
