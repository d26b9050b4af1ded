# Writes design.json: what R's summclust, effClust, clubSandwich and lme4 say of three datasets of
# datasets.csv and one of joint_tests.csv. Where the first two are not installed, their sources do:
# Rscript --vanilla design.R FOLDER/summclust/R FOLDER/effClust/R
suppressPackageStartupMessages({ library(lme4); library(clubSandwich) })
sources <- commandArgs(trailingOnly = TRUE)
if (length(sources)) {
  summclust <- effClust <- new.env()
  for (name in c("cluster_jackknife", "leverages", "matrix_trace"))
    sys.source(file.path(sources[1], paste0(name, ".R")), summclust)
  sys.source(file.path(sources[2], "effClust-default.r"), effClust)
} else {
  summclust <- asNamespace("summclust")
  effClust <- asNamespace("effClust")
}

described <- function(data, formula, means) {
  data <- data[order(data$cluster), ]
  fit <- lm(formula, data)
  X <- model.matrix(fit)
  cluster <- data.frame(cluster = as.character(data$cluster))
  jackknife <- summclust$cluster_jackknife(data$y, X, cluster, "CRV3")
  clusters <- jackknife$unique_clusters
  leverage <- summclust$get_leverage(clusters, jackknife$tXgXg, jackknife$tXX, length(clusters))
  partial <- summclust$get_partial_leverages(
    ncol(X), X, seq_len(ncol(X)), clusters, colnames(X), cluster)
  for (x in means) data[[paste0("mean_", x)]] <- ave(X[, x], data$cluster)
  wide <- lm(update(formula, reformulate(c(".", paste0("mean_", means)))), data)
  test <- coef_test(wide, vcovCR(wide, data$cluster, "CR2"), test = "Satterthwaite")
  within <- coef(wide)[means]
  more <- coef(wide)[paste0("mean_", means)]
  icc <- function(model) {
    control <- lmerControl(optimizer = "bobyqa", optCtrl = list(rhoend = 1e-10))
    theta <- getME(lmer(update(model, . ~ . + (1 | cluster)), data, control = control), "theta")
    theta^2 / (1 + theta^2)
  }
  list(terms = colnames(X), clusters = clusters, leverage = unlist(leverage$leverage_g),
       effective = I(unname(effClust$effClust.default(X, data$cluster, rho = 0))),
       effective_rho999 = I(unname(effClust$effClust.default(X, data$cluster))),
       partial = unname(t(partial)), without = unname(t(jackknife$beta_jack)),
       means = I(means), within = I(unname(within)), between = I(unname(within + more)),
       p_value = I(test$p_Satt[match(paste0("mean_", means), rownames(test))]),
       icc_response = unname(icc(y ~ 1)), icc_residuals = unname(icc(formula)))
}

all <- read.csv("datasets.csv")
of <- function(name) subset(all, dataset == name)
joint <- transform(subset(read.csv("joint_tests.csv"), dataset == "unbalanced"),
                   fb = as.numeric(f == "b"), fc = as.numeric(f == "c"),
                   gv = as.numeric(g == "v"), gw = as.numeric(g == "w"))
result <- list(
  "unbalanced-10x25-0.1" = described(of("unbalanced-10x25-0.1"), y ~ x1 + x2 + x3,
                                     c("x1", "x2", "x3")),
  "unbalanced-30x5-0.25" = described(of("unbalanced-30x5-0.25"), y ~ x1 + x2 + x3,
                                     c("x1", "x2", "x3")),
  "sleepstudy-unbalanced" = described(of("sleepstudy-unbalanced"), y ~ x1, "x1"),
  "factors" = described(joint, y ~ fb + fc + gv + gw + x, c("fb", "fc", "x")))
versions <- sapply(c("lme4", "clubSandwich"), function(name) as.character(packageVersion(name)))
cat(jsonlite::toJSON(list(R = R.version.string, packages = as.list(versions), datasets = result),
                     digits = 15, auto_unbox = TRUE, pretty = FALSE), file = "design.json")
