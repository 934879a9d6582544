# Ratings drawn here, and what R says of them: Rscript tests/data/make_ratings.R
# Needs lme4, pbkrtest and emmeans. Writes ratings.csv and ratings_values.csv beside this file.
suppressMessages({
  library(lme4)
  library(pbkrtest)
  library(emmeans)
})
emm_options(lmerTest.limit = 1e5, pbkrtest.limit = 1e5)
here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(FALSE), value = TRUE)))

set.seed(20261129)
ratings <- expand.grid(system = c("a", "b", "c"), item = paste0("i", 1:6), listener = paste0("L", 1:9))
effect <- function(deviation, ...) {
  key <- interaction(..., drop = TRUE)
  rnorm(nlevels(key), 0, deviation)[key]
}
with_effects <- 60 + c(a = 4, b = 0, c = -5)[as.character(ratings$system)] +
  effect(5, ratings$listener) + effect(3, ratings$item) + effect(2, ratings$listener, ratings$item) +
  effect(2, ratings$listener, ratings$system) + effect(1.5, ratings$item, ratings$system) +
  rnorm(nrow(ratings), 0, 6)
ratings$score <- round(with_effects, 1)
ratings <- ratings[sort(sample(nrow(ratings), nrow(ratings) - 11)), ]
write.csv(ratings, file.path(here, "ratings.csv"), row.names = FALSE, quote = FALSE)

values <- data.frame()
add <- function(test, quantity, name, value) {
  row <- data.frame(test, quantity, name, value = format(value, digits = 12))
  values <<- rbind(values, row)
}
fitted <- function(formula) {
  control <- lmerControl(optimizer = "bobyqa", optCtrl = list(maxfun = 1e5))
  suppressMessages(suppressWarnings(lmer(formula, ratings, REML = TRUE, control = control)))
}
intercepts <- score ~ system + (1 | listener) + (1 | item) + (1 | listener:item)
maximal <- update(intercepts, . ~ . + (1 | listener:system) + (1 | item:system))
for (structure in c("intercepts", "maximal")) {
  formula <- get(structure)
  model <- fitted(formula)
  add(structure, "deviance", "", -2 * as.numeric(logLik(model)))
  parts <- as.data.frame(VarCorr(model))
  add(structure, "deviation", parts$grp, parts$sdcor)
  test <- KRmodcomp(model, fitted(update(formula, . ~ . - system)))$test["Ftest", ]
  add(structure, "f", "", test$stat)
  add(structure, "df", "", test$ddf)
  add(structure, "p", "", test$p.value)
  means <- emmeans(model, "system", lmer.df = "kenward-roger")
  shown <- as.data.frame(means)
  pairs <- as.data.frame(pairs(means, adjust = "none"))
  for (quantity in c("emmean", "SE", "df"))
    add(structure, paste("mean", quantity), shown$system, shown[[quantity]])
  for (quantity in c("estimate", "SE", "df", "t.ratio", "p.value"))
    add(structure, paste("pair", quantity), pairs$contrast, pairs[[quantity]])
}

table <- with(ratings, tapply(score, list(listener, system), mean))
for (pair in list(c("a", "b"), c("a", "c"), c("b", "c"))) {
  name <- paste(pair, collapse = " - ")
  difference <- table[, pair[1]] - table[, pair[2]]
  add("t", "p", name, t.test(difference)$p.value)
  add("wilcoxon", "p", name, wilcox.test(difference, exact = TRUE)$p.value)
  for (method in c("pearson", "spearman", "kendall"))
    add(method, "coefficient", name, cor(table[, pair[1]], table[, pair[2]], method = method))
}
test <- friedman.test(table)
add("friedman", "chi2", "", unname(test$statistic))
add("friedman", "p", "", test$p.value)
add("holm", "p", c("a - b", "a - c", "b - c"), p.adjust(as.numeric(values$value[values$test == "t"]), "holm"))
write.csv(values, file.path(here, "ratings_values.csv"), row.names = FALSE, quote = FALSE)
