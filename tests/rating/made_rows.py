"""Ratings made by hand, told by model: the side is turned here, so that tests can say what was preferred."""

from __future__ import annotations

from lab.rating.rows import RatingRow

SIDES = {True: {"a": "left", "b": "right"}, False: {"a": "right", "b": "left"}}


def row(item: str, rater: str, a: int | None = None, b: int | None = None, preferred: str = "", **more) -> RatingRow:
    """Model "base" is a and "trace" is b, unless `more` says otherwise."""
    a_left = more.pop("a_left", True)
    left, right = (a, b) if a_left else (b, a)
    told = {"unit": f"u-{item}", "role": "main", "ordinal": 1, "model_a": "base", "model_b": "trace",
            "words_a": 50, "words_b": 50} | more
    return RatingRow(item_id=item, rater=rater, a_left=a_left, fluency_left=left, fluency_right=right,
                     preference=SIDES[a_left].get(preferred, preferred), **told)


def alone(item: str, rater: str, model: str, score: int, **more) -> RatingRow:
    """One answer on the screen."""
    return row(item, rater, score, None, unit=f"u-{item}-{model}", model_a=model, model_b="", **more)
