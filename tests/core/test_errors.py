"""Which word was meant."""

from __future__ import annotations

import pytest

from clustrategy.core.errors import nearest


@pytest.mark.parametrize(
    ("word", "known", "meant"),
    [
        ("gird", ["study", "grid"], "grid"),
        ("lgo", ["log", "linear"], "log"),
        ("icc", ["arms", "predictor_icc", "size_cv"], "predictor_icc"),
        ("variance", ["residual_variance_cv", "treatment"], "residual_variance_cv"),
        ("CR7", ["CR0", "CR3", "CV3"], "CR"),
        ("HC3", ["CR0", "CR1", "CR2", "CR3", "CV3"], None),
        ("HC1", ["robust", "CR1"], None),
        ("xyz", ["study", "grid"], None),
        (True, ["between", "within"], None),
    ],
)
def test_the_nearest_word_is_suggested(word: object, known: list[str], meant: str | None) -> None:
    found = nearest(word, known)
    assert found.startswith(f" (did you mean '{meant}") if meant else found == ""
