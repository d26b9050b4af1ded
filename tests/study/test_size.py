"""How large studies are, by hand, and what is too large."""

from __future__ import annotations

import pytest

from clustrategy.dgp import Process
from clustrategy.study.blocks import Chosen, doubling, most_blocks
from clustrategy.study.size import MOST_NUMBERS, Size, absurdity, too_large, too_many_cells
from clustrategy.study.study import Study
from tests.conftest import SMALL


def process(clusters: int, obs: int, predictors: int = 3) -> Process:
    return Process(clusters, obs, 0.5, predictors, {"uniform": [0, 1]}, 1.0)


def test_datasets_rows_and_fits_are_counted() -> None:
    size = Size.of(
        [(process(10, 5), 50), (process(100, 20), 10)], 3, csv=False, keep_datasets=False, seconds=9
    )
    assert (size.cells, size.datasets, size.fits) == (2, 60, 180)
    assert size.rows == 50 * 50 + 10 * 2000
    csv = Size.of([(process(10, 5), 50)], 3, csv=True, keep_datasets=False, seconds=9)
    kept = Size.of([(process(10, 5), 50)], 3, csv=True, keep_datasets=True, seconds=9)
    assert csv.bytes > size.bytes * 50 / 60
    assert kept.bytes - csv.bytes == 50 * 50 * (4 + 1) * 8, (
        "rows, columns with the response, doubles"
    )


def test_a_study_counts_what_is_made() -> None:
    """SMALL has 4 cells of 4 sims in one block each: 36 or 48 rows a dataset."""
    study = Study.from_config({**SMALL, "strategies": ["ols", "two_stage"]})
    blocks = study.plan.blocks
    whole = study.size(blocks, 7.0)
    assert (whole.cells, whole.datasets, whole.fits) == (4, 16, 32)
    assert whole.rows == 2 * 4 * (36 + 48)
    assert whole.seconds == 7.0
    assert study.size(blocks[:1], 1.0).rows == 4 * 36
    assert study.size([], 0.0) == Size()


@pytest.mark.parametrize(
    ("seconds", "cores", "said"),
    [
        (0.2, 2, "about 1 second of CPU time"),
        (40, 2, "about 40 seconds of CPU time"),
        (600, 2, "about 10 minutes of CPU time"),
        (7200, 2, "about 2 hours of CPU time"),
        (
            7300,
            1,
            "about 2 hours of CPU time, besides tables and figures, and 1 kB in results/a/; a long "
            "run, 2 hours on one",
        ),
        (
            86400 * 20,
            4,
            "about 20 days of CPU time, besides tables and figures, and 1 kB in results/a/; a long "
            "run, 5 days on",
        ),
        (31557600 * 30, 4, "about 30 years"),
    ],
)
def test_a_long_run_is_announced(seconds: float, cores: int, said: str) -> None:
    size = Size(cells=1, datasets=1, rows=1000, fits=2, bytes=3, seconds=seconds)
    line = size.said(cores, "results/a")
    assert said in line
    assert line.startswith("1 dataset of 1 cell to be made (1,000 rows, 2 fits): about ")
    assert ("a long run" in line) == (seconds / cores > 3600)
    assert len(line.splitlines()) == 1
    assert ("a long run" in size.said_of_audit(cores)) == ("a long run" in line)
    assert size.said_of_audit(cores).startswith("1 dataset to be audited: about ")


@pytest.mark.parametrize(
    ("count", "words"),
    [(1e3, "1 kB"), (4e5, "400 kB"), (2.5e6, "2.5 MB"), (1.234e8, "123 MB"), (5e9, "5 GB")],
)
def test_bytes_have_a_unit(count: float, words: str) -> None:
    assert f" and {words} in r/" in Size(bytes=int(count)).said(1, "r")


def test_a_dataset_has_at_most_so_many_numbers() -> None:
    assert too_large(process(1000, MOST_NUMBERS // 5000)) is None
    option, words = too_large(process(1000, MOST_NUMBERS // 5000 + 1)) or ("", "")
    assert option == "obs_per_cluster" and "20,001,000 rows and 5 columns" in words
    assert (too_large(process(10**5, 300)) or ("",))[0] == "clusters"


def test_a_grid_has_at_most_so_many_cells() -> None:
    assert too_many_cells({"a": [*range(100)], "b": [*range(100)], "c": 3}) == ""
    assert too_many_cells({"a": [*range(100)], "b": [*range(101)]}).startswith(
        "b has 101 levels and the grid 10,100 cells"
    )


@pytest.mark.parametrize("sims", [1, 49, 50, 51, 1000, 12_345])
@pytest.mark.parametrize("most", [1, 7, 50, 99, 1000, 10**6])
def test_blocks_are_never_more_than_counted(sims: int, most: int) -> None:
    assert len(doubling(sims, most)) <= most_blocks(sims, most)


def test_what_is_absurd_is_named_by_its_option() -> None:
    """OLS takes 0.1 ms and 50 ns a row here, and a dataset as long to draw."""
    chosen, cells = [Chosen("ols", "numpy")], [process(10, 10)] * 1000
    assert absurdity(cells, chosen, 10_000, "auto") is None
    assert (absurdity(cells, chosen, 10_000, 10) or ("",))[0] == "sims_per_shard"
    slow = [Chosen("mixed_maximal", "lme4")]
    # 0.06 s and 15 ms for 100 rows: 21 hours for a million sims of a cell.
    assert absurdity(cells, slow, 10**7, 10**6) is None
    assert (absurdity(cells * 5, slow, 10**7, 10**6) or ("",))[0] == "sims"
