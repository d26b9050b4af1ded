from __future__ import annotations

import json
import os
import subprocess
import sys
from unittest.mock import MagicMock

import numpy as np
import pytest

from clustrategy.core.errors import EngineError
from clustrategy.core.fits import Fits
from clustrategy.core.shard import Shard
from clustrategy.design.from_table import design_from_table
from clustrategy.engines import lme4
from clustrategy.engines.chosen import Strategy
from clustrategy.engines.one_by_one import fit_random
from tests.material import GOLDEN, fit, golden, join, orthodont, random_shard

MODELS = ("mixed_maximal", "mixed_intercept")
# Below some 750 rows: above, lme4's path depends on the size of the processor's caches.
SMALL = [
    "balanced-10x5-0.1",
    "balanced-30x5-0.1",
    "unbalanced-10x25-4.0",
    "sleepstudy-unbalanced",
    "orthodont",
]


@pytest.fixture(scope="module")
def r() -> None:
    """Skip where there is no R with lme4 and lmerTest, or no rpy2."""
    try:
        lme4.check()
    except EngineError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def plain(r, tmp_path_factory) -> dict:
    """What `lmerTest::lmer` gives in an R process of its own: dataset -> model -> numbers."""
    folder = tmp_path_factory.mktemp("plain")
    for name in SMALL:
        shard = golden(name)
        columns = [shard.y, shard.cluster_codes(0) + 1.0, *shard.X[:, 1:].T]
        np.concatenate([[len(columns)], *columns]).astype("<f8").tofile(folder / name)
    (folder / "fit.R").write_text("""
      numbers <- function(x) sprintf("[%s]", paste(sprintf("%.17g", x), collapse = ", "))
      texts <- function(x) sprintf("[%s]", paste(encodeString(x, quote = "\\""), collapse = ", "))
      fit <- function(formula, d) {
        m <- suppressMessages(suppressWarnings(lmerTest::lmer(formula, d)))
        t <- suppressWarnings(coef(summary(m)))
        # the checks of lme4 up to 1.1-18, written out: on every fit, singular or not
        g <- m@optinfo$derivs$gradient
        H <- m@optinfo$derivs$Hessian
        scaled <- tryCatch(solve(chol(H), g), error = function(e) Inf)
        e <- eigen(H, symmetric = TRUE, only.values = TRUE)$values
        gradient <- max(pmin(abs(scaled), abs(g))) > 0.002
        hessian <- min(e) < 1e-6 || max(e) > 1e6 || min(e) / max(e) < 1e-6
        sprintf(paste0('{"estimate": %s, "std_error": %s, "df": %s, "theta": %s, ',
                       '"reml_criterion": %s, "sigma": %s, "messages": %s, ',
                       '"gradient": %d, "hessian": %d}'),
                numbers(t[, 1]), numbers(t[, 2]), numbers(t[, 3]),
                numbers(lme4::getME(m, "theta")), numbers(lme4::REMLcrit(m)), numbers(sigma(m)),
                texts(as.character(unlist(m@optinfo$conv$lme4$messages))), gradient, hessian)
      }
      all <- sapply(commandArgs(TRUE), function(name) {
        v <- readBin(name, "double", 1e6, endian = "little")
        d <- as.data.frame(matrix(v[-1], ncol = v[1]))
        names(d) <- c("y", "cluster", paste0("x", seq_len(v[1] - 2)))
        d$cluster <- factor(d$cluster)
        terms <- names(d)[-(1:2)]
        random <- if (name == "orthodont") "x1" else terms
        bars <- sprintf("(%s | cluster)", c(paste(random, collapse = " + "), "1"))
        sprintf('"%s": {"mixed_maximal": %s, "mixed_intercept": %s}', name,
                fit(reformulate(c(terms, bars[1]), "y"), d),
                fit(reformulate(c(terms, bars[2]), "y"), d))
      })
      cat("{", paste(all, collapse = ",\\n"), "}")
    """)
    run = ["Rscript", "--vanilla", "fit.R", *SMALL]
    answer = subprocess.run(run, cwd=folder, capture_output=True, text=True, check=True)
    return json.loads(answer.stdout)


@pytest.mark.lme4
@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("name", SMALL)
def test_is_what_lmertest_gives_in_r_itself(plain, name, model):
    expected = plain[name][model]
    found = fit(golden(name), model, engine="lme4")
    for column in ("estimate", "std_error", "df", "theta"):
        np.testing.assert_allclose(getattr(found, column)[0], expected[column], rtol=1e-12)
    for column in ("reml_criterion", "sigma"):
        np.testing.assert_allclose(getattr(found, column), expected[column], rtol=1e-13)
    for message in expected["messages"]:
        assert message in found.message[0]
    singular = any("isSingular" in message for message in expected["messages"])
    gradient = any("max|grad|" in message for message in expected["messages"])
    assert found.singular[0] == singular
    wanted = "not_converged" if gradient else "singular" if singular else "ok"
    assert found.status[0] == wanted
    flags = (found.gradient_warning[0], found.hessian_warning[0])
    assert flags == (expected["gradient"], expected["hessian"])


@pytest.mark.lme4
@pytest.mark.parametrize("model", MODELS)
def test_is_the_golden_lme4_where_that_reached_the_optimum(r, model):
    compared = 0
    for name, numbers in GOLDEN.items():
        expected = numbers[model]
        if expected is None or len(golden(name).y) >= 750:
            continue
        if expected["reml"] - expected["best"]["reml"] < 1e-6:
            found = fit(golden(name), model, engine="lme4")
            np.testing.assert_allclose(found.reml_criterion[0], expected["reml"], atol=1e-5)
            np.testing.assert_allclose(found.std_error[0], expected["std_error"], rtol=1e-3)
            np.testing.assert_allclose(found.df[0], expected["df"], rtol=1e-2)
            assert found.singular[0] == expected["singular"]
            compared += 1
    assert compared >= 5


@pytest.mark.lme4
def test_analyses_of_whole_shards_are_those_of_their_datasets(r):
    shard = random_shard(1, 3, 6, 2, (4, 9))
    together = fit(shard, "mixed_maximal", engine="lme4")
    for sim in range(3):
        alone = fit(shard.dataset(sim), "mixed_maximal", engine="lme4")
        for column in ("estimate", "std_error", "df", "theta", "reml_criterion"):
            assert np.array_equal(getattr(together, column)[sim], getattr(alone, column)[0])


@pytest.mark.lme4
def test_predictors_on_other_scales_provoke_hessian_and_gradient_messages(r):
    shard = golden("balanced-10x5-4.0")
    X = shard.X.copy()
    X[:, 1] *= 1e4
    found = fit(Shard(shard.y, X, shard.n, shard.terms), "mixed_maximal", engine="lme4")
    assert found.status[0] == "not_converged" and found.hessian_warning[0]
    assert "unidentifiable" in found.message[0] or "Hessian" in found.message[0]
    assert found.gradient_warning[0] == ("grad" in found.message[0])
    # said aloud, though no check of the optimum
    assert "very different scales" in found.message[0]


@pytest.mark.lme4
def test_an_error_of_r_is_a_row_with_its_message_and_harms_no_neighbour(r):
    shard = golden("balanced-10x5-4.0")
    flat = Shard(0 * shard.y, shard.X, shard.n, shard.terms)
    found = Fits.blank(3, shard.p, 10)
    random = np.ones((3, shard.p), dtype=bool)
    fit_random(join(shard, flat, shard), random, found, lme4.fit_one)
    alone = fit(shard, "mixed_maximal", engine="lme4")
    assert list(found.status) == ["ok", "error", "ok"]
    assert "not a positive definite matrix" in found.message[1]
    assert np.isnan([found.estimate[1], found.std_error[1], found.df[1]]).all()
    for place in (0, 2):
        for column in ("estimate", "std_error", "df", "theta", "reml_criterion"):
            assert np.array_equal(getattr(found, column)[place], getattr(alone, column)[0])


@pytest.mark.lme4
def test_starting_r_leaves_the_library_path_of_later_processes_alone(r):
    program = """if True:
        import os
        from clustrategy.engines import lme4
        before = os.environ.get("LD_LIBRARY_PATH")
        lme4._r()
        assert os.environ.get("LD_LIBRARY_PATH") == before, os.environ["LD_LIBRARY_PATH"]
    """
    clean = {k: v for k, v in os.environ.items() if k != "LD_LIBRARY_PATH"}
    done = subprocess.run(
        [sys.executable, "-c", program], env=clean, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.lme4
def test_cluster_level_predictors_get_no_random_slope(r):

    shard = design_from_table(orthodont(), "distance ~ age * nsex", "Subject").shard
    found = fit(shard, "mixed_maximal", engine="lme4")
    # lmerTest::lmer(distance ~ age * nsex + (age | Subject)), tight tolerances
    std_error = [1.01853184822194, 0.0859995106732804, 1.59573272989233, 0.134735339082078]
    np.testing.assert_allclose(found.std_error[0], std_error, rtol=1e-3)
    np.testing.assert_allclose(found.reml_criterion[0], 432.581661502613, atol=1e-4)
    assert found.theta.shape == (1, 3)


# --- what counts as what ------------------------------------------------------------------

SINGULAR = "boundary (singular) fit: see help('isSingular')"
GRADIENT = "Model failed to converge with max|grad| = 0.00691221 (tol = 0.002, component 1)"
SCALED = "unable to evaluate scaled gradient"
MISSING = "Gradient contains NAs"
DEGENERATE = "Model failed to converge: degenerate  Hessian with 1 negative eigenvalues"
UNCHECKED = "Problem with Hessian check (infinite or missing values?)"
LARGE = "Model is nearly unidentifiable: very large eigenvalue\n - Rescale variables?"
LIMIT = "convergence code 5 from nloptwrap: NLOPT_MAXEVAL_REACHED"
SCALES = "Some predictor variables are on very different scales: consider rescaling"
NEGATIVE = "Model failed to converge with 1 negative eigenvalue: -1.6e+00"


def answer(singular=False, code=0, checks=(), optimizer=(), heard=(), unskipped=None):
    """What R would hand back."""
    numbers = [[1.0, 2.0], [0.5, 0.25], [9.0, 8.0], [100.0], [1.5], [1.0, 0.0, 0.5]]
    said = [list(checks), list(optimizer), list(heard)]
    return [*numbers, [singular], [code], *said, list(checks if unskipped is None else unskipped)]


@pytest.mark.parametrize(
    ("said", "status", "flags"),
    [
        ({}, "ok", ""),
        ({"heard": [SCALES]}, "ok", ""),
        ({"singular": True, "checks": [SINGULAR]}, "singular", "singular"),
        ({"singular": True, "checks": [SINGULAR], "heard": [SINGULAR]}, "singular", "singular"),
        ({"singular": True, "heard": [NEGATIVE]}, "singular", "singular hessian"),
        (
            {"singular": True, "checks": [SINGULAR], "unskipped": [GRADIENT]},
            "singular",
            "singular gradient",
        ),
        (
            {"singular": True, "checks": [SINGULAR], "unskipped": [SCALED, DEGENERATE]},
            "singular",
            "singular gradient hessian",
        ),
        ({"checks": [MISSING]}, "not_converged", "gradient"),
        ({"heard": [NEGATIVE]}, "not_converged", "hessian"),
        ({"checks": [GRADIENT], "heard": [GRADIENT]}, "not_converged", "gradient"),
        ({"checks": [SCALED, DEGENERATE]}, "not_converged", "gradient hessian"),
        ({"checks": [DEGENERATE]}, "not_converged", "hessian"),
        ({"checks": [UNCHECKED]}, "not_converged", "hessian"),
        ({"checks": [LARGE]}, "not_converged", "hessian"),
        ({"code": 5, "optimizer": [LIMIT]}, "not_converged", "optimizer"),
        (
            {"singular": True, "code": -4, "checks": [GRADIENT, LARGE]},
            "not_converged",
            "singular optimizer gradient hessian",
        ),
    ],
)
def test_every_message_is_kept_once_and_counted_where_it_belongs(monkeypatch, said, status, flags):
    monkeypatch.setattr(lme4, "_r", MagicMock())
    monkeypatch.setattr(lme4, "_function", lambda _: lambda *_: answer(**said))
    found = lme4.fit_one(random_shard(1, 1, 5, 2, 6), [0, 1])
    assert found.status == status
    counted = {
        "singular": found.singular,
        "optimizer": found.optimizer_warning,
        "gradient": found.gradient_warning,
        "hessian": found.hessian_warning,
    }
    assert {flag for flag, is_set in counted.items() if is_set} == set(flags.split())
    for message in (m for kind in ("checks", "optimizer", "heard") for m in said.get(kind, ())):
        assert found.message.count(" ".join(message.split())) == 1
    if said.get("code"):
        assert f"optimizer code {said['code']}" in found.message
    assert list(found.estimate) == [1, 2] and list(found.df) == [9, 8]
    assert (found.reml_criterion, found.sigma) == (100.0, 1.5)


def test_messages_that_the_warning_joins_are_kept_once(monkeypatch):
    """lme4 warns of several Hessian messages in one warning, joined by a semicolon."""
    ratio = "Model is nearly unidentifiable: large eigenvalue ratio\n - Rescale variables?"
    said = {"checks": [LARGE, ratio], "heard": [f"{LARGE};{ratio}"]}
    monkeypatch.setattr(lme4, "_r", MagicMock())
    monkeypatch.setattr(lme4, "_function", lambda _: lambda *_: answer(**said))
    message = lme4.fit_one(random_shard(1, 1, 5, 2, 6), [0, 1]).message
    assert message.count("very large eigenvalue") == message.count("eigenvalue ratio") == 1


def test_coefficients_that_lme4_drops_are_an_error(monkeypatch):
    monkeypatch.setattr(lme4, "_r", MagicMock())
    monkeypatch.setattr(lme4, "_function", lambda _: lambda *_: answer())
    found = fit(random_shard(1, 1, 5, 3, 6), "mixed_intercept", engine="lme4")
    assert (found.status[0], found.message[0]) == (
        "error",
        "lme4 dropped columns: the predictors are linearly dependent",
    )


# --- what is missing ----------------------------------------------------------------------


def test_without_r_the_error_says_what_to_do(monkeypatch):
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("R_HOME", raising=False)
    monkeypatch.setattr(lme4, "installed", lme4.installed.__wrapped__)
    with pytest.raises(EngineError, match="needs R, which is not here: run 'make env', or install"):
        Strategy.parse("mixed_maximal", "lme4").check()


def test_without_its_packages_the_error_names_them(monkeypatch):
    monkeypatch.setattr(lme4, "installed", lambda: {"R": "4.2.2", "lme4": "1.1.31"})
    with pytest.raises(EngineError, match="needs the R package lmerTest, which this R"):
        lme4.check()


def test_without_rpy2_the_error_says_so(monkeypatch):
    monkeypatch.setattr(lme4, "installed", lambda: dict.fromkeys(("R", "lme4", "lmerTest"), "1"))
    monkeypatch.setitem(sys.modules, "rpy2", None)
    with pytest.raises(EngineError, match="needs rpy2"):
        lme4.check()
