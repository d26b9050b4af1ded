"""Which word was meant, and what somebody else's error says."""

from __future__ import annotations

import pytest

from clustrategy.core.errors import in_words, nearest


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


class Mute(Exception):
    """An error that has no words."""

    def __str__(self) -> str:
        raise ValueError


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ValueError("no\n\tluck"), "ValueError: no luck"),
        (KeyError(), "KeyError"),
        (Mute(), "Mute"),
        (OSError("\x1b[31m"), "OSError: ?[31m"),
        (TypeError("x" * 201), f"TypeError: {'x' * 200}..."),
    ],
)
def test_an_error_in_words_is_one_short_line(error: Exception, words: str) -> None:
    assert in_words(error) == words
