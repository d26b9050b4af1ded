"""Sentences about detectable effects: whose they are, at which level, and where there is none."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from clustrategy.evaluation.cell_verdicts import ADJUSTED, FALSE_POSITIVES, UNUSABLE
from clustrategy.evaluation.detectable_in_words import detectable_sentences
from clustrategy.evaluation.recommendation import Answer, Standing


def standing(strategy: str, *, safe: bool = False, liberal: bool = False) -> Standing:
    rate = {
        "value": 0.05,
        "safe": safe,
        "verdict": "liberal" if liberal else "undecided",
        "liberal_cells": int(liberal),
    }
    rows = {FALSE_POSITIVES: rate, UNUSABLE: {"value": 0.0}, ADJUSTED: {"value": 0.8, "cells": 1}}
    return Standing(strategy, rows)


def row(strategy: str, adjusted: bool, effect: float | None, **more: Any) -> dict[str, Any]:
    known = {
        "scope": "all",
        "strategy": strategy,
        "kind": "treat",
        "size_adjusted": adjusted,
        "effect": effect,
        "standardised": None,
        "standardised_by": None,
        "note": None,
    }
    return {**known, **more}


def said(standings: list[Standing], *rows: dict[str, Any]) -> list[str]:
    names = list(rows[0])
    table = pa.table({name: pa.array([one[name] for one in rows]) for name in names})
    return detectable_sentences([Answer("treat", "treat", standings, [], 1.0)], table)


def test_what_is_recommended_is_said_as_its_tests_are():
    rows = [
        row("A", False, 16.64, standardised=1.52, standardised_by="SD of the response"),
        row("A", True, 17.0),
        row("B", True, 3.0),
    ]
    assert said([standing("A", safe=True), standing("B")], *rows) == [
        "A finds an effect of 16.6 (1.5 SD of the response) of treat in 80 % of datasets, "
        "whichever scenario holds."
    ]


def test_what_is_undecided_is_said_at_its_level():
    rows = [row("A", False, 16.6), row("A", True, 17.04)]
    assert said([standing("A")], *rows) == [
        "A would, at its level, find an effect of 17.0 of treat in 80 % of datasets, whichever "
        "scenario holds."
    ]


def test_no_effect_has_its_reason():
    rows = [row("A", True, None, note="80 % is not reached up to 12")]
    assert said([standing("A")], *rows) == [
        "No effect of treat is found in 80 % by A: 80 % is not reached up to 12."
    ]


@pytest.mark.parametrize("standings", [[], [standing("A", liberal=True)]])
def test_nothing_is_said_of_liberal_strategies_alone(standings: list[Standing]):
    assert said(standings, row("A", True, 3.0)) == []
