"""What a rating round asks of a rater: the definition of fluency, its anchors, the preference, and the reasons to skip.

The wording is part of the measurement, so it is copied into each round when the round is made.
"""

from __future__ import annotations

from lab.core.errors import Fault, SpecError

DEFINITION = (
    "Fluency is how grammatical, natural and easy to read a text is. It is not about whether the text is medically "
    "right: a wrong answer can be perfectly fluent, and a right one can be hard to read."
)

ANCHORS = (
    "Very hard to read: broken grammar or text that does not hold together",
    "Awkward: frequent errors, some sentences have to be read twice",
    "Clear, with awkward wording or small errors",
    "Good: natural and easy to read, with a rare slip",
    "Effortless: natural throughout, nothing to correct",
)

PREFERENCES = ("left", "tie", "right")

SKIP_REASONS = {
    "unreadable": "I cannot read one of the texts",
    "language": "It is in a language I do not read well",
    "offensive": "It upsets or offends me",
    "technical": "Something on the page does not work",
}

SECONDS_PER_PAIR = 40  # what the rater is told to expect; a pair of short answers takes 20 to 60 s
COMMENT_LIMIT = 2000


def check_rating(fluency_left: object, fluency_right: object, preference: object, comment: str = "") -> None:
    """Raise SpecError with every fault of one rating."""
    faults = []
    for field, value in (("fluency of answer A", fluency_left), ("fluency of answer B", fluency_right)):
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 5:
            faults.append(Fault(field, f"should be a whole number from 1 to 5 (got {value!r})", value))
    if preference not in PREFERENCES:
        text = f"should be one of {', '.join(PREFERENCES)} (got {preference!r})"
        faults.append(Fault("preference", text, preference))
    if len(comment) > COMMENT_LIMIT:
        faults.append(Fault("comment", f"should have at most {COMMENT_LIMIT} characters (got {len(comment)})"))
    if faults:
        raise SpecError(faults, "rating")


def minutes(n_pairs: int) -> int:
    """Minutes a rater should expect for `n_pairs`, rounded up."""
    return max(1, -(-n_pairs * SECONDS_PER_PAIR // 60))
