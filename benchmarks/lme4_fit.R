# Fit a mixed model by lme4 alone to a table of 64-bit floats, column by column; print CPU seconds.
# Arguments: the file, the rows, the formula.
suppressPackageStartupMessages(library(lme4))
arguments <- commandArgs(trailingOnly = TRUE)
rows <- as.integer(arguments[2])
columns <- c("score", "x", "treat", "age", "school")
values <- readBin(arguments[1], "double", length(columns) * rows, endian = "little")
table <- setNames(as.data.frame(matrix(values, rows)), columns)
table$school <- factor(table$school)
rm(values)
start <- proc.time()
fit <- lmer(as.formula(arguments[3]), table)
used <- proc.time() - start
cat(sum(used[1:2]), "\n")
