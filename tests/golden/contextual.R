# Reads datasets.csv, writes contextual.json: mixed models with cluster means and with cross-level
# products, their columns made here, by lmerTest.
# Rscript --vanilla contextual.R
suppressPackageStartupMessages({library(lmerTest); library(jsonlite)})
rows <- read.csv("datasets.csv")
names <- c("balanced-10x25-4.0", "unbalanced-10x25-4.0", "unbalanced-30x25-1.0")
exact <- lmerControl(optimizer = "bobyqa", optCtrl = list(rhoend = 1e-10), calc.derivs = FALSE)
clusters <- function(d, x) tapply(x, d$cluster, mean)
centred <- function(d, x) x - mean(clusters(d, x))
numbers <- function(formula, d) {
  table <- coef(summary(lmer(formula, d, control = exact)))[1:5, ]
  list(estimate = unname(table[, "Estimate"]), std_error = unname(table[, "Std. Error"]),
       df = unname(table[, "df"]))
}
of_dataset <- function(name) {
  d <- rows[rows$dataset == name, ]
  d$cluster <- as.integer(factor(d$cluster, unique(d$cluster)))
  d$z1 <- d$cluster %% 2
  d$z2 <- (d$cluster %% 7)^2 / 10
  for (x in c("x1", "x2")) {
    d[[paste0("mean_", x)]] <- ave(d[[x]], d$cluster)
    for (z in c("z1", "z2")) d[[paste0(x, "_", z)]] <- centred(d, d[[x]]) * centred(d, d[[z]])
  }
  list(
    within_between = numbers(y ~ x1 + x2 + z1 + z2 + mean_x1 + mean_x2 + (1 | cluster), d),
    cross_level = numbers(y ~ x1 + x2 + z1 + z2 + x1_z1 + x1_z2 + (x1 | cluster), d),
    cross_level_maximal = numbers(
      y ~ x1 + x2 + z1 + z2 + x1_z1 + x1_z2 + x2_z1 + x2_z2 + (x1 + x2 | cluster), d)
  )
}
versions <- lapply(c(lme4 = "lme4", lmerTest = "lmerTest"), function(p) as.character(packageVersion(p)))
out <- list(versions = c(R = as.character(getRversion()), versions),
            datasets = sapply(names, of_dataset, simplify = FALSE))
write_json(out, "contextual.json", digits = 15, auto_unbox = TRUE, pretty = TRUE)
