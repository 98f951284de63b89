"""How often a rater's browser may call: guesses at links by address, known links each by themselves.

A known link is never held up by what others try from the same address: hospitals share one.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from lab.ui.access.rate_limit import RateLimit

UNKNOWN_LINKS, UNKNOWN_WINDOW_S = 30, 300.0
CALLS, CALLS_WINDOW_S = 120, 60.0


@dataclass(frozen=True)
class Limits:
    """One object for a process: counts live in memory, and a restart forgets them."""

    unknown: RateLimit = field(default_factory=lambda: RateLimit(UNKNOWN_LINKS, UNKNOWN_WINDOW_S))
    known: RateLimit = field(default_factory=lambda: RateLimit(CALLS, CALLS_WINDOW_S))
