# Reads selection_datasets.csv and datasets.csv, writes selection.json: uncorrelated random effects,
# and the random effects that a plain loop over lme4 models keeps. See README.md.
suppressPackageStartupMessages({library(lme4); library(lmerTest)})

notation <- function(slopes, correlated) {
  random <- c("1", slopes)
  if (correlated) sprintf("(%s | cluster)", paste(random, collapse = " + "))
  else c("(1 | cluster)", sprintf("(0 + %s | cluster)", slopes))
}

# The least REML criterion without the bounds theta_ii >= 0, from several starts.
fit <- function(d, terms, slopes, correlated = TRUE) {
  parsed <- lFormula(reformulate(c(terms, notation(slopes, correlated)), "y"), d)
  devfun <- do.call(mkLmerDevfun, c(parsed, list(start = NULL)))
  diagonal <- parsed$reTrms$lower == 0
  k <- length(diagonal)
  set.seed(1)
  control <- list(eval.max = 5000, iter.max = 5000, rel.tol = 1e-14, x.tol = 1e-12)
  polish <- function(start) {
    opt <- nlminb(start, devfun, control = control)
    nlminb(opt$par, devfun, control = control)
  }
  starts <- list(diagonal + 0, 0.3 * diagonal, diagonal + rnorm(k) / 2, rnorm(k), 0.1 * diagonal)
  opts <- lapply(starts, polish)
  opt <- opts[[which.min(sapply(opts, `[[`, "objective"))]]
  # a column of the factor may change its sign as a whole; its first element is the diagonal's
  theta <- opt$par * ifelse(opt$par[diagonal] < 0, -1, 1)[cumsum(diagonal)]
  devfun(theta)
  found <- list(par = theta, fval = opt$objective, feval = 0L, conv = 0L, message = "")
  model <- mkMerMod(environment(devfun), found, parsed$reTrms, parsed$fr)
  list(model = model, devfun = devfun, theta = theta, slopes = slopes, correlated = correlated,
       reml = REMLcrit(model), singular = isSingular(model, tol = 1e-4))
}

numbers <- function(f) {
  f$devfun(f$theta)
  table <- suppressWarnings(coef(summary(lmerTest:::as_lmerModLT(f$model, f$devfun))))
  list(estimate = as.list(unname(table[, "Estimate"])),
       std_error = as.list(unname(table[, "Std. Error"])), df = as.list(unname(table[, "df"])),
       theta = as.list(f$theta), reml = f$reml, singular = f$singular)
}

words <- function(f, terms) {
  if (length(f$slopes) == 0) "intercept"
  else if (f$correlated) "maximal"
  else if (length(f$slopes) == length(terms)) "uncorrelated"
  else sprintf("uncorrelated (%s)", paste(f$slopes, collapse = " + "))
}

kept <- function(f, terms) c(list(kept = words(f, terms)), numbers(f))

fallback <- function(maximal, uncorrelated, intercept) {
  if (!maximal$singular) maximal else if (!uncorrelated$singular) uncorrelated else intercept
}

# All models on the way down, each with the least REML criterion of its size.
way <- function(d, terms, maximal, uncorrelated) {
  models <- list(maximal, uncorrelated)
  slopes <- terms
  while (length(slopes)) {
    less <- lapply(seq_along(slopes), function(i) {
      fit(d, terms, slopes[-i], correlated = length(slopes) == 1)
    })
    best <- less[[which.min(sapply(less, `[[`, "reml"))]]
    slopes <- best$slopes
    models <- c(models, list(best))
  }
  models
}

by_tests <- function(models) {
  for (i in seq_along(models)[-1]) {
    larger <- models[[i - 1]]
    smaller <- models[[i]]
    p <- pchisq(smaller$reml - larger$reml, length(larger$theta) - length(smaller$theta),
                lower.tail = FALSE)
    if (p < 0.2) return(larger)
  }
  smaller
}

by_aic <- function(models) {
  models[[which.min(sapply(models, function(f) f$reml + 2 * length(f$theta)))]]
}

read <- function(file) {
  table <- read.csv(file)
  lapply(split(table, factor(table$dataset, unique(table$dataset))), function(d) {
    d$cluster <- factor(d$cluster)
    d
  })
}

selected <- lapply(read("selection_datasets.csv"), function(d) {
  terms <- c("x1", "x2", "x3")
  maximal <- fit(d, terms, terms)
  uncorrelated <- fit(d, terms, terms, correlated = FALSE)
  models <- way(d, terms, maximal, uncorrelated)
  bounded <- suppressWarnings(suppressMessages(lme4::lmer(
    reformulate(c(terms, notation(terms, FALSE)), "y"), d)))
  list(uncorrelated = c(numbers(uncorrelated), list(lme4_reml = REMLcrit(bounded))),
       fallback = kept(fallback(maximal, uncorrelated, models[[length(models)]]), terms),
       LRT = kept(by_tests(models), terms), AIC = kept(by_aic(models), terms))
})

# where not every predictor varies within clusters
RANDOM <- list(orthodont = "x1", "one-cluster-dummy" = "x1")
golden <- read("datasets.csv")
uncorrelated <- Filter(length, lapply(names(golden), function(name) {
  d <- golden[[name]]
  terms <- Filter(function(x) !anyNA(d[[x]]), c("x1", "x2", "x3"))
  random <- if (is.null(RANDOM[[name]])) terms else RANDOM[[name]]
  if (nrow(d) > nlevels(d$cluster) * (1 + length(random))) {
    f <- fit(d, terms, random, correlated = FALSE)
    c(list(dataset = name), numbers(f))
  }
}))

packages <- c("lme4", "lmerTest")
versions <- c(list(R = R.version.string),
              sapply(packages, function(p) as.character(packageVersion(p)), simplify = FALSE))
jsonlite::write_json(list(versions = versions, selected = selected, uncorrelated = uncorrelated),
                     "selection.json", pretty = 1, auto_unbox = TRUE, digits = I(14), na = "null")
