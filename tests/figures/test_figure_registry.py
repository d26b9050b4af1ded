"""The list of figures: cheap to read, with code of each figure that is no other's."""

from __future__ import annotations

import inspect
import subprocess
import sys
from pathlib import Path

import pytest

from clustrategy.figures import registry
from clustrategy.figures.registry import FIGURES, code_of, function_of, names

PERFORMANCE = [name for name, figure in FIGURES.items() if "performance" in figure.tables]
VERDICTS = {"false_positives", "power_by_effect", "power_curves", "verdict_map"}
ON_A_TABLE = {"placebo", "power_curves"}
FOLDER = Path(registry.__file__).parent
WORDS = Path("words.py")


@pytest.mark.parametrize(
    ("coefficients", "others"),
    [
        ({"uniform": [0, 1]}, set()),
        ([0, 0.5, 1], {"zip_plot", "nested_loop", "lollipop"}),
        ([1, 0], {"zip_plot", "nested_loop", "lollipop", "p_value_ecdf"}),
        ([1, 0, 2], set(PERFORMANCE)),
    ],
)
def test_a_study_has_the_figures_that_show_something_of_it(coefficients, others):
    always = {"standard_errors", "t_statistics", "bias", "coverage", "relative_error"}
    always.add("head_to_head")
    assert set(names([coefficients])) & set(PERFORMANCE) == {*always, *others}
    assert set(names([coefficients])) - set(PERFORMANCE) == (
        set(FIGURES) - set(PERFORMANCE) - ON_A_TABLE
    )


def test_a_study_on_a_table_has_figures_of_its_own():
    assert set(names(None)) == {
        "false_positives",
        "relative_error",
        "coverage",
        "audit",
        *ON_A_TABLE,
    }


def test_coefficients_that_are_a_factor_count_together():
    assert set(PERFORMANCE) <= set(names([{"uniform": [0, 1]}, [0, 0], [0, 1]]))
    assert "p_value_ecdf" not in names([[0, 1], [0, 2]])


def test_the_list_is_read_without_importing_the_plotting_libraries():
    code = (
        "import sys, clustrategy.figures.registry as r; assert len(r.FIGURES) == 20;"
        "[r.code_of(name) for name in r.names([[1, 0, 2]])];"
        "print({'matplotlib', 'seaborn', 'pandas', 'pyarrow', 'scipy'} & set(sys.modules))"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "set()"


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_is_drawn_by_the_function_and_the_file_of_its_name(name):
    function = function_of(name)
    assert function.__name__ == name
    assert Path(inspect.getfile(function)) == FOLDER / f"{name}.py"
    tables = [
        parameter
        for parameter in inspect.signature(function).parameters.values()
        if parameter.kind is parameter.POSITIONAL_OR_KEYWORD
    ]
    assert len(tables) == len(FIGURES[name].tables)


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_rests_on_its_own_file_and_on_what_is_shared(name):
    """So an edit of one figure redraws no other, and one of a part those that use it."""
    mine = {path.relative_to(FOLDER) for path in code_of(name) if FOLDER in path.parents}
    assert {path for path in mine if path.parent == Path()} == {Path(f"{name}.py"), WORDS}


@pytest.mark.parametrize(
    ("part", "users"),
    [
        ("score_boxes", {"coefficient_recovery", "standard_errors", "t_statistics"}),
        ("honesty", {"standard_errors", "t_statistics"}),
        ("measure_dots", {"bias", "relative_error", "coverage", "lollipop"}),
        ("audited_fits", {"audit"}),
        ("verdicts", VERDICTS),
        ("frame", {*FIGURES}),
    ],
)
def test_a_part_belongs_to_the_figures_that_use_it(part, users):
    path = FOLDER / "parts" / f"{part}.py"
    assert {name for name in FIGURES if path in code_of(name)} == users


def test_a_name_that_is_no_figure_is_refused():
    with pytest.raises(KeyError):
        function_of("nonsense")
