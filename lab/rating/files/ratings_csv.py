"""ratings.csv: one row a version of a rating, and one a skipped unit. raters.csv: one row a rater."""

from __future__ import annotations

from collections import Counter

from lab.rating.files.contents import Contents, Said
from lab.rating.files.tables import csv_text
from lab.rating.rows import RatingRow

COLUMNS = (
    "round", "rater", "kind", "unit", "item", "role", "order", "version", "current", "surplus", "skip_reason",
    "model_left", "model_right", "fluency_left", "fluency_right", "preference_side", "preferred_model",
)
LATER = ("comment", "report", "guess_side", "guess_sureness", "visible_s", "total_s", "n_changes", "served_at",
         "rated_at")
PERSON = ("round", "rater", "kind", "state", "language", "consent_at", "consent_version", "started_at", "finished_at",
          "practice_tries", "n_rated", "n_skipped")


def ratings_csv(contents: Contents) -> str:
    """The long form. A criterion has two columns, <name>_left and <name>_right."""
    criteria = tuple(contents.facts.design.get("criteria", ()))
    columns = (*COLUMNS, *(f"{name}_{side}" for name in criteria for side in ("left", "right")), *LATER)
    return csv_text(columns, (_cells(said, contents.facts.name, criteria) for said in contents.said))


def raters_csv(contents: Contents) -> str:
    """Answers to the questions before and after are columns about_<question> and closing_<question>."""
    about = sorted({name for person in contents.people for name in person.about})
    closing = sorted({name for person in contents.people for name in person.closing if name != "answered"})
    rated = Counter(said.row.rater for said in contents.said if said.current and said.version)
    skipped = Counter(said.row.rater for said in contents.said if not said.version)
    version = contents.facts.design.get("consent_version", "")
    rows = ([contents.facts.name, one.code, one.kind, one.state, one.language, one.consent_at,
             version if one.consent_at else "", one.started_at, one.finished_at, one.practice_tries, rated[one.code],
             skipped[one.code], *(one.about.get(name, "") for name in about),
             *(one.closing.get(name, "") for name in closing)] for one in contents.people)
    return csv_text((*PERSON, *(f"about_{name}" for name in about), *(f"closing_{name}" for name in closing)), rows)


def _cells(said: Said, name: str, criteria: tuple[str, ...]) -> list[object]:
    row = said.row
    left, right = (row.model_a, row.model_b) if row.a_left else (row.model_b, row.model_a)
    preferred = {"a": row.model_a, "b": row.model_b}.get(row.preferred, row.preferred)
    scores = [score for criterion in criteria for score in row.criteria.get(criterion, (None, None))]
    return [
        name, row.rater, row.kind, row.unit, row.item_id, row.role, row.ordinal, said.version or None,
        int(said.current), int(row.surplus), said.skip_reason, left or right, right if left else "", row.fluency_left,
        row.fluency_right, row.preference, preferred, *scores, said.comment, said.report, said.guess, said.sureness,
        *_times(row), said.served_at, said.rated_at,
    ]


def _times(row: RatingRow) -> tuple[object, ...]:
    seconds = [None if ms is None else round(ms / 1000, 1) for ms in (row.visible_ms, row.total_ms)]
    return (*seconds, row.n_changes)
