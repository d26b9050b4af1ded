"""How the fits ended, counted by hand."""

from __future__ import annotations

from clustrategy.report.failures import Share, failures
from tests.report.pages import fits_of, study_of


def test_shares_are_of_all_fits_and_of_those_of_the_worst_cell() -> None:
    study = study_of(sims=4)
    ends = {"ols": ["error"], "maximal": ["singular", "not_converged", "not_converged"]}
    fits = fits_of(study, ends)
    # One more singular fit in the second cell.
    rows = fits.to_pylist()
    last = max(i for i, row in enumerate(rows) if row["strategy"] == "maximal")
    rows[last] |= {"status": "singular", "singular": True}
    found = failures(
        fits.from_pylist(rows), study.factors, ["two_stage", "ols", "maximal"], ["ok", "singular"]
    )
    assert [one.fits for one in found] == [8, 8, 8]
    assert found[0].unusable == found[0].singular == Share(0, 0.0, 0.0, "")
    worst = "30 clusters, obs_per_cluster 5, between_cluster_sigma 0.5"
    assert found[2].singular == Share(3, 3 / 8, 2 / 4, worst)
    assert (found[2].unusable.count, found[2].unusable.most) == (4, 0.5)
    assert found[2].ends == [("said: not_converged", 4)]
    assert found[1].ends == [("said: error", 2)]


def test_what_is_usable_is_the_configs() -> None:
    study = study_of(sims=2)
    fits = fits_of(study, {"maximal": ["singular"]})
    (found,) = failures(fits, study.factors, ["maximal"], ["ok"])
    assert (found.unusable.count, found.ends) == (2, [("singular", 2)])
