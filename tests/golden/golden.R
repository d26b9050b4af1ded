# Reads datasets.csv, writes golden.json: what R's packages make of each dataset.
suppressPackageStartupMessages({library(lme4); library(lmerTest); library(clubSandwich)})
RANDOM <- list(orthodont = "x1", "one-cluster-dummy" = "x1")  # where not every predictor varies within clusters

# as.list keeps a vector of one an array
arrays <- function(fit) lapply(fit, function(v) if (is.numeric(v)) as.list(unname(v)) else v)

robust <- function(d, terms) {
  model <- lm(reformulate(terms, "y"), d)
  one <- function(type) {
    V <- tryCatch(vcovCR(model, cluster = d$cluster, type = type), error = function(e) NULL)
    if (is.null(V)) return(NULL)
    test <- coef_test(model, vcov = V, test = c("naive-t", "Satterthwaite"))
    arrays(list(std_error = sqrt(diag(as.matrix(V))), df = test$df_Satt, p = test$p_Satt,
                p_t = test$p_t))
  }
  types <- c("CR0", "CR1", "CR1S", "CR2", "CR3")
  classical <- coef(summary(model))
  c(list(estimate = as.list(unname(coef(model))), df = model$df.residual,
         std_error = as.list(unname(classical[, 2])), p = as.list(unname(classical[, 4])),
         sigma = sigma(model)),
    sapply(types, one, simplify = FALSE))
}

two_stage <- function(d, terms) {
  fits <- lapply(split(d, d$cluster), function(rows) lm(reformulate(terms, "y"), rows))
  b <- sapply(fits, coef)
  if (anyNA(b)) return(NULL)
  se <- apply(b, 1, sd) / sqrt(ncol(b))
  tests <- apply(b, 1, function(x) t.test(x)$p.value)
  arrays(list(estimate = rowMeans(b), std_error = se, p = tests))
}

mixed <- function(d, terms, random) {
  bars <- sprintf("(%s | cluster)", paste(c("1", random), collapse = " + "))
  formula <- reformulate(c(terms, bars), "y")
  heard <- character()
  fit <- withCallingHandlers(
    lmerTest::lmer(formula, d),
    warning = function(w) {heard <<- c(heard, conditionMessage(w)); invokeRestart("muffleWarning")},
    message = function(m) {heard <<- c(heard, conditionMessage(m)); invokeRestart("muffleMessage")})
  table <- suppressWarnings(coef(summary(fit)))
  c(arrays(list(estimate = table[, "Estimate"], std_error = table[, "Std. Error"],
                df = table[, "df"], p = table[, "Pr(>|t|)"], theta = getME(fit, "theta"))),
    list(reml = REMLcrit(fit), sigma = sigma(fit), singular = isSingular(fit, tol = 1e-4),
         messages = as.list(trimws(unique(heard))), best = best(formula, d, fit)))
}

# The same criterion optimised without the bounds theta_ii >= 0, from several starts.
best <- function(formula, d, fit) {
  parsed <- lFormula(formula, d)
  devfun <- do.call(mkLmerDevfun, c(parsed, list(start = NULL)))
  k <- length(getME(fit, "theta"))
  set.seed(1)
  identity <- as.numeric(getME(fit, "lower") == 0)
  starts <- list(getME(fit, "theta"), identity, identity + rnorm(k) / 2, rnorm(k))
  control <- list(eval.max = 5000, iter.max = 5000, rel.tol = 1e-14, x.tol = 1e-12)
  polish <- function(start) {
    opt <- nlminb(start, devfun, control = control)
    nlminb(opt$par, devfun, control = control)
  }
  opts <- lapply(starts, polish)
  opt <- opts[[which.min(sapply(opts, `[[`, "objective"))]]
  # a column of the factor may change its sign as a whole
  q <- (sqrt(8 * k + 1) - 1) / 2
  factor <- matrix(0, q, q)
  factor[lower.tri(factor, diag = TRUE)] <- opt$par
  factor <- factor %*% diag(ifelse(diag(factor) < 0, -1, 1), q)
  theta <- factor[lower.tri(factor, diag = TRUE)]
  devfun(theta)
  opt <- list(par = theta, fval = opt$objective, feval = 0L, conv = 0L, message = "")
  refit <- mkMerMod(environment(devfun), opt, parsed$reTrms, parsed$fr)
  table <- suppressWarnings(coef(summary(lmerTest:::as_lmerModLT(refit, devfun))))
  c(arrays(list(estimate = table[, "Estimate"], std_error = table[, "Std. Error"],
                df = table[, "df"], theta = theta)),
    list(reml = REMLcrit(refit), sigma = sigma(refit), singular = isSingular(refit, tol = 1e-4)))
}

table <- read.csv("datasets.csv")
golden <- sapply(unique(table$dataset), function(name) {
  d <- table[table$dataset == name, ]
  d$cluster <- factor(d$cluster)
  terms <- Filter(function(x) !anyNA(d[[x]]), c("x1", "x2", "x3"))
  random <- if (is.null(RANDOM[[name]])) terms else RANDOM[[name]]
  list(robust = robust(d, terms), two_stage = two_stage(d, terms),
       mixed_maximal = if (nrow(d) > nlevels(d$cluster) * (1 + length(random)))
         mixed(d, terms, random),
       mixed_intercept = mixed(d, terms, NULL))
}, simplify = FALSE)
packages <- c("lme4", "lmerTest", "clubSandwich", "nlme")
versions <- c(list(R = R.version.string),
              sapply(packages, function(p) as.character(packageVersion(p)), simplify = FALSE))
jsonlite::write_json(list(versions = versions, datasets = golden), "golden.json", pretty = 1,
                     auto_unbox = TRUE, digits = I(17), na = "null", null = "null")
