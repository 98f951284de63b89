"""Comparisons in a real store: turns, votes, saving, searching, forgetting, and the banks frozen from them."""

from __future__ import annotations

import hashlib
import re
from datetime import timedelta

import pytest
from sqlmodel import select

from lab.benchmarks.benchmark import benchmarks
from lab.core.errors import LabError, SpecError
from lab.data.chat import question_text
from lab.rating.design import RoundSpec
from storage.database import Store
from storage.queries.comparisons import (
    TITLE_LIMIT,
    Turn,
    add_turn,
    bank_from_comparisons,
    delete_comparison,
    drop_turns_from,
    forget_drafts,
    get_comparison,
    list_comparisons,
    new_comparison,
    save_comparison,
    set_columns,
    turns,
    vote,
)
from storage.queries.guests import guest_token
from storage.queries.ratings import banks
from storage.queries.rounds import create_round, preview_round
from storage.tables import Answer, AnswerBank, Comparison, ComparisonTurn, now

BASE, TRACE = "demo-llama", "demo-llama_trace"
COLUMNS = [
    {"ref": BASE, "label": BASE, "arm": "base", "base": BASE, "kind": "base",
     "settings": {"temperature": 0, "seed": 1}},
    {"ref": f"variant:{TRACE}", "label": TRACE, "arm": "trace", "base": BASE, "kind": "adapter",
     "settings": {"temperature": 0, "seed": 1}},
]


def stats(final: str, **more) -> dict:
    return {"think_text": "", "final_text": final, "think_state": "none", "finish_reason": "eos", "n_prompt_tokens": 9,
            "n_think_tokens": 0, "n_answer_tokens": 4, "seconds": 0.5} | more


def said(*texts: str) -> list[dict]:
    return [{"column": place, "stats": stats(text), "error": "", "phase": "done", "thought": "", "answer": text,
             "notes": []} for place, text in enumerate(texts)]


def ask(store: Store, question: str = "Why?", columns=COLUMNS, answers=None, **turn) -> str:
    """A comparison with one turn; its uid."""
    with store.write() as session:
        made = new_comparison(session, columns)
        answers = said(f"one {question}", f"two {question}") if answers is None else answers
        add_turn(session, made.uid, Turn(question, answers=answers, **turn))
        return made.uid


def bank(store: Store, *uids: str, name: str = "asked") -> AnswerBank:
    with store.write() as session:
        return bank_from_comparisons(session, name, uids)


def test_a_conversation_comes_back_as_it_was(store: Store) -> None:
    with store.write() as session:
        made = new_comparison(session, COLUMNS, blind=True)
        for question in ("first", "second"):
            add_turn(session, made.uid, Turn(question, "demo-medical", "q1", said("a", "b")))
    assert re.fullmatch(r"[0-9a-f]{12}", made.uid)
    with store.read() as session:
        found = get_comparison(session, made.uid.upper())
        asked = turns(session, found)
    assert (found.columns, found.blind, found.saved) == (COLUMNS, True, False)
    assert [(turn.number, turn.question, turn.benchmark, turn.item) for turn in asked] == [
        (0, "first", "demo-medical", "q1"), (1, "second", "demo-medical", "q1")]
    assert asked[0].answers == said("a", "b") and found.updated_at >= found.created_at


def test_an_unknown_comparison_is_said_to_be_gone(store: Store) -> None:
    with store.read() as session, pytest.raises(LabError, match="no comparison 'ab'.*draft"):
        get_comparison(session, "ab")


def test_edited_turns_go_and_numbers_go_on_from_there(store: Store) -> None:
    uid, other = ask(store, "kept"), ask(store, "of another")
    with store.write() as session:
        for question in ("old", "older"):
            add_turn(session, uid, Turn(question))
        assert drop_turns_from(session, uid, 1) == 2
        assert add_turn(session, uid, Turn("new")).number == 1
    with store.read() as session:
        assert [turn.question for turn in turns(session, get_comparison(session, uid))] == ["kept", "new"]
        assert len(turns(session, get_comparison(session, other))) == 1


def test_columns_can_change(store: Store) -> None:
    uid = ask(store)
    with store.write() as session:
        set_columns(session, uid, COLUMNS[:1], blind=True)
    with store.read() as session:
        found = get_comparison(session, uid)
    assert (found.columns, found.blind) == (COLUMNS[:1], True)


def test_a_saved_comparison_has_a_title_and_an_empty_one_cannot_be_saved(store: Store) -> None:
    uid = ask(store, "What is\nthis? " + "x" * 300)
    with store.write() as session:
        assert save_comparison(session, uid, "  My  title ").title == "My title"
        titled = save_comparison(session, uid, "").title
        assert titled.startswith("What is this? x") and len(titled) == TITLE_LIMIT
        empty = new_comparison(session, COLUMNS)
        with pytest.raises(LabError, match="ask a question first"):
            save_comparison(session, empty.uid, "title")


def test_votes_are_kept_and_the_first_of_a_blind_comparison_stands(store: Store) -> None:
    uid = ask(store)
    with store.write() as session:
        vote(session, uid, 0, {"best": 0})
        vote(session, uid, 0, {"best": 1})
        set_columns(session, uid, COLUMNS, blind=True)
        vote(session, uid, 0, {"best": 1})  # the same again: a double click
        with pytest.raises(LabError, match="first vote stands"):
            vote(session, uid, 0, {"best": 0})
        with pytest.raises(LabError, match="no turn 7"):
            vote(session, uid, 7, {"best": 0})
    with store.read() as session:
        assert turns(session, get_comparison(session, uid))[0].vote == {"best": 1}


def test_saved_ones_are_listed_last_changed_first_and_searched(store: Store) -> None:
    uids = [ask(store, question) for question in ("Fever 100%?", "Cough?", "Pain?")]
    with store.write() as session:
        for uid, title in zip(uids[:2], ("Alpha", "Beta_1"), strict=True):
            save_comparison(session, uid, title)
        add_turn(session, uids[0], Turn("and then?"))

    def found(*args, **kwargs) -> tuple[list[str], int]:
        with store.read() as session:
            rows, total = list_comparisons(session, *args, **kwargs)
        return [row.uid for row in rows], total

    assert found() == ([uids[0], uids[1]], 2)
    assert found(limit=1, offset=1) == ([uids[1]], 2)
    assert found("beta_") == ([uids[1]], 1) and found("_") == ([uids[1]], 1)
    assert found("THEN?") == ([uids[0]], 1) and found("0%") == ([uids[0]], 1) and found(uids[1]) == ([uids[1]], 1)
    assert found("pain") == ([], 0) and found("pain", saved_only=False) == ([uids[2]], 1)


def test_a_deleted_comparison_takes_its_turns_along(store: Store) -> None:
    uid, other = ask(store), ask(store)
    with store.write() as session:
        delete_comparison(session, uid)
    with store.read() as session:
        assert session.exec(select(Comparison.uid)).all() == [other]
        assert len(session.exec(select(ComparisonTurn)).all()) == 1


def test_only_old_drafts_are_forgotten(store: Store) -> None:
    old_draft, old_saved, new_draft = ask(store), ask(store), ask(store)
    with store.write() as session:
        save_comparison(session, old_saved, "kept")
        for uid in (old_draft, old_saved):
            get_comparison(session, uid).updated_at = now() - timedelta(days=15)
    with store.write() as session:
        assert forget_drafts(session) == 1
        assert forget_drafts(session) == 0
    with store.read() as session:
        assert set(session.exec(select(Comparison.uid))) == {old_saved, new_draft}


def test_first_turns_become_a_bank_that_a_round_can_be_made_of(store: Store) -> None:
    uids = [ask(store, "One?"), ask(store, "Two?")]
    with store.write() as session:
        add_turn(session, uids[0], Turn("Not this one", answers=said("a", "b")))
    made = bank(store, *uids, uids[0])
    assert made.job_id is None and made.settings["comparisons"] == uids and made.benchmark == "comparisons"
    with store.read() as session:
        (listed,) = banks(session)
        rows = session.exec(select(Answer)).all()
    assert (listed.id, listed.n_questions, [model.label for model in listed.models]) == (made.id, 2, [BASE, TRACE])
    assert {row.question for row in rows} == {"One?", "Two?"} and {row.arm for row in rows} == {"base", "trace"}
    assert all(row.sha256 == hashlib.sha256(row.shown_text.encode()).hexdigest() and row.shown_text for row in rows)
    assert create_round(store, RoundSpec(name="Fluency", bank=made.id, models=(BASE, TRACE))).n_excluded == 0


def test_guests_of_the_public_demo_do_not_get_what_somebody_asked_by_hand(store: Store) -> None:
    bank(store, ask(store))
    with store.read() as session:
        assert [one.by_hand for one in banks(session)] == [True]
    with pytest.raises(LabError, match="nothing to rate yet"):
        guest_token(store)


def test_what_a_rater_sees_is_cleaned_and_thinking_is_not_shown(store: Store) -> None:
    answers = said("Answer:   A<|im_end|>", "B")
    answers[1]["stats"] |= {"think_text": "hm", "think_state": "closed", "n_think_tokens": 3}
    bank(store, ask(store, answers=answers))
    with store.read() as session:
        rows = {row.model_label: row for row in session.exec(select(Answer))}
    assert rows[BASE].shown_text == "A" and rows[TRACE].shown_text == "B"
    assert "hm" in rows[TRACE].raw_text and rows[TRACE].n_tokens == 7


def test_answers_that_failed_or_were_cut_stay_in_the_bank_and_are_left_out_of_a_round_by_name(store: Store) -> None:
    failed, cut = said("a", "b"), said("a", "b")
    failed[1] |= {"stats": None, "phase": "failed", "error": "no engine", "answer": ""}
    cut[0]["stats"] |= {"finish_reason": "length"}
    made = bank(store, ask(store, "1?", answers=failed), ask(store, "2?", answers=cut), ask(store, "3?", answers=[]))
    with store.read() as session:
        pairing = preview_round(session, RoundSpec(name="r", bank=made.id, models=(BASE, TRACE)))
        assert len(session.exec(select(Answer)).all()) == 6
    assert not pairing.units and pairing.excluded == {"truncated": 3}


def test_a_benchmark_question_brings_its_gold_answer_unless_its_text_was_edited(store: Store) -> None:
    example = benchmarks()["demo-medical"].load()[0]
    text = question_text(example)
    picked = {"benchmark": "demo-medical", "item": example.id}
    made = bank(store, ask(store, text, **picked), name="picked")
    edited = bank(store, ask(store, text + " Be brief.", **picked), name="edited")
    with store.read() as session:
        golds = {row.bank_id: (row.gold, row.subject, row.item_id) for row in session.exec(select(Answer))}
    assert golds[made.id] == (example.gold, example.subject, f"demo-medical/{example.id}")
    assert golds[edited.id][:2] == ("", "") and golds[edited.id][2].startswith("asked-")
    assert (made.benchmark, edited.benchmark) == ("demo-medical", "comparisons")


def test_all_that_keeps_comparisons_from_becoming_a_bank_is_told_at_once(store: Store) -> None:
    warm = [COLUMNS[0], COLUMNS[1] | {"settings": {"temperature": 0.7, "seed": 5}}]
    uids = [ask(store, "a?"), ask(store, "a?"), ask(store, "b?", warm), ask(store, "c?", COLUMNS[:1]),
            ask(store, "d?", [COLUMNS[0], COLUMNS[0]])]
    with pytest.raises(SpecError) as caught:
        bank(store, *uids, name=" ")
    text = str(caught.value)
    assert "name: should have" in text and f"{uids[1]}: asks the same question as {uids[0]}" in text
    assert f"{uids[2]}: asks {TRACE} with other settings (temperature 0.7 instead of 0)" in text
    assert f"{uids[3]}: has one model" in text and f"{uids[4]}: asks the same model twice" in text
    with store.read() as session:
        assert session.exec(select(AnswerBank)).all() == []


def test_nested_settings_have_to_be_alike_but_for_their_seeds(store: Store) -> None:
    def columns(seed: int, most: int) -> list[dict]:
        settings = {"seed": seed, "budget": {"max_tokens": most}, "adapt": {"mode": "none", "seed": seed}}
        return [COLUMNS[0], COLUMNS[1] | {"settings": settings}]

    alike = [ask(store, "a?", columns(1, 9)), ask(store, "b?", columns(2, 9))]
    assert bank(store, *alike).settings["n_questions"] == 2
    with pytest.raises(SpecError, match=r"\(budget.max_tokens 5 instead of 9\)"):
        bank(store, alike[0], ask(store, "c?", columns(1, 5)))


def test_models_have_to_be_the_same_and_something_has_to_be_asked(store: Store) -> None:
    other = [COLUMNS[0], COLUMNS[1] | {"label": "else"}]
    with pytest.raises(SpecError, match=f"compares {BASE}, else instead of {BASE}, {TRACE}"):
        bank(store, ask(store, "a?"), ask(store, "b?", other))
    with store.write() as session:
        empty = new_comparison(session, COLUMNS).uid
    with pytest.raises(LabError, match="has no question yet"):
        bank(store, empty)
    with pytest.raises(SpecError, match="name at least one"):
        bank(store)
