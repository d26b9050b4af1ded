# Reads datasets.csv, writes fixed_effects.json: the within estimator of each dataset, with
# clubSandwich's variances of plm and of lm with a dummy for every cluster.
suppressPackageStartupMessages({library(plm); library(clubSandwich)})
arrays <- function(fit) lapply(fit, function(v) as.list(unname(v)))

robust <- function(model, cluster, terms, types) sapply(types, function(type) {
  V <- vcovCR(model, cluster = cluster, type = type)
  test <- coef_test(model, vcov = V, test = c("naive-t", "Satterthwaite"), coefs = terms)
  arrays(list(std_error = test$SE, df = test$df_Satt, p = test$p_Satt, p_t = test$p_t))
}, simplify = FALSE)

table <- read.csv("datasets.csv")
golden <- sapply(unique(table$dataset), function(name) {
  d <- table[table$dataset == name, ]
  d$cluster <- factor(d$cluster)
  d$row <- ave(seq_len(nrow(d)), d$cluster, FUN = seq_along)
  predictors <- Filter(function(x) !anyNA(d[[x]]), c("x1", "x2", "x3"))
  within <- plm(reformulate(predictors, "y"), d, index = c("cluster", "row"), model = "within")
  terms <- names(coef(within))
  dummies <- lm(reformulate(c(terms, "cluster"), "y"), d)
  list(terms = as.list(terms), estimate = as.list(unname(coef(within))),
       plm = robust(within, d$cluster, terms, c("CR0", "CR1", "CR1S", "CR2", "CR3")),
       lm = robust(dummies, d$cluster, terms, c("CR0", "CR1", "CR1S", "CR2")))
}, simplify = FALSE)
packages <- c("plm", "clubSandwich")
versions <- c(list(R = R.version.string),
              sapply(packages, function(p) as.character(packageVersion(p)), simplify = FALSE))
jsonlite::write_json(list(versions = versions, datasets = golden), "fixed_effects.json",
                     pretty = 1, auto_unbox = TRUE, digits = I(17), na = "null", null = "null")
