"""Kept comparisons: the list with its links, and freezing first answers for human raters."""

from __future__ import annotations

from collections.abc import Sequence

from lab.ui.arms import arm_of
from lab.ui.compare.conversation import Conversation
from lab.ui.components.html import Column, Row, ago, chip, empty, link, table
from lab.ui.components.markup import Html, join, tag
from storage.database import Store
from storage.queries.comparisons import bank_from_comparisons, get_comparison, list_comparisons, turns
from storage.tables import Comparison, ComparisonTurn

SHOWN = 10
MOST_OTHERS = 200


def address(uid: str) -> str:
    return f"/compare?c={uid}"


def saved_html(store: Store, search: str, page: int, opened: str = "") -> tuple[Html, int]:
    """(the saved comparisons of this page, how many there are in all)."""
    with store.read() as session:
        found, total = list_comparisons(session, search, limit=SHOWN, offset=SHOWN * max(0, page - 1))
        asked = {row.uid: turns(session, row) for row in found}
    if not found:
        if search.strip():
            return empty("No saved comparison matches", "Titles and questions are searched; search for less."), total
        return empty("No comparison is saved yet", "Ask something, then save it above: it is listed here and keeps "
                     "its link. Those that nobody saves are forgotten after two weeks."), total
    rows = [_row(row, asked[row.uid], row.uid == opened) for row in found]
    columns = [Column("comparison", wide=True), Column("models"), Column("questions", number=True), "changed", ""]
    return table(columns, rows, caption="saved comparisons"), total


def _row(row: Comparison, asked: Sequence[ComparisonTurn], opened: bool) -> Row:
    hidden = row.blind and not any(turn.vote for turn in asked)
    who = f"{len(row.columns)} models, blind" if hidden else tag("span", *(
        chip(column["label"], arm_of(column.get("arm", ""))) for column in row.columns), cls="lab-chips")
    title = tag("a", row.title or "(no title)", href=address(row.uid), cls="saved-title")
    buttons = tag(
        "span", _button("Copy link", "copy", row), " ", _button("Delete", "delete", row), cls="row-buttons")
    return Row((title, who, len(asked), ago(row.updated_at), buttons), selected=opened)


def _button(text: str, act: str, row: Comparison) -> Html:
    return tag("button", text, type="button", cls="small-button", data_act=act, data_uid=row.uid,
               aria_label=f"{text}: {row.title}")


def delete_question(store: Store, uid: str) -> Html:
    """What would go. LabError when it is gone already."""
    with store.read() as session:
        row = get_comparison(session, uid)
        n = len(turns(session, row))
    return tag("p", f"Delete '{row.title or row.uid}' with its {n} question{'' if n == 1 else 's'} and all answers? "
                    "Its link stops working. Banks frozen from it stay.")


def others_to_freeze(store: Store, conversation: Conversation) -> list[tuple[str, str]]:
    """(title, uid) of saved comparisons of the same models."""
    refs = sorted(seat.ref for seat in conversation.seats)
    with store.read() as session:
        found, _ = list_comparisons(session, limit=MOST_OTHERS)
    return [(row.title or row.uid, row.uid) for row in found
            if row.uid != conversation.uid and sorted(column["ref"] for column in row.columns) == refs]


def freeze(store: Store, name: str, uids: Sequence[str]) -> Html:
    """Make the answer bank and say where raters get it. LabError with what stands in the way."""
    with store.write() as session:
        bank = bank_from_comparisons(session, name, uids)
        said, number = bank.name, bank.id
    n = len(dict.fromkeys(uids))
    words = f"The answer bank '{said}' holds the first answers of {n} comparison{'' if n == 1 else 's'}. "
    return tag("div", join([words, link(f"/ratings?bank={number}", "Make a rating round of it")]), cls="good-news")
