"""How figures of a round are written: signed points, coefficients with interval and p, counts with their noun."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.reports.verdict import p_text
from lab.ui.components.html import number
from lab.ui.components.markup import Html, tag

if TYPE_CHECKING:
    from lab.stats.bootstrap import Bootstrap
    from lab.stats.ordinal import Coefficient


def signed(value: float, digits: int = 2) -> str:
    """'+0.35', '−0.10', '0.00'."""
    rounded = round(value, digits) + 0.0
    return f"{rounded:+.{digits}f}".replace("-", "−") if rounded else f"{0:.{digits}f}"


def reach(low: float | None, high: float | None, digits: int = 2) -> str:
    """'+0.12 to +0.58'; nothing where there is no interval."""
    return "" if low is None or high is None else f"{signed(low, digits)} to {signed(high, digits)}"


def points(value: Bootstrap) -> Html:
    """A mean difference with its interval and the number of questions."""
    words = f"{reach(value.low, value.high)} · n {value.n_clusters}"
    return tag("span", tag("b", signed(value.estimate)), tag("small", words), cls="figure")


def share(value: Bootstrap) -> Html:
    """A share as per cent with its interval and the number of questions."""
    words = f"{100 * value.low:.0f} to {100 * value.high:.0f} · n {value.n_clusters}"
    return tag("span", tag("b", f"{100 * value.estimate:.0f}\u202f%"), tag("small", words), cls="figure")


def coefficient(value: Coefficient | None) -> Html:
    if value is None:
        return number(None)
    return tag("span", tag("b", signed(value.estimate)), tag("small", reach(value.low, value.high)), cls="figure")


def p_of(value: Coefficient | None) -> str | Html:
    return number(None) if value is None else p_text(value.p_value)


def plural(count: int, word: str) -> str:
    return f"{count:,} {word}{'' if count == 1 else 's'}".replace(",", "\u202f")
