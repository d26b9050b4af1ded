# Prints sleepstudy (lme4), rows of it, and Orthodont (nlme) as rows of datasets.csv.
sleep <- with(lme4::sleepstudy, data.frame(cluster = as.integer(Subject), y = Reaction, x1 = Days))
orth <- as.data.frame(nlme::Orthodont)
female <- as.numeric(orth$Sex == "Female")
subject <- as.character(orth$Subject)
orth <- data.frame(cluster = match(subject, unique(subject)), y = orth$distance, x1 = orth$age,
                   x2 = female, x3 = orth$age * female)
show <- function(dataset, d) {
  rows <- do.call(paste, c(dataset, lapply(d, format, digits = 17, trim = TRUE,
                                           scientific = FALSE, drop0trailing = TRUE), sep = ","))
  writeLines(paste0(rows, strrep(",", 5 - ncol(d))))
}
show("sleepstudy", sleep)
show("sleepstudy-unbalanced", sleep[-c(seq(3, 180, 7), 1:4, 55:58), ])
show("orthodont", orth)
