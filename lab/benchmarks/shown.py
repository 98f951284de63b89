"""What a rater sees of an answer. One clean-up for every arm, so that nothing in the form tells the arms apart.

Kept as the model wrote it: the words and the "Answer:" line, which every arm is trained to write alike. Taken away:
what is left of thinking delimiters and special tokens, and irregular white space. An answer that was never finished is
not shown at all: its length would tell the arm.
"""

from __future__ import annotations

import re

from lab.core.types import Generation
from lab.engine.thinking import Delimiters

SPECIAL_TOKEN = re.compile(r"<\|[^|<>]*\|>")


def shown_text(generation: Generation, style: Delimiters) -> str:
    """The finished answer, cleaned; empty when it was cut or its thinking never closed."""
    if generation.think_state.startswith("unclosed") or generation.finish_reason not in ("eos", "stop", "forced"):
        return ""
    text = SPECIAL_TOKEN.sub("", generation.final_text).replace(style.open, "").replace(style.close, "")
    lines = (re.sub(r"[^\S\n]+", " ", line).strip() for line in text.splitlines())
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
