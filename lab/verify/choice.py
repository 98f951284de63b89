"""Choice verifier: the last explicit answer names exactly one option, by letter or by the option's own text."""

from __future__ import annotations

import re

from lab.core.types import Example, Score
from lab.verify.exact import plain
from lab.verify.extraction import explicit_answer

# "C", "(C)", "C)", "C.", "C: south", "option C"; a letter inside a word is not an option.
LETTER = re.compile(
    r"^\(?(?:option|choice)?\s*\(?(?P<letter>[A-Za-z])(?:[).:]|\s*[-–—:]\s|\s*$)\s*(?P<rest>.*)$", re.I | re.S
)


def verify_choice(final_text: str, example: Example) -> Score:
    said, rule = explicit_answer(final_text)
    if said is None:
        return Score(correct=False, parsed=None, rule=rule)
    letter, rule = read_option(said, example.options or {}, rule)
    if letter is None:
        return Score(correct=False, parsed=None, rule=rule)
    return Score(correct=letter == example.gold, parsed=letter, rule=rule)


def read_option(said: str, options: dict[str, str], rule: str) -> tuple[str | None, str]:
    """(option letter or None, rule): the letter if one is given, else an option's full text; never the nearest one."""
    by_text = {plain(text): letter for letter, text in options.items()}
    if plain(said) in by_text:
        return by_text[plain(said)], f"{rule}, option text"
    match = LETTER.match(said.strip("* "))
    letter = match["letter"].upper() if match else ""
    if letter not in options:
        return None, "no option letter or text in the answer"
    rest = plain(match["rest"].strip("()").strip()) if match else ""
    if rest and rest != plain(options[letter]):
        return None, "letter and text disagree" if rest in by_text else "more than an option in the answer"
    return letter, rule


VERIFY = verify_choice
