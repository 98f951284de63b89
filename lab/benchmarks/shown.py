"""What a rater sees of an answer. One clean-up for every arm, so that nothing in the form tells the arms apart.

Kept as the model wrote it: the words, the lists and the closing "Answer:" line, which every arm is trained to write
alike. Taken away: what is left of thinking delimiters and special tokens, the label or heading that only announces the
answer ("## Final Response", "Final answer:"), emphasis and the signs of headings, lines that are rules, and irregular
white space. An answer that was never finished is not shown at all: its length would tell the arm.
"""

from __future__ import annotations

import re

from lab.core.types import Generation
from lab.engine.thinking import Delimiters

SPECIAL_TOKEN = re.compile(r"<\|[^|<>]*\|>")
HEADING = re.compile(r"^ {0,3}#{1,6}(?:\s+|$)(.*?)\s*#*$")
RULE_LINE = re.compile(r"^(?:(?:- ?){3,}|(?:\* ?){3,}|(?:_ ?){3,}|={3,}|─+)$")
BULLET = re.compile(r"^[*+•]\s+")
# Emphasis holds a letter and touches what it marks: 2*3*4, 5 * 3 and snake_case are none.
EMPHASIS = (
    re.compile(r"(?<![\w*])(?P<mark>\*{2,3})(?=[^\s*])(?P<text>(?:[^*\n]|\*(?!\*))+?)(?<=\S)(?P=mark)(?!\*)"),
    re.compile(r"(?<!\w)__(?=[^\s_])(?P<text>(?:[^_\n]|_(?!_))+?)(?<=[^\s_])__(?!\w)"),
    re.compile(r"(?<![\w*])\*(?=[^\s*])(?P<text>[^*\n]+?)(?<=[^\s*])\*(?![\w*])"),
    re.compile(r"(?<!\w)_(?=[^\s_])(?P<text>[^_\n]+?)(?<=[^\s_])_(?!\w)"),
)
LETTER = re.compile(r"[^\W\d_]")
FINAL = r"(?:(?:the|my|your|la|ma)\s+)?final\s+(?:answer|response)|réponse\s+finale"
LABEL = re.compile(rf"^(?:{FINAL}|(?:answer|response|réponse)(?=\s*:)|summari[sz]ation|conclusion)\s*(?::\s*|$)", re.I)
CLOSING = re.compile(rf"^(?:{FINAL})\s*:\s*(?=\S)", re.I)
ALONE = re.compile(rf"^(?:{FINAL}|summari[sz]ation)\s*:?$", re.I)
THOUGHT_END = "─" * 12  # the rule between a thought and its answer; no answer can hold it


def shown_text(generation: Generation, style: Delimiters) -> str:
    """The finished answer, cleaned; empty when it was cut or its thinking never closed."""
    if generation.think_state.startswith("unclosed") or generation.finish_reason not in ("eos", "stop", "forced"):
        return ""
    bare = generation.final_text.replace(style.open, "").replace(style.close, "")
    return _without_labels(plain_form(bare))


def with_thinking(think_text: str, shown_text: str) -> str:
    """What is shown of a model whose thinking is shown: the thought, a rule, the answer. The answer alone where there
    was no thought; empty where there is no answer to show."""
    thought = plain_form(think_text)
    return f"{thought}\n\n{THOUGHT_END}\n\n{shown_text}" if thought and shown_text else shown_text


def plain_form(text: str) -> str:
    """The text without special tokens, emphasis, signs of headings, rules and irregular white space; bullets alike."""
    lines = (_plain_line(line) for line in SPECIAL_TOKEN.sub("", text).splitlines())
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def _plain_line(line: str) -> str:
    line = re.sub(r"\s+", " ", line).strip()
    if RULE_LINE.match(line):
        return ""
    if found := HEADING.match(line):
        line = found[1].strip()
    line = BULLET.sub("- ", line)
    for marks in EMPHASIS:
        line = marks.sub(lambda found: found["text"] if LETTER.search(found["text"]) else found[0], line)
    return line.strip()


def _without_labels(text: str) -> str:
    """Without what only announces the answer. "Final answer: X" at the end is the line "Answer: X" of other arms."""
    text = _without_first_label(text)
    first, *rest = text.split("\n")
    lines = [first, *(CLOSING.sub("Answer: ", line) for line in rest if not ALONE.match(line))]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def _without_first_label(text: str) -> str:
    """One arm may write "## Final Response", then "Answer:": every label in front goes."""
    while found := LABEL.match(text.partition("\n")[0]):
        text = text[found.end():].lstrip()
    return text
