"""clmm.csv and clmm.R: the mixed ordinal models that the lab does not fit itself, for R's `ordinal` package.

Cumulative logit with a random intercept for each question and each rater (Christensen, ordinal: Regression Models for
Ordinal Data). The lab's own models cluster by question instead.
"""

from __future__ import annotations

import json

from lab.rating.files.contents import Contents
from lab.rating.files.tables import csv_text, safe_cell
from lab.rating.rows import RatingRow, scores

COLUMNS = ("what", "item", "unit", "rater", "order", "left", "right", "choice", "model", "score")

SCRIPT = """\
# Mixed ordinal models of this round's ratings. Needs R and: install.packages("ordinal")
# Run it in the folder that holds clmm.csv: Rscript clmm.R
library(ordinal)

rows <- read.csv("clmm.csv", encoding = "UTF-8", check.names = FALSE, stringsAsFactors = FALSE)
models <- c(@MODELS@)  # differences are against the first
rows$item <- factor(rows$item)
rows$rater <- factor(rows$rater)

fit <- function(formula, data, outcome) {
  if (nrow(data) == 0) return(cat("was not asked\\n"))
  data[[outcome]] <- droplevels(data[[outcome]])
  if (nlevels(data[[outcome]]) < 3) {
    return(cat("fewer than three outcomes occur: fit a mixed logit, for example with lme4::glmer\\n"))
  }
  print(summary(clmm(formula, data = data, link = "logit")))
}

# 1. Which side reads better: left < tie < right. A model is +1 on the right, -1 on the left, 0 when it is not shown;
# the two thresholds hold ties, and minus their mean is how much the right side is favoured.
choice <- subset(rows, what == "choice")
choice$choice <- factor(choice$choice, levels = c("left", "tie", "right"), ordered = TRUE)
terms <- c()
for (k in seq_along(models)[-1]) {
  term <- paste0("model_", k)
  choice[[term]] <- (choice$right == models[k]) - (choice$left == models[k])
  terms <- c(terms, term)
}
cat("\\n== Choice ==\\n")
fit(as.formula(paste("choice ~", paste(terms, collapse = " + "), "+ (1 | item) + (1 | rater)")), choice, "choice")

# 2. Fluency from 1 to 5, with the rater's order (per 100 units).
score <- subset(rows, what == "score")
score$score <- factor(score$score, levels = 1:5, ordered = TRUE)
score$model <- factor(score$model, levels = models)
score$order <- as.numeric(score$order) / 100
cat("\\n== Fluency ==\\n")
fit(score ~ model + order + (1 | item) + (1 | rater), score, "score")
"""


def clmm_csv(contents: Contents) -> str:
    """Main ratings that count: a row for each choice, and one for each score. 'Both are bad' is a tie."""
    rows: list[list[object]] = [_choice(row) for row in contents.main if row.preferred]
    rows += [["score", one.item_id, one.unit, one.rater, one.ordinal, "", "", "", one.model, one.value]
             for one in scores(contents.main)]
    return csv_text(COLUMNS, rows)


def clmm_script(contents: Contents) -> str:
    return SCRIPT.replace("@MODELS@", ", ".join(_r_text(name) for name in contents.facts.models))


def _choice(row: RatingRow) -> list[object]:
    left, right = (row.model_a, row.model_b) if row.a_left else (row.model_b, row.model_a)
    said = "tie" if row.preference == "both_bad" else row.preference
    return ["choice", row.item_id, row.unit, row.rater, row.ordinal, left, right, said, "", ""]


def _r_text(name: str) -> str:
    """A string of R, as it stands in clmm.csv. JSON escapes quotes, backslashes and controls as R does."""
    return json.dumps(str(safe_cell(name)), ensure_ascii=False)
