"""From tables to files: the same files from the same tables, whole or not at all."""

from __future__ import annotations

import warnings

import pandas as pd
import pytest

from clustrategy.figures.registry import FIGURES, TOO_TALL, draw
from clustrategy.figures.words import words_of
from tests.figures.drawn import MAKERS, OPTIONS, few_cells
from tests.figures.tables import STRATEGIES, STUDY, make_fits


@pytest.fixture(scope="module")
def table_files(tmp_path_factory):
    """The tables of a study of few cells, as files."""
    folder = tmp_path_factory.mktemp("tables")
    files = {}
    for name in MAKERS:
        table = few_cells(name)
        files[name] = folder / f"{name}.{'csv' if name == 'dependence' else 'parquet'}"
        if name == "dependence":
            table.to_csv(files[name], index=False)
        else:
            table.to_parquet(files[name])
    return files


@pytest.mark.parametrize("name", FIGURES)
def test_draw_writes_the_same_files_twice_and_without_a_warning(name, table_files, tmp_path, capfd):
    paths = [table_files[read] for read in FIGURES[name].tables]
    contents = []
    for folder in ("first", "second"):
        outputs = [tmp_path / folder / f"{name}.{suffix}" for suffix in ("png", "pdf", "svg")]
        outputs[0].parent.mkdir()
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            # Seaborn 0.13 still says `vert` to matplotlib, which hides this by default.
            warnings.simplefilter("ignore", PendingDeprecationWarning)
            options = {**OPTIONS, "dpi": 30}
            draw(name, paths, outputs, factors=STUDY, strategies=STRATEGIES, options=options)
        assert sorted(outputs[0].parent.iterdir()) == sorted(outputs)
        contents.append([output.read_bytes() for output in outputs])
    assert contents[0] == contents[1]
    assert contents[0][0].startswith(b"\x89PNG") and contents[0][1].startswith(b"%PDF")
    assert b"CreationDate" not in contents[0][1]
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("name", ["coefficient_recovery", "convergence"])
def test_more_cells_than_a_page_can_show_are_said(name, tmp_path):
    (read,) = FIGURES[name].tables
    table = MAKERS[read]()
    few = table[(table["clusters"] == 10) & (table["strategy"] == "mixed_maximal")]
    assert len(few)
    parts = [few.assign(residual_sigma=level) for level in range(1, 101)]
    path, output = tmp_path / f"{read}.parquet", tmp_path / f"{name}.svg"
    pd.concat(parts).to_parquet(path)
    factors = [*STUDY, "residual_sigma"]
    draw(name, [path], [output], factors=factors, strategies=["mixed_maximal"], options={})
    assert words_of(output).title == TOO_TALL


def test_a_failed_draw_leaves_the_old_file_and_nothing_else(tmp_path):
    table, output = tmp_path / "fits.parquet", tmp_path / "convergence.png"
    make_fits().drop(columns="status").to_parquet(table)
    output.write_bytes(b"old")
    with pytest.raises(KeyError):
        draw("convergence", [table], [output], factors=STUDY, strategies=STRATEGIES, options={})
    assert output.read_bytes() == b"old"
    assert sorted(tmp_path.iterdir()) == sorted([table, output])
