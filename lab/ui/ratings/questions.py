"""Question by question: the texts that were rated, and what raters said of each. For rounds whose results may be
seen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from statistics import mean
from typing import TYPE_CHECKING, Any

from lab.ui.components.folds import fold
from lab.ui.components.html import chip, empty, note, number
from lab.ui.components.markup import Html, join, tag
from lab.ui.components.table import Column, table

if TYPE_CHECKING:
    from storage.queries.ratings import BankModel

PAGE = 20
PREFERRED = {"a": "the first", "tie": "no difference", "b": "the second", "both_bad": "both are bad"}
SAID = [Column("Rater"), Column("First", number=True), Column("Second", number=True), Column("Preferred"),
        Column("Side of the first"), Column("Seconds", number=True), Column("Comment", wide=True)]


@dataclass(frozen=True)
class Said:
    """One rater's word on a unit, in the order of its models."""

    rater: str
    first: int | None
    second: int | None
    preferred: str  # a | tie | b | both_bad | ""
    a_left: bool
    seconds: float | None
    comment: str
    surplus: bool


@dataclass
class Question:
    """One unit: two texts, or one."""

    item_id: str
    question: str
    model_a: str
    model_b: str
    text_a: str
    text_b: str
    said: list[Said] = field(default_factory=list)

    def scores(self, side: str) -> list[int]:
        """Those that count: without surplus ratings."""
        given = (getattr(one, side) for one in self.said if not one.surplus)
        return [score for score in given if score is not None]

    @property
    def gap(self) -> float | None:
        """Mean of the second minus mean of the first; None without scores of both."""
        first, second = self.scores("first"), self.scores("second")
        return mean(second) - mean(first) if first and second else None


def questions_of(rows: Iterable[tuple[Any, Any, Any, Any]]) -> tuple[Question, ...]:
    """From (rating, assignment, unit, rater), the last version of each: the main units, in the order of the round."""
    found: dict[int, Question] = {}
    for rating, assignment, unit, rater in rows:
        if assignment.role != "main" or rater.kind == "trial":
            continue
        one = found.setdefault(unit.id, Question(unit.item_id, unit.question, unit.model_a, unit.model_b, unit.text_a,
                                                 unit.text_b))
        one.said.append(_said(rating, assignment, rater))
    return tuple(found[key] for key in sorted(found))


def _said(rating: Any, assignment: Any, rater: Any) -> Said:
    left, right = rating.fluency_left, rating.fluency_right
    first, second = (left, right) if assignment.a_left else (right, left)
    sides = {"left": "a", "right": "b"} if assignment.a_left else {"left": "b", "right": "a"}
    seconds = rating.visible_ms / 1000 if rating.visible_ms is not None else None
    return Said(rater.code, first, second, sides.get(rating.preference, rating.preference), assignment.a_left, seconds,
                rating.comment, assignment.surplus)


def order_by(questions: Sequence[Question], order: str) -> list[Question]:
    """'round': as in the round; 'second' and 'first': where that model was scored better comes first; 'apart': where
    raters differ most. Units without scores of both come last in all but the first."""
    if order == "apart":
        return sorted(questions, key=lambda one: -_spread(one))
    if order in ("first", "second"):
        sign = 1 if order == "first" else -1
        return sorted(questions, key=lambda one: (one.gap is None, sign * (one.gap or 0)))
    return list(questions)


def _spread(one: Question) -> float:
    gaps = [said.second - said.first for said in one.said if None not in (said.first, said.second)]
    singles = one.scores("first") if not gaps else []
    return float(max(gaps or singles) - min(gaps or singles)) if gaps or singles else -1.0


def questions_html(questions: Sequence[Question], models: dict[str, BankModel], page: int) -> Html:
    """One page of them; each opens to its texts and to what each rater said."""
    if not questions:
        return empty("Nothing was rated", "Every question with its answers and scores is listed here.")
    shown = questions[PAGE * (page - 1):PAGE * page]
    return tag("div", *(_question(one, models) for one in shown), cls="rated-questions")


def position(n: int, page: int) -> Html:
    last = max(1, -(-n // PAGE))
    return tag("span", f"{n} units · page {page} of {last}", cls="note")


def _question(one: Question, models: dict[str, BankModel]) -> Html:
    title = tag("span", tag("span", one.question, cls="one-line"), tag("small", _summary(one)))
    texts = [_text(one.text_a, one.model_a, one.scores("first"), models)]
    if one.text_b:
        texts.append(_text(one.text_b, one.model_b, one.scores("second"), models))
    body = tag("div", tag("div", one.question, cls="model-text sample-question"), tag("div", *texts, cls="lab-cards"),
               _verdicts(one))
    return fold(f"unit-{one.item_id}-{one.model_a}-{one.model_b}", title, body)


def _summary(one: Question) -> str:
    parts = [f"{name} {mean(scores):.1f}" for name, scores in
             ((one.model_a, one.scores("first")), (one.model_b, one.scores("second"))) if scores]
    counts = Counter(said.preferred for said in one.said if said.preferred and not said.surplus)
    chosen = [f"{counts[key]} × {words}" for key, words in
              (("a", one.model_a), ("tie", "no difference"), ("b", one.model_b),
               ("both_bad", "both bad")) if counts[key]]
    n = sum(not said.surplus for said in one.said)
    return " · ".join(filter(None, (", ".join(parts), ", ".join(chosen), f"n {n}")))


def _text(text: str, model: str, scores: Sequence[int], models: dict[str, BankModel]) -> Html:
    arm = models[model].arm if model in models else ""
    mean_words = join([" mean ", number(mean(scores), 1), f" of 5 (n {len(scores)})"]) if scores else ""
    return tag("div", tag("p", chip(model, arm), mean_words), tag("div", text, cls="model-text"), cls="lab-card")


def _verdicts(one: Question) -> Html:
    two = bool(one.text_b)
    rows = [[_rater(said), _score(said.first), _score(said.second) if two else "",
             PREFERRED.get(said.preferred, "–"), ("left" if said.a_left else "right") if two else "",
             number(said.seconds, 0), said.comment] for said in one.said]
    return join([table(SAID, rows, caption="What each rater said"),
                 note("First and second are in the order of the texts above; raters saw them on either side.")
                 if two else None])


def _rater(said: Said) -> Html:
    return tag("span", said.rater, tag("small", "surplus: not in the main figures") if said.surplus else None)


def _score(score: int | None) -> Html:
    return number(score)
