# Reads datasets.csv, writes gee.json: geesmv's variances of GEE on the balanced datasets.
# Rscript --vanilla gee.R FOLDER, with the functions of geesmv (CRAN) in FOLDER/*.R.
suppressPackageStartupMessages(library(jsonlite))
for (file in list.files(commandArgs(TRUE)[1], "\\.R$", full.names = TRUE)) source(file)
vec <- function(x) matrix(x)
# gee stops at a change of 0.001 by default, and prints
gee <- function(formula, data, id, family, corstr) {
  sink(nullfile()); on.exit(sink())
  suppressMessages(do.call(gee::gee, list(formula, data = data, id = data$id, family = family,
                                          corstr = corstr, tol = 1e-13, maxiter = 1000)))
}

rows <- read.csv("datasets.csv")
names <- c("balanced-10x5-0.1", "balanced-10x5-1.0", "balanced-10x5-4.0", "balanced-30x5-0.1",
           "balanced-30x5-1.0", "balanced-10x25-0.25", "balanced-10x25-4.0", "sleepstudy",
           "orthodont")
of_dataset <- function(name) {
  d <- rows[rows$dataset == name, ]
  d$cluster <- as.integer(factor(d$cluster, unique(d$cluster)))
  terms <- Filter(function(x) !anyNA(d[[x]]), c("x1", "x2", "x3"))
  one <- function(corstr) {
    variances <- list(fay_graubard = GEE.var.fg, morel_bokossa_neerchal = GEE.var.mbn)
    lapply(variances, function(f) {
      sqrt(unname(f(reformulate(terms, "y"), "cluster", gaussian, d, corstr)$cov.beta))
    })
  }
  sapply(c("independence", "exchangeable"), one, simplify = FALSE)
}
out <- list(versions = list(R = as.character(getRversion()), gee = as.character(packageVersion("gee")), geesmv = "TypeFox/R-Examples d3c35e8"),
            datasets = sapply(names, of_dataset, simplify = FALSE))
write_json(out, "gee.json", digits = 15, auto_unbox = TRUE, pretty = TRUE)
