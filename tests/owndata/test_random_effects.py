"""Random effects in the tables of an analysis."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from clustrategy import fit
from clustrategy.core.errors import ConfigError
from tests.material import FOLDER, sleepstudy

LME4 = json.loads((FOLDER / "conditional_modes.json").read_text())["models"]
SLEEP = next(one for one in LME4 if one["formula"] == "y ~ x1 + (1 + x1 | cluster)")


def test_the_coefficients_of_clusters_are_lme4s_beside_their_own_regressions():
    """Of every mixed model, those too whose random effects the data choose."""
    data = sleepstudy().assign(Subject=lambda d: "s" + d["Subject"].astype(str).str.zfill(2))
    mixed = ["mixed_maximal", "mixed_selected", "mixed_intercept"]
    found = fit(data, "Reaction ~ Days", cluster="Subject", strategies=["ols", *mixed])
    table = found.cluster_coefficients()
    assert list(dict.fromkeys(table["strategy"])) == mixed
    maximal = table[table["strategy"] == "mixed_maximal"].set_index(["cluster", "term"])
    for term, name in (("(Intercept)", "(Intercept)"), ("Days", "x1")):
        of_term = maximal.xs(term, level="term")
        assert list(of_term.index) == [f"s{g:02d}" for g in range(1, 19)]
        np.testing.assert_allclose(of_term["random_effect"], SLEEP["mode"][name], rtol=1e-4)
        np.testing.assert_allclose(
            of_term["random_effect_std_error"], SLEEP["std_error"][name], rtol=1e-5
        )
        np.testing.assert_allclose(of_term["coefficient"], SLEEP["coef"][name], rtol=1e-5)
    one = data[data["Subject"] == "s07"]
    slope, intercept = np.polyfit(one["Days"], one["Reaction"], 1)
    np.testing.assert_allclose(maximal.loc["s07", "ols_estimate"], [intercept, slope], rtol=1e-9)
    assert set(table.loc[table["strategy"] == "mixed_intercept", "term"]) == {"(Intercept)"}
    kept = table[table["strategy"] == "mixed_selected"]
    assert found.fits[2].message[0] == "kept: uncorrelated" and len(kept) == 36


def test_models_with_columns_beside_their_own_have_components_and_no_coefficients_of_clusters():
    """A cluster's hang on coefficients that are not reported."""
    data = sleepstudy()
    data["late"] = data["Days"] + (data["Subject"] % 3)
    entries = [
        {"strategy": "mixed_maximal", "name": name, **more}
        for name, more in (("plain", {}), ("beside", {"within_between": True}))
    ]
    found = fit(data, "Reaction ~ late", cluster="Subject", strategies=entries)
    assert set(found.cluster_coefficients()["strategy"]) == {"plain"}
    assert np.isfinite(found.glance()["sd__late"]).all()


def test_a_random_coefficient_that_the_model_does_not_have_is_refused():
    entry = {"strategy": "mixed", "random": ["(Intercept)", "Day"]}
    with pytest.raises(
        ConfigError, match=r"found 'Day' \(did you mean 'Days'\?\); the coefficients are \(Int"
    ):
        fit(sleepstudy(), "Reaction ~ Days", cluster="Subject", strategies=[entry])


def test_the_name_of_a_category_makes_all_of_its_effects_random():
    rng = np.random.default_rng(1)
    data = pd.DataFrame({"g": np.repeat(np.arange(10), 9), "arm": list("abc") * 30})
    data["y"] = rng.standard_normal(90) + rng.standard_normal(10)[data["g"]]
    entry = {"strategy": "mixed", "random": ["(Intercept)", "arm"], "correlated": False}
    found = fit(data, "y ~ arm", cluster="g", strategies=[entry])
    names = ["sd__(Intercept)", "sd__arm[T.b]", "sd__arm[T.c]"]
    assert [name for name in found.glance().columns if name.startswith(("sd__", "cor__"))] == names
