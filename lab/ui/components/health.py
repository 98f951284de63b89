"""A variant's health, said wherever it is named: a flag in words, and its figures where it is shown whole."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lab.ui.components.html import chip
from lab.ui.components.markup import Html, join, tag

Healths = Mapping[str, Mapping[str, Any]]  # name of a variant → what its health gate found
TITLES = {"thinking": "Thinking", "ended": "Ends by itself", "empty": "Says something", "loops": "No loops",
          "length": "Length", "parsed": "Answer can be read"}


def health_flag(health: Mapping[str, Any] | None) -> Html | None:
    """'⚠ health: 2 checks failed' with what failed as its title; nothing for a model that passed or was not asked."""
    failed = list((health or {}).get("failed", ()))
    if not failed:
        return None
    return tag("span", "⚠ ", flag_words(health), cls="health", title="; ".join(failed))


def flag_words(health: Mapping[str, Any] | None) -> str:
    """'health: 2 checks failed'; empty for a model that passed or was not asked."""
    failed = list((health or {}).get("failed", ()))
    if not failed:
        return ""
    if not (health or {}).get("checks"):
        return "health: not examined"
    return f"health: {len(failed)} check{'' if len(failed) == 1 else 's'} failed"


def health_state(health: Mapping[str, Any] | None) -> Html:
    """The flag, or that all is well, or that nobody has looked: for lists of variants."""
    if not health:
        return tag("span", "not examined", cls="health unknown", title="the job asked no probes")
    return health_flag(health) or tag("span", "✓ healthy", cls="health fine", title=f"{health.get('n')} probes")


def named(label: str, arm: str, healths: Healths) -> Html:
    """A model's chip with its flag, if it has one."""
    flag = health_flag(healths.get(label))
    return tag("span", chip(label, arm), flag, cls="named") if flag else chip(label, arm)


def health_figures(health: Mapping[str, Any] | None) -> Html:
    """Every check in words with its limit, and the first replies."""
    if not health:
        return tag("p", "Not examined: its job asked no probes (health_probes 0), or left before it could.", cls="note")
    checks = health.get("checks") or {}
    if not checks:
        return join(tag("p", words) for words in health["failed"])
    rows = (_check(TITLES.get(name, name), check) for name, check in checks.items())
    about = f"{health['n']} questions it was taught, answered greedily with room for {health['max_new_tokens']} tokens."
    return join([tag("p", about, cls="note"), tag("ul", *rows, cls="checks")])


def _check(title: str, check: Mapping[str, Any]) -> Html:
    sign, word = ("✓", "kept") if check["ok"] else ("⚠", "failed")
    limit = tag("small", f"limit: {check['limit']}") if check.get("limit") else None
    return tag("li", tag("i", sign, role="img", aria_label=word), tag("div", tag("b", title), ": ", check["sentence"],
               limit), cls=None if check["ok"] else "bad")
