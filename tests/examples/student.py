"""A table that has the regressions of the real one, and what they are."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from clustrategy.examples.student_regressions import (
    CLUSTERED,
    NORMAL,
    UNCLUSTERED,
    Example,
    example,
)
from clustrategy.examples.student_table import Settings

# Rows, sums of x and y, sums of xx, xy and yy of absences (x) and G3 (y) in the real table.
SUMS = {
    "GP": (349, 2082, 3661, 36636, 22365, 45849),
    "MS": (46, 173, 453, 1473, 1616, 5269),
}
# What statsmodels says of the real table.
SLOPE, INTERCEPT = 0.019605177753277032, 10.303266643459136
EXPECTED = {
    UNCLUSTERED: {
        "std_error": 0.028859787521019004,
        "statistic": 0.6793250899369337,
        "p_value": 0.4973317955435321,
        "df": 393.0,
    },
    CLUSTERED: {
        "std_error": 0.004473882328689159,
        "statistic": 4.382139786636123,
        "p_value": 0.1428302427067887,
        "df": 1.0,
    },
    NORMAL: {
        "std_error": 0.004473882328689159,
        "statistic": 4.382139786636123,
        "p_value": 1.1751936470548017e-05,
        "df": np.inf,
    },
}
INTERCEPT_ERRORS = {
    UNCLUSTERED: 0.2834708186192133,
    CLUSTERED: 0.0978663734971912,
    NORMAL: 0.0978663734971912,
}
FILES = ("coefficients.csv", "student.md", "student.png", "student.pdf")


def twin() -> pd.DataFrame:
    """A table that has the regressions of the real one, for it has the same sums."""
    parts = []
    for school, (n, sx, sy, sxx, sxy, syy) in SUMS.items():
        t = np.linspace(-1, 1, n)
        _, first, second = np.linalg.qr(np.column_stack([np.ones(n), t, t**2]))[0].T
        sxx, sxy, syy = sxx - sx * sx / n, sxy - sx * sy / n, syy - sy * sy / n
        x = sx / n + np.sqrt(sxx) * first
        y = sy / n + sxy / np.sqrt(sxx) * first + np.sqrt(syy - sxy**2 / sxx) * second
        parts.append(pd.DataFrame({"school": school, "absences": x, "G3": y}))
    return pd.concat(parts)


def as_bytes(table: pd.DataFrame) -> bytes:
    return table.to_csv(index=False, sep=";").encode()


TWIN = as_bytes(twin())


def settings(**change: Any) -> dict[str, Any]:
    return {
        "file": "a local file",
        "member": "student-mat.csv",
        "sha256": None,
        "formula": "G3 ~ absences",
        "cluster": "school",
    } | change


def zipped(files: dict[str, bytes]) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in files.items():
            file.writestr(name, content)
    return archive.getvalue()


INNER = zipped({"student-por.csv": b"no", "student-mat.csv": TWIN})
OUTER = zipped({".student.zip_old": b"no", "student.zip": INNER})


def made(folder: Path, table: pd.DataFrame, **change: Any) -> Example:
    path = folder / "table.csv"
    path.write_bytes(as_bytes(table))
    return example(path, Settings(**settings(**change)))


def clinics(count: int, rows: int, slope: float = 1) -> pd.DataFrame:
    rng = np.random.default_rng(count)
    clinic = np.repeat(np.arange(count), rows)
    dose, age = rng.normal(size=(2, count * rows))
    y = slope * dose + age + rng.normal(size=count)[clinic] + rng.normal(size=count * rows)
    names = [f"c{code:02}" for code in clinic]
    return pd.DataFrame({"clinic": names, "the dose": dose, "age": age, "y": y})
