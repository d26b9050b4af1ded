# Reads datasets.csv, writes profile.json: profile-likelihood limits of the random effects' standard
# deviations by lme4's REML criterion (`profile` itself takes that of ML), everything else
# re-optimised by brute force: nlminb from two starts, its tolerances tight.
suppressPackageStartupMessages(library(lme4))
CASES <- list(
  list("sleepstudy", "y ~ x1", "(1 + x1 | cluster)"),
  list("sleepstudy", "y ~ x1", "(1 + x1 || cluster)"),
  list("sleepstudy", "y ~ x1", "(1 | cluster)"),
  list("orthodont", "y ~ x1 + x2 + x3", "(1 + x1 | cluster)"),
  list("orthodont", "y ~ x1 + x2 + x3", "(1 | cluster)"),
  list("balanced-10x5-0.1", "y ~ x1 + x2 + x3", "(1 + x1 || cluster)") # a variance at zero
)
CONTROL <- lmerControl(optimizer = "bobyqa", optCtrl = list(rhobeg = 0.2, rhoend = 1e-9, maxfun = 1e5))

say <- function(case) {
  d <- table[table$dataset == case[[1]], ]
  formula <- as.formula(paste(case[[2]], "+", case[[3]]))
  fit <- suppressMessages(lmer(formula, d, control = CONTROL))
  deviance_of <- suppressMessages(lmer(formula, d, devFunOnly = TRUE))
  frame <- environment(deviance_of)
  nu <- nrow(d) - length(fixef(fit))
  theta <- getME(fit, "theta")
  correlated <- !grepl("||", case[[3]], fixed = TRUE)
  q <- if (correlated) (sqrt(8 * length(theta) + 1) - 1) / 2 else length(theta)
  at <- function(theta, log_sigma) { # the criterion, sigma not profiled out
    profiled <- deviance_of(theta)
    share <- (frame$resp$wrss() + frame$pp$sqrL(1)) / nu / exp(2 * log_sigma)
    profiled + nu * (share - 1 - log(share))
  }
  profiled <- function(k, tau) {
    build <- function(free) {
      r <- tau / exp(free[1])
      if (q == 1) return(r)
      if (!correlated) { out <- numeric(q); out[k] <- r; out[-k] <- abs(free[-1]); return(out) }
      if (k == 1) c(r, free[2], abs(free[3]))
      else c(abs(free[3]), r * tanh(free[2]), r * sqrt(1 - tanh(free[2])^2))
    }
    number <- 1 + if (q == 1) 0 else if (correlated) 2 else q - 1
    start <- log(sigma(fit))
    tried <- lapply(c(0.05, 0.8), function(s) nlminb(c(start, rep(s, number - 1)),
      function(free) at(build(free), free[1]), control = list(rel.tol = 1e-14, x.tol = 1e-10, iter.max = 2000, eval.max = 5000)))
    min(sapply(tried, `[[`, "objective"))
  }
  least <- REMLcrit(fit)
  spread <- as.data.frame(VarCorr(fit))
  sds <- spread$sdcor[is.na(spread$var2) & spread$grp != "Residual"]
  limits <- lapply(seq_len(q), function(k) lapply(c("0.8" = 0.8, "0.95" = 0.95), function(level) {
    over <- function(tau) profiled(k, tau) - least - qchisq(level, 1)
    low <- if (over(1e-9) <= 0) 0 else uniroot(over, c(1e-9, sds[k]), tol = 1e-7)$root
    high <- uniroot(over, c(max(sds[k], 1e-6), max(4 * sds[k], sd(d$y))), tol = 1e-7)$root
    list(low = low, high = high)
  }))
  list(dataset = case[[1]], correlated = correlated, random = if (q == 1) list("(Intercept)") else list("(Intercept)", "x1"),
       reml = least, sd = as.list(sds), limits = limits)
}

table <- read.csv("datasets.csv")
out <- list(lme4 = as.character(packageVersion("lme4")), models = lapply(CASES, say))
write(jsonlite::toJSON(out, auto_unbox = TRUE, digits = I(10), pretty = TRUE), "profile.json")
