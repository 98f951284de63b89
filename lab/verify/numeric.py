"""Numeric verifier: the last explicit answer must hold exactly one number, equal to the gold one."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation

from lab.core.types import Example, Score
from lab.verify.extraction import explicit_answer

NUMBER = re.compile(r"(?<![\w.])[-+]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?!\d|[.,]\d)")
BROKEN = re.compile(r"\d[.,]\d*[.,]|\d,\d{1,2}(?!\d)")  # 1,20 or 1.2.3: no reading of it is sure
GROUPED = re.compile(r"(?<![\d,.])\d{1,3}(?:,\d{3})+(?!\d|,\d)")
# Numbers of a unit's own: mL/1.73 m2, 10^9/L. They are not a second answer.
UNIT_NUMBERS = re.compile(r"/\s*1\.73\s*m\^?2|\bm\^?[23]\b|\b10\^\d+/|/\s*10\b", re.I)


def read_number(text: str) -> Decimal | None:
    """The one number of a text, thousands separators allowed; None if there is none or more than one value."""
    text = UNIT_NUMBERS.sub(" ", text)
    if BROKEN.search(GROUPED.sub(lambda found: found[0].replace(",", ""), text)):
        return None
    values = {Decimal(found.replace(",", "")) for found in NUMBER.findall(text)}
    return values.pop() if len(values) == 1 else None


def verify_numeric(final_text: str, example: Example) -> Score:
    said, rule = explicit_answer(final_text)
    if said is None:
        return Score(correct=False, parsed=None, rule=rule)
    number = read_number(said)
    if number is None:
        return Score(correct=False, parsed=None, rule="not exactly one number in the answer")
    try:
        return Score(correct=number == Decimal(example.gold), parsed=format(number.normalize(), "f"), rule=rule)
    except InvalidOperation:
        return Score(correct=False, parsed=None, rule=f"gold '{example.gold}' is not a number")


VERIFY = verify_numeric
