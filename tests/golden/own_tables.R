# Reads <folder>/index.json and its CSV files, writes <folder>/found.json: what R's packages make
# of each table. Run by make_own_tables.py.
suppressPackageStartupMessages({
  library(lme4); library(lmerTest); library(pbkrtest); library(clubSandwich); library(numDeriv)
})
invisible(Sys.setlocale("LC_COLLATE", "C"))
folder <- commandArgs(TRUE)[1]

arrays <- function(fit) lapply(fit, function(v) as.list(unname(v)))
row <- function(F, num, den) as.list(c(F, num, den))

# lme4's criterion at its lowest: bobyqa and nlminb from several starts, then Newton's steps between
# the bounds.
best <- function(fn, par, lower, upper, control) {
  diagonal <- lower == 0
  from <- function(s, t) ifelse(diagonal, s, t)
  starts <- list(par, from(0.05, 0), from(0.3, 0), from(2, 0), from(0.3, 1), from(0.3, -1))
  ends <- unlist(lapply(starts, function(start) suppressWarnings(list(
    minqa::bobyqa(start, fn, lower, upper, control = list(rhoend = 1e-8, maxfun = 1e5))$par,
    nlminb(start, fn, lower = lower, control = list(rel.tol = 1e-14))$par))), recursive = FALSE)
  p <- ends[[which.min(sapply(ends, fn))]]
  flat <- ifelse(diagonal & p < 1e-3, 0, p)
  if (fn(flat) <= fn(p) + 1e-9) p <- flat
  free <- which(!(diagonal & p == 0))
  at <- function(q) fn(replace(p, free, q))
  for (step in 1:4) if (length(free)) {
    slope <- grad(at, p[free], method.args = list(d = 0.02))
    parts <- eigen(hessian(at, p[free]), symmetric = TRUE)
    curved <- parts$values > 1e-6 * max(parts$values, 1)
    V <- parts$vectors[, curved, drop = FALSE]
    new <- replace(p, free, p[free] - V %*% (crossprod(V, slope) / parts$values[curved]))
    if (all(new >= lower) && fn(new) <= fn(p) + 1e-9) p <- new
  }
  list(par = p, fval = fn(p), feval = 1, conv = 0, message = "")
}
CONTROL <- lmerControl(optimizer = best, calc.derivs = FALSE, check.conv.singular = "ignore")

htz <- function(fit, V, columns, cluster = NULL) {
  w <- Wald_test(fit, constrain_zero(columns), vcov = V, test = "HTZ")
  row(w$Fstat, w$df_num, w$df_denom)
}
robust <- function(fit, V, columns, groups) {
  test <- coef_test(fit, vcov = V, test = "Satterthwaite")
  c(arrays(list(std_error = test$SE[columns], df = test$df_Satt[columns])),
    list(joint = lapply(groups, function(g) htz(fit, V, columns[g]))))
}
# The model of bars, or of a random intercept.
mixed <- function(d, formula, groups, effects) {
  fit <- suppressWarnings(suppressMessages(lmerTest::lmer(formula, d, control = CONTROL)))
  spread <- subset(as.data.frame(VarCorr(fit)), grp != "Residual")
  c(list(reml = REMLcrit(fit), sigma = sigma(fit)),
    arrays(list(theta = getME(fit, "theta"), estimate = fixef(fit), sd_cor = spread$sdcor)),
    if (effects == "robust") {
      list(CR2 = robust(fit, vcovCR(fit, type = "CR2"), seq_along(fixef(fit)), groups))
    } else {
      I <- diag(length(fixef(fit)))
      kr <- coef(summary(fit, ddf = "Kenward-Roger"))
      re <- as.data.frame(ranef(fit, condVar = TRUE))
      re <- re[order(match(re$grp, levels(d$cluster)), match(re$term, colnames(coef(fit)[[1]]))), ]
      own <- suppressWarnings(coef(summary(fit)))
      list(satterthwaite = arrays(list(std_error = own[, "Std. Error"], df = own[, "df"])),
           kenward_roger = c(
             arrays(list(std_error = kr[, "Std. Error"], df = kr[, "df"])),
             list(joint = lapply(groups, function(g) {
               t <- KRmodcomp(fit, I[g, , drop = FALSE])$test["Ftest", ]
               row(t$stat, t$ndf, t$ddf)
             }))),
           mode = as.list(signif(re$condval, 10)), mode_std_error = as.list(signif(re$condsd, 10)))
    })
}

analyse <- function(entry) {
  d <- read.csv(file.path(folder, entry$file), na.strings = "", stringsAsFactors = FALSE)
  fixed <- as.formula(entry$fixed)
  d <- d[complete.cases(d[, unique(c(all.vars(fixed), entry$cluster))]), ]
  d$cluster <- factor(d[[entry$cluster]])
  d[[entry$cluster]] <- d$cluster
  X <- model.matrix(fixed, d)
  assign <- attr(X, "assign")
  labels <- attr(terms(fixed), "term.labels")
  several <- Filter(function(k) sum(assign == k) > 1, seq_along(labels))
  groups <- setNames(lapply(several, function(k) which(assign == k)), labels[several])

  ols <- lm(fixed, d)
  y <- model.response(model.frame(ols))
  full <- deviance(ols) / ols$df.residual
  ols_joint <- lapply(groups, function(g) {
    without <- sum(lm.fit(X[, -g, drop = FALSE], y)$residuals^2)
    row((without - deviance(ols)) / length(g) / full, length(g), ols$df.residual)
  })

  varies <- apply(X, 2, function(x) any(abs(x - ave(x, d$cluster)) > 1e-9))
  d$W <- X[, varies, drop = FALSE]
  d$response <- y
  within <- lm(response ~ W + cluster, d)
  places <- setNames(cumsum(varies), NULL)
  inside <- lapply(Filter(function(g) all(varies[g]), groups), function(g) places[g])
  fe <- robust(within, vcovCR(within, d$cluster, "CR2"), 1 + seq_len(sum(varies)), inside)

  intercept <- update(fixed, as.formula(sprintf(". ~ . + (1 | %s)", entry$cluster)))
  list(name = entry$name, terms = as.list(colnames(X)), rows = nrow(d), clusters = nlevels(d$cluster),
       within = as.list(colnames(X)[varies]),
       ols = c(arrays(list(estimate = coef(ols), std_error = coef(summary(ols))[, 2])), list(joint = ols_joint)),
       CR2 = robust(ols, vcovCR(ols, d$cluster, "CR2"), seq_along(coef(ols)), groups),
       fixed_effects = c(arrays(list(estimate = coef(within)[1 + seq_len(sum(varies))])), fe),
       mixed = mixed(d, as.formula(entry$formula), groups, "random"),
       mixed_intercept = mixed(d, intercept, groups, "robust"))
}

index <- jsonlite::read_json(file.path(folder, "index.json"))
found <- lapply(index, function(entry) {
  tryCatch(analyse(entry), error = function(e) stop(entry$name, ": ", conditionMessage(e)))
})
packages <- c("lme4", "lmerTest", "pbkrtest", "clubSandwich")
versions <- c(list(R = R.version.string),
              sapply(packages, function(p) as.character(packageVersion(p)), simplify = FALSE))
jsonlite::write_json(list(versions = versions, tables = found), file.path(folder, "found.json"),
                     auto_unbox = TRUE, digits = I(13), na = "null", null = "null")
