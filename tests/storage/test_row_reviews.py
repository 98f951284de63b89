"""What people say of a dataset's rows: everything is kept, the newest stands, and nonsense is refused as a whole."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from sqlmodel import select

from lab.core.errors import SpecError
from lab.data.reviewing import Review
from storage.database import Store
from storage.queries.row_reviews import (
    NAME_LIMIT,
    NOTE_LIMIT,
    ReviewCounts,
    RowPlace,
    Said,
    counts,
    history,
    review_row,
    reviews_of,
    verdicts,
)
from storage.tables import RowReview

DATA, OTHER = "a" * 64, "b" * 64
ANSWER = {"answer": "It is 12 mmol/L.\nAnswer: 12"}


def say(store: Store, row: str, verdict: str, by: str = "ana", **more: Any) -> int:
    place = RowPlace(more.pop("data", DATA), row, more.pop("kind", "rows"))
    with store.write() as session:
        return review_row(session, place, Said(verdict, **more), by).id


def test_the_newest_word_stands_and_the_others_are_its_history(store: Store) -> None:
    say(store, "q1", "approved", note=" fine ")
    say(store, "q1", "edited", "bo", changes=ANSWER)
    say(store, "q1", "approved", "ana", changes=ANSWER)
    say(store, "q2", "rejected", "bo", note="wrong unit")
    say(store, "q1", "rejected", data=OTHER)
    with store.read() as session:
        found = reviews_of(session, DATA)
        assert set(found) == {"q1", "q2"}
        first = found["q1"]
        assert (first.review.verdict, first.review.changes, first.n, first.by) == ("approved", ANSWER, 3, ("ana", "bo"))
        assert first.contested and not found["q2"].contested
        told = [(one.verdict, one.by, one.note) for one in history(session, DATA, "q1")]
        assert told == [("approved", "ana", "fine"), ("edited", "bo", ""), ("approved", "ana", "")]
        assert history(session, DATA, "q3") == [] and reviews_of(session, "c" * 64) == {}


def test_two_people_who_say_the_same_do_not_contest(store: Store) -> None:
    say(store, "q1", "rejected", "ana")
    say(store, "q1", "approved", "bo")
    say(store, "q1", "approved", "ana")  # she has changed her mind
    with store.read() as session:
        assert not reviews_of(session, DATA)["q1"].contested


def test_two_people_at_the_same_moment_are_both_kept_and_one_stands(store: Store) -> None:
    ready = threading.Barrier(2)

    def press(name: str, verdict: str) -> None:
        ready.wait()
        for _ in range(5):
            say(store, "q1", verdict, name)

    people = [threading.Thread(target=press, args=one) for one in (("ana", "approved"), ("bo", "rejected"))]
    for person in people:
        person.start()
    for person in people:
        person.join()
    with store.read() as session:
        kept = history(session, DATA, "q1")
        stands = reviews_of(session, DATA)["q1"]
        assert len(kept) == 10 and {one.by for one in kept} == {"ana", "bo"}
        assert (stands.review.id, stands.n, set(stands.by)) == (kept[-1].id, 10, {"ana", "bo"}) and stands.contested


def test_rows_are_counted_by_the_word_that_stands(store: Store) -> None:
    with store.read() as session:
        assert counts(session, DATA) == ReviewCounts()
    for row, verdict, by in (("q1", "approved", "ana"), ("q1", "rejected", "bo"), ("q2", "approved", "ana"),
                             ("q3", "rejected", "ana"), ("q3", "open", "ana")):
        say(store, row, verdict, by)
    say(store, "q4", "edited", "bo", changes=ANSWER)
    with store.read() as session:
        assert counts(session, DATA) == ReviewCounts(n_approved=1, n_rejected=1, n_edited=1, n_open=1, n_contested=1,
                                                     n_reviewers=2)


def test_what_is_left_open_is_as_if_nothing_had_been_said(store: Store) -> None:
    say(store, "q1", "rejected")
    say(store, "q1", "open")
    say(store, "q2", "edited", changes=ANSWER, note="unit added")
    with store.read() as session:
        found = verdicts(reviews_of(session, DATA))
    assert found == {"q2": Review(verdict="edited", changes=ANSWER, reviewer="ana", note="unit added")}


@pytest.mark.parametrize(("kind", "changes"), [
    ("rows", {"question": "Why?", "trace": "", "steps": "", "gold": "12"}),
    ("rows", {"options": {"A": "north", "B": "south"}}),
    ("pairs", {"chosen": "x", "rejected": "y", "chosen_trace": "", "rejected_trace": "z"}),
])
def test_fields_of_its_kind_may_change(store: Store, kind: str, changes: dict[str, Any]) -> None:
    say(store, "q1", "edited", kind=kind, changes=changes)
    with store.read() as session:
        assert session.exec(select(RowReview)).one().changes == changes


@pytest.mark.parametrize(("verdict", "more", "words"), [
    ("aproved", {}, "Did you mean 'approved'"),
    ("edited", {}, "name the fields and their new text"),
    ("rejected", {"changes": ANSWER}, "would be lost"),
    ("open", {"changes": ANSWER}, "would be lost"),
    ("edited", {"changes": {"id": "q2"}}, "changes.id: cannot be changed"),
    ("edited", {"changes": {"chosen": "x"}}, "changes.chosen: cannot be changed"),
    ("edited", {"changes": {"answer": "x"}, "kind": "pairs"}, "changes.answer: cannot be changed"),
    ("edited", {"changes": {"answer": "  "}}, "changes.answer: cannot be empty"),
    ("edited", {"changes": {"answer": 12}}, "should be text, not int"),
    ("edited", {"changes": {"options": {"A": "alone"}}}, "two or more letters"),
    ("edited", {"changes": {"options": {"A": "", "B": "x"}}}, "two or more letters"),
    ("edited", {"changes": {"options": "A"}}, "two or more letters"),
    ("approved", {"note": "x" * (NOTE_LIMIT + 1)}, "note: has 2,001 characters"),
    ("approved", {"by": " "}, "a reviewer's name"),
    ("approved", {"by": "x" * (NAME_LIMIT + 1)}, "a reviewer's name"),
    ("approved", {"data": ""}, "is of no dataset"),
])
def test_what_cannot_be_said_is_refused_and_nothing_is_kept(
    store: Store, verdict: str, more: dict[str, Any], words: str
) -> None:
    with pytest.raises(SpecError, match=words):
        say(store, "q1", verdict, **more)
    with store.read() as session:
        assert session.exec(select(RowReview)).all() == []


def test_all_faults_are_told_together(store: Store) -> None:
    with pytest.raises(SpecError) as caught:
        say(store, "q1", "seen", by="", changes={"id": "q2", "answer": ""})
    assert {fault.field for fault in caught.value.faults} == {"verdict", "changes.id", "changes.answer", "by"}


def test_a_character_that_a_database_cannot_hold_does_not_lose_the_review(store: Store) -> None:
    say(store, "q1", "edited", changes={"answer": "a\x00b"}, note="n\x00")
    with store.read() as session:
        assert "b" in session.exec(select(RowReview)).one().changes["answer"]
