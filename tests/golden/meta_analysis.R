# Reads datasets.csv, writes meta_analysis.json: metafor's REML meta-analyses of the clusters' own
# regressions, each coefficient by itself.
suppressPackageStartupMessages(library(metafor))
# cluster-level predictors: not in the first stage, moderators of these coefficients of it
MODERATED <- list(orthodont = list(own = "x1", moderator = "x2"),
                  "one-cluster-dummy" = list(own = "x1", moderator = "x2"))
# orthodont's x3 is x1 * x2: x2 moderates the slope of x1 as well
CROSS_LEVEL <- "orthodont"

CONTROL <- list(threshold = 1e-14, maxiter = 10000, tau2.max = 1e6)

meta <- function(effect, variance, design) {
  fit <- function(test) rma(yi = effect, vi = variance, mods = design, intercept = FALSE,
                            method = "REML", test = test, control = CONTROL)
  t <- fit("t")
  knha <- fit("knha")
  list(estimate = as.list(as.vector(t$beta)), tau2 = t$tau2, df = t$k - t$p,
       t = as.list(t$se), hartung_knapp = as.list(knha$se))
}

analyse <- function(name, d) {
  terms <- Filter(function(x) !anyNA(d[[x]]), c("x1", "x2", "x3"))
  moderated <- MODERATED[[name]]
  own <- if (is.null(moderated)) terms else moderated$own
  clusters <- split(d, d$cluster)
  if (min(sapply(clusters, nrow)) < length(own) + 2) return(NULL)
  fits <- lapply(clusters, function(rows) lm(reformulate(own, "y"), rows))
  b <- sapply(fits, coef)
  v <- sapply(fits, function(fit) diag(vcov(fit)))
  lapply(seq_len(nrow(b)), function(k) {
    design <- matrix(1, length(clusters), 1)
    if (!is.null(moderated) && (k == 1 || name %in% CROSS_LEVEL))
      design <- cbind(design, sapply(clusters, function(rows) rows[[moderated$moderator]][1]))
    meta(b[k, ], v[k, ], design)
  })
}

table <- read.csv("datasets.csv")
names <- unique(table$dataset)
found <- sapply(names, function(name) analyse(name, table[table$dataset == name, ]),
                simplify = FALSE)
versions <- list(R = R.version.string, metafor = as.character(packageVersion("metafor")))
jsonlite::write_json(list(versions = versions, datasets = Filter(Negate(is.null), found)),
                     "meta_analysis.json", pretty = 1, auto_unbox = TRUE, digits = I(17))
