"""Format faults: what endpoints do to a reply that was asked for in a strict form. Made at a set rate, to be
counted."""

from __future__ import annotations

import json
import random

Body = dict[str, object]


def with_fault(text: str, rng: random.Random) -> str:
    """The reply with one fault: of a JSON object, of one word, or of a text."""
    if text.startswith("{"):
        body = json.loads(text)
        kinds = ["cut", "fence", "prose", "empty", *(["no check"] if "steps" in body else [])]
        return _broken(rng.choice(kinds), text, body)
    if len(text.split()) <= 2:
        return rng.choice((f"I would say {text}, as far as I can see.", f"{text} or not {text}", ""))
    return ""


def _broken(kind: str, text: str, body: Body) -> str:
    if kind == "cut":
        return text[:len(text) * 2 // 3]
    if kind == "fence":
        return f"```json\n{text}\n```"
    if kind == "prose":
        return f"Here is what you asked for:\n{text}\nI hope that it helps."
    if kind == "no check":
        return json.dumps(body | {"steps": body["steps"][:-1]}, ensure_ascii=False)  # type: ignore[index]
    return ""
