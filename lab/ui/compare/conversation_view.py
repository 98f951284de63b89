"""How a conversation looks: every turn a question with its row of columns. Drawn again only where it has changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from lab.ui.compare.asking import Asking
from lab.ui.compare.blind import vote_words
from lab.ui.compare.column_view import Look
from lab.ui.compare.columns import Column, column_html
from lab.ui.compare.conversation import Conversation, PastTurn
from lab.ui.compare.questions import gold_html, source_words
from lab.ui.components.html import empty
from lab.ui.components.markup import Html, join, tag
from lab.ui.components.word_difference import word_differences

START = empty(
    "Answers appear here, side by side",
    "Choose two to four models and ask. Every model streams into its own column, with its thinking folded above the "
    "answer; the conversation goes on from there. A question of a benchmark or dataset brings its gold answer.",
)


@dataclass
class Drawing:
    """Draws one asking again and again; a column that has not changed is not made anew."""

    conversation: Conversation
    asking: Asking
    mode: str
    _made: dict[int, tuple[object, Html]] = field(default_factory=dict)

    def html(self) -> Html:
        columns, asked = self.asking.columns, self.asking
        looks = looks_of(self.conversation, columns, self.mode)
        drawn = [self._column(place, column, looks[place]) for place, column in enumerate(columns)]
        return _turn(PastTurn(asked.number, asked.question, columns), drawn)

    def _column(self, place: int, column: Column, look: Look) -> Html:
        state = (column.changes, look)
        known = self._made.get(place)
        if known is None or known[0] != state:
            known = self._made[place] = (state, column_html(column, look))
        return known[1]


def looks_of(conversation: Conversation, columns: Sequence[Column], mode: str, may_retry: bool = False) -> list[Look]:
    own = len({column.settings for column in columns}) > 1
    compared: list[Html | None] = [None] * len(columns)
    if mode == "Differences" and len(columns) > 1 and all(column.ended for column in columns):
        compared = list(word_differences([column.answer.strip() for column in columns]))
    return [Look(mode, conversation.hidden, place, compared[place], own, may_retry) for place in range(len(columns))]


def past_html(conversation: Conversation, n_turns: int, mode: str) -> Html:
    """The turns before the one at the bottom."""
    return join(turn_html(conversation, turn, mode) for turn in conversation.turns[:n_turns])


def turn_html(conversation: Conversation, turn: PastTurn, mode: str, last: bool = False) -> Html:
    looks = looks_of(conversation, turn.columns, mode, may_retry=last and not turn.vote)
    drawn = [column_html(column, look) for column, look in zip(turn.columns, looks, strict=True)]
    voted = tag("p", vote_words(turn.vote, conversation.seats), cls="voted") if turn.vote else None
    may_edit = not any(later.vote for later in conversation.turns[turn.number:])
    return _turn(turn, drawn, voted, may_edit)


def _turn(turn: PastTurn, columns: Sequence[Html], below: Html | None = None, may_edit: bool = False) -> Html:
    asked, name = turn.question, f"Question {turn.number + 1}"
    edit = tag("button", "Edit", type="button", cls="small-button", data_act="edit", data_turn=turn.number,
               aria_label=f"Edit question {turn.number + 1}") if may_edit else None
    source = source_words(asked.benchmark, asked.item)
    head = tag("div", tag("small", name, f" · {source}" if source else None), edit, cls="asked-head")
    return tag(
        "section", tag("div", head, tag("div", asked.text, cls="model-text"), cls="asked"),
        gold_html(asked.benchmark, asked.item, asked.text, f"gold-{turn.number}"),
        tag("div", *columns, cls=f"columns columns-{len(columns)}"), below, cls="turn", aria_label=name,
    )
