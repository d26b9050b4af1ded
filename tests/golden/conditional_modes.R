# Reads datasets.csv, writes conditional_modes.json: what lme4 says of the random effects of some
# models, each at the theta where its optimiser, with tight tolerances, stopped.
suppressPackageStartupMessages({library(lme4); library(lmerTest)})
CASES <- list(
  list("sleepstudy", "x1", "(1 + x1 | cluster)"),
  list("sleepstudy", "x1", "(1 | cluster) + (0 + x1 | cluster)"),
  list("sleepstudy", "x1", "(0 + x1 | cluster)"),
  list("sleepstudy", "0 + x1", "(0 + x1 | cluster)"),
  list("unbalanced-10x25-4.0", "0 + x1 + x2 + x3", "(0 + x1 + x3 | cluster)"),
  list("sleepstudy-unbalanced", "x1", "(1 + x1 | cluster)"),
  list("sleepstudy-unbalanced", "x1", "(1 | cluster)"),
  list("orthodont", c("x1", "x2", "x3"), "(1 + x1 | cluster)"),
  list("orthodont", c("x1", "x2", "x3"), "(1 | cluster) + (0 + x1 | cluster)"),
  list("unbalanced-10x25-4.0", c("x1", "x2", "x3"), "(1 + x1 + x2 + x3 | cluster)"),
  list("unbalanced-10x25-4.0", c("x1", "x2", "x3"), "(1 + x2 | cluster)"),
  list("unbalanced-10x25-0.1", c("x1", "x2", "x3"), "(1 + x1 + x3 | cluster)"),
  list("balanced-10x5-1.0", c("x1", "x2", "x3"), "(1 + x1 + x2 + x3 | cluster)"),
  list("balanced-10x5-0.1", c("x1", "x2", "x3"),
       "(1 | cluster) + (0 + x1 | cluster) + (0 + x2 | cluster)"),
  list("unbalanced-30x5-0.25", c("x1", "x2", "x3"), "(1 + x1 | cluster)")  # clusters of one row
)
CONTROL <- lmerControl(optimizer = "bobyqa", optCtrl = list(rhobeg = 0.2, rhoend = 1e-9, maxfun = 1e5))

say <- function(case) {
  d <- table[table$dataset == case[[1]], ]
  formula <- as.formula(paste("y ~", paste(c(case[[2]], case[[3]]), collapse = " + ")))
  fit <- suppressWarnings(suppressMessages(lmerTest::lmer(formula, d, control = CONTROL)))
  effects <- as.data.frame(ranef(fit, condVar = TRUE))
  effects <- effects[order(as.integer(as.character(effects$grp))), ]
  by_term <- function(column) tapply(effects[[column]], as.character(effects$term), c, simplify = FALSE)
  spread <- as.data.frame(VarCorr(fit))
  coefficients <- coef(fit)$cluster
  list(dataset = case[[1]], formula = paste(deparse(formula, 500)), random = as.list(unique(as.character(effects$term))),
       correlated = lengths(regmatches(case[[3]], gregexpr("|", case[[3]], fixed = TRUE))) == 1,
       singular = isSingular(fit, tol = 1e-4), reml = fit@devcomp$cmp[["REML"]],
       theta = as.list(unname(getME(fit, "theta"))), sigma = sigma(fit), estimate = as.list(fixef(fit)),
       mode = lapply(by_term("condval"), as.list), std_error = lapply(by_term("condsd"), as.list),
       coef = lapply(coefficients[order(as.integer(rownames(coefficients))), , drop = FALSE], as.list),
       VarCorr = spread[, c("var1", "var2", "sdcor")])
}

table <- read.csv("datasets.csv")
packages <- c("lme4", "lmerTest")
versions <- c(list(R = R.version.string),
              sapply(packages, function(p) as.character(packageVersion(p)), simplify = FALSE))
jsonlite::write_json(list(versions = versions, models = lapply(CASES, say)), "conditional_modes.json",
                     auto_unbox = TRUE, digits = I(17), na = "null", null = "null")
