"""What a formula may consist of; each hostile one does its harm where nothing checks it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from formulaic import Formula
from hypothesis import example, given
from hypothesis import strategies as st

from clustrategy.core.errors import DataError
from clustrategy.design.formula import FUNCTIONS_ADDED, read_formula
from clustrategy.design.from_table import design_from_table

RNG = np.random.default_rng(3)
DATA = pd.DataFrame(
    {
        "y": RNG.standard_normal(12),
        "x": RNG.uniform(1, 3, 12),
        "z": RNG.uniform(1, 3, 12),
        "k": ["a", "b", "c"] * 4,
        "g": np.repeat([0, 1, 2, 3], 3),
        "a b": RNG.uniform(1, 3, 12),
        "größe": RNG.uniform(1, 3, 12),
    }
)


class Trap:
    """Notes that it was reached: what a formula should have no way to."""

    def __init__(self) -> None:
        self.reached: list[str] = []

    def spring(self, how: object = "", **_: object) -> pd.Series:
        """Note it, and be a column."""
        self.reached.append(str(how))
        return DATA["x"]

    def __getitem__(self, _: object) -> pd.Series:
        return self.spring("item")

    def __getattr__(self, name: str) -> pd.Series:
        return self.spring(name)

    def __gt__(self, _: object) -> pd.Series:
        return self.spring("compared")

    def __matmul__(self, _: object) -> pd.Series:
        return self.spring("matmul")

    def __invert__(self) -> pd.Series:
        return self.spring("inverted")

    def __or__(self, _: object) -> pd.Series:
        return self.spring("or")

    def __format__(self, _: str) -> str:
        self.reached.append("formatted")
        return ""


HOSTILE = {
    "method of a column": "y ~ I(x.to_csv('{file}') or x)",
    "method without a wrapper": "y ~ x.pipe(trap.spring)",
    "function of a module": "y ~ I(np.savetxt('{file}', x) or x)",
    "function of the caller": "y ~ spring(x)",
    "attribute of the caller": "y ~ I(trap.secret)",
    "subscript": "y ~ I(trap[0])",
    "builtin": "y ~ I(getattr(trap, 'spring')(1))",
    "import": "y ~ I(__import__('os').mkdir('{file}') or x)",
    "look-alike letters": "y ~ I(__𝐢𝐦𝐩𝐨𝐫𝐭__('𝘰𝘴'.__class__('os')).mkdir('{file}') or x)",
    "eval of text": "y ~ I(eval('spring(1)'))",
    "exec of text": "y ~ I(exec('spring(1)') or x)",
    "dunder names": "y ~ I(x.__class__.to_csv(x, '{file}') or x)",
    "class hierarchy": "y ~ I(().__class__.__base__.__subclasses__() and spring(1))",
    "lambda": "y ~ I((lambda s: s(1))(spring))",
    "list comprehension": "y ~ I([s(1) for s in (spring,)][0])",
    "generator": "y ~ I(next(s(1) for s in (spring,)))",
    "dict comprehension": "y ~ I({{1: s(1) for s in (spring,)}}[1])",
    "walrus": "y ~ I((f := spring)(1))",
    "conditional": "y ~ I(spring(1) if True else x)",
    "boolean operators": "y ~ I(False or spring(1))",
    "comparison": "y ~ I(trap > 1)",
    "matrix product": "y ~ I(trap @ 1)",
    "inversion": "y ~ I(~trap)",
    "bit operators": "y ~ I(trap | 1)",
    "formatted text": "y ~ I(x + len(f'{{trap}}'))",
    "star arguments": "y ~ I(spring(*[1]))",
    "named arguments": "y ~ I(spring(**{{'how': 1}}))",
    "braces": "y ~ {{spring(x)}}",
    "braces within braces": "y ~ {{I(spring(x))}}",
    "quoting": "y ~ I(`x`.to_csv('{file}') or x)",
    "argument of Q": "y ~ Q(spring(1) is None or 'a b')",
    "argument of poly": "y ~ poly(x, degree=spring(1) is None)",
    "argument of bs": "y ~ bs(x, df=int(spring(4)[0] * 0) + 4)",
    "contrasts that are called": "y ~ C(k, levels=spring(1) is None or ['a', 'b', 'c'])",
    "contrasts of one's own": "y ~ C(k, contr.custom({{'u': spring(1) is None or [1, 0, -1]}}))",
    "transform within a transform": "y ~ scale(center(spring(x)))",
    "left side": "I(y + 0 * spring(1)) ~ x",
    "interaction": "y ~ x:I(spring(1))",
    "second part": "y ~ x | spring(x)",
    "name of the caller": "y ~ secret",
}


def caller(trap: Trap) -> Mapping[str, object]:
    """What formulaic sees of where it is called, unless it is told not to look."""
    return {"trap": trap, "spring": trap.spring, "secret": DATA["z"] * 2}


@pytest.mark.parametrize("how", HOSTILE)
def test_a_hostile_formula_does_its_harm_unchecked_and_none_checked(
    how: str, tmp_path: Path
) -> None:
    trap, file = Trap(), tmp_path / "harm"
    formula = HOSTILE[how].format(file=file)
    try:
        Formula(formula).get_model_matrix(DATA, context=caller(trap))
        harmed = True
    except Exception:
        harmed = False
    assert trap.reached or file.exists() or (harmed and "secret" in formula)
    if file.exists():
        file.rmdir() if file.is_dir() else file.unlink()
    del trap.reached[:]

    spring, secret = trap.spring, DATA["z"] * 2  # noqa: F841  (of the caller)
    with pytest.raises(DataError) as caught:
        design_from_table(DATA, formula, "g")
    assert not trap.reached and not file.exists()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("formula", "smaller"),
    [
        ("y ~ (x + z)**1000000", "y ~ (x + z)**{}"),
        ("y ~ (x + z + k + g)**19", "y ~ (x + z + k + g)**{}"),
        (f"y ~ {' * '.join(f'v{i}' for i in range(40))}", ""),
        (f"y ~ {'(x + z):' * 30}x", ""),
        (f"y ~ ({' + '.join(f'v{i}' for i in range(60))})**4", ""),
        ("y ~ I(9**9**9**9)", ""),
        ("y ~ I((((9**20)**20)**20)**20)", ""),
        ("y ~ I(x**10**10)", ""),
        ("y ~ poly(x, 1000000)", ""),
        ("y ~ bs(x, df=100000000)", ""),
        (f"y ~ {'(' * 3000}x{')' * 3000}", ""),
        (f"y ~ I({'-' * 9000}x)", ""),
        (f"y ~ x{' + x' * 20000}", ""),
    ],
)
def test_what_would_not_end_is_refused_at_once(formula: str, smaller: str) -> None:
    if smaller:
        times = []
        for power in (4, 8):
            start = time.process_time()
            Formula(smaller.format(power))
            times.append(time.process_time() - start)
        assert times[1] > 2 * times[0], "spelling it out is exponential"
    start = time.process_time()
    with pytest.raises(DataError):
        read_formula(formula)
    assert time.process_time() - start < 5


@pytest.mark.parametrize(
    ("formula", "sentence"),
    [
        (
            "y ~ x + (x | g:h)",
            r"has '\(x \| g:h\)': expected the name of one column behind the bar",
        ),
        ("y ~ x | g", r"has a '\|' that is no bar of random effects in brackets"),
        ("y ~ 0", "has no coefficient: expected 'y ~ x', or 'y ~ 1' for the mean"),
        ("y ~ x - x - 1", "has no coefficient"),
        ("y ~ .", r"has a '\.': name the columns that are meant"),
        ("y ~ lgo(x)", r"'lgo' is no function that a formula can call \(did you mean 'log'\?\)"),
        ("y ~ x**z", "has the power 'z': expected a whole number from 1 to 20"),
        ("y ~ I(x**~2)", "a power must be that of a column, by a number of at most 20"),
        ("y ~ I(2**3)", "a power must be that of a column, by a number of at most 20"),
        ("y ~ I(x > 2)", r"where 'x > 2' is not allowed; allowed are columns, numbers, \+ - \* /"),
        ("y ~ center(Q('a b'))", "center takes a column in backticks, `a b`, not by Q"),
        ("y ~ center(x.z)", "a column of that name is `x.z`, in backticks"),
        ("y ~ poly(x, 2, True, 4)", "poly is called with too many arguments"),
        ("y ~ log(x, base=2)", "log takes no argument 'base'"),
        ("y ~ poly(x, degree=z)", "'degree' of poly cannot be 'z'"),
        ("y ~ 'text'", "for a term: a number there is 0 or 1"),
    ],
)
def test_what_is_wrong_is_one_sentence(formula: str, sentence: str) -> None:
    with pytest.raises(DataError, match=sentence):
        design_from_table(DATA, formula, "g")


BENIGN = [
    "y ~ x",
    "y ~ 1",
    "y ~ x + z - 1",
    "y ~ 0 + x",
    "y ~ x * k + z",
    "y ~ (x + z)**2",
    "y ~ (x + z + k)^2 - x:k",
    "y ~ x / z",
    "y ~ z %in% x",
    "y ~ C(k)",
    "y ~ C(k, contr.sum)",
    "y ~ C(k, contr.treatment(base='b')):x",
    "y ~ C(k, levels=['c', 'b', 'a']) + C(g)",
    "y ~ poly(x, 2) + bs(z, df=4)",
    "y ~ scale(x) + center(z)",
    "log(y + 9) ~ log(x) + exp(z) + I(x**2 - 3 * z / 2)",
    "np.exp(y) ~ np.log(x)",
    "y ~ I(x**-1) + I(x**0.5) + I(-x)",
    "y ~ `a b` + Q('a b'):x + I(`a b` * 2) + größe",
    "y ~ {x + z}",
]


@pytest.mark.parametrize("formula", BENIGN)
def test_a_harmless_formula_gives_what_formulaic_gives(formula: str) -> None:
    shard = design_from_table(DATA, formula, "g").shard
    response, design = Formula(formula).get_model_matrix(DATA, context=FUNCTIONS_ADDED)
    np.testing.assert_array_equal(shard.y, response.to_numpy()[:, 0])
    np.testing.assert_array_equal(shard.X, design.to_numpy(dtype=float))
    assert [*shard.terms] == ["(Intercept)" if c == "Intercept" else c for c in design.columns]


def test_what_is_computed_is_what_it_is_called() -> None:
    shard = design_from_table(DATA, "y ~ 0 + sqrt(x) + scale(z) + center(x)", "g").shard
    x, z = DATA["x"].to_numpy(), DATA["z"].to_numpy()
    expected = [np.sqrt(x), (z - z.mean()) / z.std(ddof=1), x - x.mean()]
    np.testing.assert_allclose(shard.X, np.column_stack(expected), rtol=1e-12, atol=1e-15)
    shard = design_from_table(DATA, "y ~ 0 + poly(x, 2)", "g").shard
    np.testing.assert_allclose(shard.X.T @ shard.X, np.eye(2), atol=1e-12)


def test_a_column_may_have_the_name_of_a_function_unless_that_is_called() -> None:
    data = DATA.assign(log=DATA["x"])
    shard = design_from_table(data, "y ~ I(log * 2)", "g").shard
    np.testing.assert_array_equal(shard.X[:, 1], 2 * DATA["x"])
    with pytest.raises(DataError, match="calls 'log', which is a column of its own, too"):
        design_from_table(data, "y ~ log(log)", "g")


PARTS = st.sampled_from(
    ["y", "x", "z", "k", "~", "+", "-", "*", ":", "/", "**", "2", "0", "1", "(", ")", " ", "I(",
     "C(", "log(", "Q('x')", "`a b`", "{", "}", "|", ".", "%in%", "'", '"', "[", "]", "=", ",",
     "lambda", "\\", "\n", "é", "𝐱", "__x__", "contr.sum", "@", ";"]
)  # fmt: skip


@given(st.lists(PARTS, max_size=14).map("".join) | st.text(max_size=20))
@example("y ~ x")
def test_any_text_is_a_formula_or_gets_one_sentence(text: str) -> None:
    try:
        shard = design_from_table(DATA, text, "g").shard
    except DataError as error:
        assert len(str(error).splitlines()) == 1
    else:
        assert shard.X.shape[0] == len(DATA) and shard.X.shape[1] > 0


@pytest.mark.parametrize(
    ("formula", "numbers", "levels"),
    [
        ("y ~ x", "y x", ""),
        ("y ~ x * z - 1", "y x z", ""),
        ("y ~ C(k) + x", "y x", "k"),
        ("y ~ C(k, contr.sum) + C(`k`):x", "y x", "k"),
        ("y ~ C(k) + k", "y k", ""),
        ("y ~ C(k + j)", "y k j", ""),
        ("y ~ C(Q('k')) + Q('z')", "y z", "k"),
        ("log(y) ~ I(x * x) + poly(z, 2)", "y x z", ""),
        ("y ~ scale(x) + center(z) + bs(u, df=4)", "y x z u", ""),
        ("y ~ I(`a.b` * x) + `c.d`", "y x a.b c.d", ""),
        ("y ~ log", "y log", ""),
        ("y ~ 1", "y", ""),
    ],
)
def test_the_columns_of_a_formula(formula: str, numbers: str, levels: str) -> None:
    found = read_formula(formula)
    assert found.numbers == set(numbers.split()) and found.levels == set(levels.split())
