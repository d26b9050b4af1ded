# Reads datasets.csv, writes mixed_inference.json: Kenward-Roger and CR2 of mixed models, each at
# the theta where lme4's optimiser stopped.
suppressPackageStartupMessages({library(lme4); library(lmerTest); library(clubSandwich)})
RANDOM <- list(orthodont = "x1", "one-cluster-dummy" = "x1")  # where not every predictor varies within clusters
LARGEST <- 500  # rows; pbkrtest and clubSandwich write V out

arrays <- function(fit) lapply(fit, function(v) as.list(unname(v)))

tests <- function(d, terms, bars) {
  fit <- suppressWarnings(suppressMessages(
    lmerTest::lmer(reformulate(c(terms, bars), "y"), d)))
  kr <- coef(summary(fit, ddf = "Kenward-Roger"))
  V <- vcovCR(fit, type = "CR2")
  cr2 <- coef_test(fit, vcov = V, test = "Satterthwaite")
  list(theta = as.list(unname(getME(fit, "theta"))), singular = isSingular(fit, tol = 1e-4),
       sigma = sigma(fit), estimate = as.list(unname(fixef(fit))),
       std_error = as.list(unname(sqrt(diag(as.matrix(vcov(fit)))))),
       kenward_roger = arrays(list(std_error = kr[, "Std. Error"], df = kr[, "df"])),
       CR2 = arrays(list(std_error = sqrt(diag(as.matrix(V))), df = cr2$df_Satt)))
}

table <- read.csv("datasets.csv")
small <- Filter(function(name) sum(table$dataset == name) <= LARGEST, unique(table$dataset))
found <- sapply(small, function(name) {
  d <- table[table$dataset == name, ]
  d$cluster <- factor(d$cluster)
  terms <- Filter(function(x) !anyNA(d[[x]]), c("x1", "x2", "x3"))
  random <- if (is.null(RANDOM[[name]])) terms else RANDOM[[name]]
  slopes <- paste(random, collapse = " + ")
  list(mixed_maximal = if (nrow(d) > nlevels(d$cluster) * (1 + length(random)))
         tests(d, terms, sprintf("(1 + %s | cluster)", slopes)),
       mixed_uncorrelated = if (nrow(d) > nlevels(d$cluster) * (1 + length(random)))
         tests(d, terms, sprintf("(1 + %s || cluster)", slopes)),
       mixed_intercept = tests(d, terms, "(1 | cluster)"))
}, simplify = FALSE)
packages <- c("lme4", "lmerTest", "pbkrtest", "clubSandwich")
versions <- c(list(R = R.version.string),
              sapply(packages, function(p) as.character(packageVersion(p)), simplify = FALSE))
jsonlite::write_json(list(versions = versions, datasets = found), "mixed_inference.json",
                     pretty = 1, auto_unbox = TRUE, digits = I(17), na = "null", null = "null")
