# Writes joint_tests.csv (datasets with a factor f of three levels within and one g between
# clusters) and joint_tests.json: joint tests of both, and of their interaction, by R's packages.
suppressPackageStartupMessages({
  library(lme4); library(lmerTest); library(pbkrtest); library(clubSandwich)
})
set.seed(14)

simulated <- function(name, sizes, slope_sd) {
  cluster <- rep(seq_along(sizes), sizes)
  n <- length(cluster)
  f <- unlist(lapply(sizes, function(k) sample(rep_len(c("a", "b", "c"), k))))
  g <- rep_len(c("u", "v", "w"), length(sizes))[cluster]
  x <- round(rnorm(n) + 0.5 * rnorm(length(sizes))[cluster], 3)
  slope <- sapply(c("b", "c"), function(level) (f == level) * slope_sd * rnorm(length(sizes))[cluster])
  y <- 2 + 0.4 * (f == "b") + 0.3 * x + 0.5 * (g == "w") + rnorm(length(sizes))[cluster] +
    rowSums(slope) + rnorm(n) * (1 + 0.5 * (g == "v"))
  data.frame(dataset = name, cluster = cluster, f = f, g = g, x = x, y = round(y, 3))
}

sleep <- with(sleepstudy, data.frame(
  dataset = "sleep", cluster = as.integer(Subject), f = c("a", "a", "a", "b", "b", "b", "b", "c", "c", "c")[Days + 1],
  g = c("u", "v", "w")[(as.integer(Subject) - 1) %/% 6 + 1], x = Days, y = Reaction))
table <- rbind(simulated("balanced", rep(9, 12), 0.6),
               simulated("unbalanced", c(4, 5, 7, 9, 12, 6, 14, 5, 8, 10, 4, 21, 6, 7), 0.8),
               sleep, sleep[-c(seq(3, 180, 7), 1:4, 55:58), ] |> transform(dataset = "sleep-unbalanced"))
write.csv(table, "joint_tests.csv", row.names = FALSE)

row <- function(F, num, den, p) list(statistic = F, num_df = num, den_df = den, p_value = p)
htz <- function(fit, V, columns) {
  w <- Wald_test(fit, constrain_zero(columns), vcov = V, test = "HTZ")
  row(w$Fstat, w$df_num, w$df_denom, w$p_val)
}
naive <- function(fit, V, columns) {
  w <- Wald_test(fit, constrain_zero(columns), vcov = V, test = "Naive-F")
  row(w$Fstat, w$df_num, w$df_denom, w$p_val)
}
contest <- function(fit, L) {
  w <- contestMD(fit, L, ddf = "Satterthwaite")
  row(w[["F value"]], w[["NumDF"]], w[["DenDF"]], w[["Pr(>F)"]])
}

# Close enough to the optimum that the second derivatives are the same in any coordinates.
TIGHT <- lmerControl(optimizer = "bobyqa", optCtrl = list(rhoend = 1e-10, maxfun = 1e5))

mixed <- function(d, bars, groups) {
  fit <- suppressWarnings(suppressMessages(
    lmerTest::lmer(as.formula(paste("y ~ f + g + x +", bars)), d, control = TIGHT)))
  V <- vcovCR(fit, type = "CR2")
  I <- diag(length(fixef(fit)))
  list(theta = as.list(unname(getME(fit, "theta"))), tests = lapply(groups, function(columns) {
    L <- I[columns, , drop = FALSE]
    kr <- KRmodcomp(fit, L)$test["Ftest", ]
    list(satterthwaite = contest(fit, L),
         kenward_roger = row(kr$stat, kr$ndf, kr$ddf, kr$p.value),
         CR2 = htz(fit, V, columns))
  }))
}

groups <- list(f = 2:3, g = 4:5, all = 2:6)
found <- sapply(unique(table$dataset), function(name) {
  d <- table[table$dataset == name, ]
  d$cluster <- factor(d$cluster)
  ols <- lm(y ~ f + g + x, d)
  within <- lm(y ~ f + x + cluster, d)
  robust <- function(fit, columns) list(
    CR2 = htz(fit, vcovCR(fit, d$cluster, "CR2"), columns),
    CR1S = naive(fit, vcovCR(fit, d$cluster, "CR1S"), columns))
  smaller <- list(f = y ~ g + x, g = y ~ f + x, all = y ~ 1)
  list(
    ols = sapply(names(groups), function(k) {
      a <- anova(lm(smaller[[k]], d), ols)
      row(a$F[2], a$Df[2], a$Res.Df[2], a[["Pr(>F)"]][2])
    }, simplify = FALSE),
    cluster_robust = lapply(groups, function(columns) robust(ols, columns)),
    fixed_effects = list(f = list(CR2 = htz(within, vcovCR(within, d$cluster, "CR2"), 2:3))),
    mixed_intercept = mixed(d, "(1 | cluster)", groups),
    mixed_maximal = if (name != "unbalanced") mixed(d, "(1 + x | cluster)", groups))
}, simplify = FALSE)
packages <- c("lme4", "lmerTest", "pbkrtest", "clubSandwich")
versions <- c(list(R = R.version.string),
              sapply(packages, function(p) as.character(packageVersion(p)), simplify = FALSE))
jsonlite::write_json(list(versions = versions, datasets = found), "joint_tests.json",
                     pretty = 1, auto_unbox = TRUE, digits = I(17), na = "null", null = "null")
