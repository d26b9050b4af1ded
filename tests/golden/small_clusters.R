# Reads datasets.csv, writes small_clusters.json: R's two-stage numbers of the datasets in which
# some clusters, not all, have no residual degrees of freedom, without these clusters.
analyse <- function(d) {
  terms <- Filter(function(x) !anyNA(d[[x]]), c("x1", "x2", "x3"))
  fits <- lapply(split(d, d$cluster), function(rows) lm(reformulate(terms, "y"), rows))
  kept <- sapply(fits, function(fit) df.residual(fit) > 0 && !anyNA(coef(fit)))
  if (all(kept) || !any(kept)) return(NULL)
  b <- sapply(fits[kept], coef)
  tests <- apply(b, 1, t.test)
  each <- function(value) unname(lapply(tests, value))
  list(clusters = length(kept), kept = sum(kept),
       estimate = each(function(t) unname(t$estimate)), std_error = each(function(t) t$stderr),
       df = each(function(t) unname(t$parameter)), p = each(function(t) t$p.value))
}

table <- read.csv("datasets.csv")
found <- lapply(split(table, factor(table$dataset, unique(table$dataset))), analyse)
found <- Filter(Negate(is.null), found)
jsonlite::write_json(list(versions = list(R = R.version.string), datasets = found),
                     "small_clusters.json", pretty = 1, auto_unbox = TRUE, digits = I(17))
