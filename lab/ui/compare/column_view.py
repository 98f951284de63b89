"""How one column of a turn looks: who answers, the folded thought, the answer, and a foot that says how it ended.

Under a blind look nothing here tells the models apart but the text of the answer: no name, colour, thought, cost,
health, settings, or reason of a failure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lab.ui.answers import FINISH_WORDS, ThoughtCost, answer, thought
from lab.ui.compare.settings import settings_words
from lab.ui.components.folds import fold
from lab.ui.components.health import health_flag
from lab.ui.components.html import chip, error, number
from lab.ui.components.markdown import markdown
from lab.ui.components.markup import Html, join, tag

if TYPE_CHECKING:
    from lab.engine.adapt import AdaptationReport, Neighbour
    from lab.ui.compare.columns import Column

LETTERS = "ABCD"
MODES = ("Rendered", "Plain", "Differences")
PROVEN = {"base": "the base, adapters off", "adapter": "this adapter alone", "full": "these weights"}


@dataclass(frozen=True)
class Look:
    """How a reader wants to see a column, and what surrounds it."""

    mode: str = "Rendered"
    hidden: bool = False  # blind, before the vote
    place: int = 0
    difference: Html | None = None  # the answer with the words marked that the others do not have
    own_settings: bool = False  # say the settings in each column
    may_retry: bool = False


def column_html(column: Column, look: Look | None = None) -> Html:
    look = look or Look()
    arm = "hidden" if look.hidden else column.model.arm
    return tag(
        "article", tag("div", *_head(column, look), cls="column-head"),
        tag("div", _hidden_body(column, look) if look.hidden else _body(column, look), cls="column-body"),
        tag("div", _hidden_foot(column) if look.hidden else _foot(column), cls="column-foot"),
        cls=f"lab-card column arm-{arm}",
        aria_label=f"Answer {LETTERS[look.place]}" if look.hidden else f"Answer of {column.model.label}",
    )


def _head(column: Column, look: Look) -> list[Html | None]:
    if look.hidden:
        return [tag("h3", tag("span", LETTERS[look.place], cls="letter")), tag("small", "name after the vote")]
    model = column.model
    about = {"base": "the base as it is", "remote": "remote"}.get(model.kind, f"on {model.base}")
    proof = identity_words(column.identity, model.kind)
    name = tag("h3", chip(model.label, model.arm), " ", health_flag(column.health))
    below = tag("small", tag("span", "✓ ", proof, cls="proven") if proof else about)
    return [name, below, tag("small", settings_words(column.settings), cls="own") if look.own_settings else None]


def identity_words(identity: Mapping[str, Any] | None, kind: str) -> str:
    """'proven: the base, adapters off; differs by ≤ 2e-7'; empty where no probe was run."""
    if not identity or not identity.get("checked"):
        return ""
    differs = float(identity.get("max_difference") or 0.0)
    mantissa, _, exponent = f"{differs:.0e}".partition("e")
    bound = f"differs by ≤ {mantissa}e{int(exponent)}" if differs else "no difference"
    return f"proven: {PROVEN.get(kind, 'this model')}; {bound}"


def _body(column: Column, look: Look) -> Html:
    parts: list[object] = []
    state = column.stats.think_state if column.stats else _think_state(column)
    if column.adaptation is not None:
        parts.append(adapted_html(f"adapted-{column.name}", column.adaptation))
    if column.thought:
        tokens, waits = (column.stats.n_think_tokens, column.stats.n_waits) if column.stats else (None, 0)
        cost = ThoughtCost(tokens, column.think_seconds, waits)
        parts.append(thought(f"think-{column.name}", column.thought, cost, state))
    if column.answer or column.phase == "done":
        parts.append(_answer(column, look, state))
    if column.phase == "failed":
        parts.append(error("This column failed", column.error))
    if column.phase in ("failed", "stopped") and look.may_retry:
        parts.append(tag("button", "Retry this column", type="button", cls="small-button", data_act="retry",
                         data_column=look.place))
    if column.phase == "waiting":
        parts.append(tag("p", column.note, cls="note waiting", role="status"))
    return tag("div", *parts)


def _answer(column: Column, look: Look, state: str) -> Html:
    if not column.answer.strip():
        return answer("", "closed" if look.hidden else state)
    if look.difference is not None:
        return tag("div", look.difference, cls="model-text")
    if look.mode == "Rendered":
        return tag("div", markdown(column.answer.strip()), cls="rendered")
    return answer(column.answer)


def _think_state(column: Column) -> str:
    if column.answer:
        return "closed"
    return "open" if column.phase == "thinking" else "closed"


def _hidden_body(column: Column, look: Look) -> Html:
    if column.answer or column.phase == "done":
        return _answer(column, look, "closed")
    if column.phase == "failed":
        return error("This column failed", "Why is told after the vote.")
    return tag("p", "stopped before the answer" if column.phase == "stopped" else "working …",
               cls="note" if column.ended else "note waiting")


def _hidden_foot(column: Column) -> str:
    return {"done": "ended", "failed": "ended", "stopped": "stopped by you"}.get(column.phase, "\u00a0")


def _foot(column: Column) -> object:
    if column.phase == "stopped":
        return "stopped by you" if column.thought or column.answer else "stopped before the first word"
    if column.phase == "failed":
        return "ended by an error"
    if column.phase in ("thinking", "answering"):
        return f"{column.phase} …"
    if column.stats is None:
        return "\u00a0"
    stats = column.stats
    made = stats.n_think_tokens + stats.n_answer_tokens
    speed = made / stats.seconds if stats.seconds > 0 else None
    parts = [FINISH_WORDS[stats.finish_reason], f"{made}\u202ftokens", f"{stats.seconds:.1f}\u202fs"]
    first = f" · first {1000 * stats.first_token_s:.0f}\u202fms" if stats.first_token_s else None
    cut = "cut" if stats.finish_reason == "length" else None
    return tag("span", " · ".join(parts), " · ", number(speed, 0, "tokens/s"), first, cls=cut)


def adapted_html(name: str, report: AdaptationReport) -> Html:
    """What a model was adapted to before it answered, and what it did to the loss, behind a fold."""
    n = len(report.neighbours)
    did = "Shown" if report.mode == "context" else "Adapted to"
    words = [f"{did} {n} {report.mode if report.mode == 'random' else 'near'} example{'' if n == 1 else 's'}"]
    if report.loss_before is not None and report.loss_after is not None:
        words.append(f"loss {report.loss_before:.2f} → {report.loss_after:.2f}")
    words.append(f"{report.seconds:.1f}\u202fs")
    restored = tag("span", " · restored ✓", cls="proven", title=f"sha256 of the weights before and after: "
                   f"{report.weights_sha256}") if report.weights_sha256 else None
    left_out = f"{report.n_excluded} near-duplicates of the question itself were left out." if report.n_excluded else ""
    body = [*map(_neighbour, report.neighbours), tag("p", tag("small", left_out)) if left_out else None]
    return fold(name, tag("span", " · ".join(words), restored), tag("div", *body), cls="thought adapted")


def _neighbour(found: Neighbour) -> Html:
    about = f"{found.id} of {found.dataset} · similarity {found.similarity:.2f}"
    parts = [tag("p", tag("small", about)), tag("div", found.question, cls="model-text"),
             tag("div", found.reply, cls="model-text thought-text")]
    return tag("div", join(parts), cls="neighbour")
