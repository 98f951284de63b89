"""What a finished text leaves: a row, a pair, and what is told beside each."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.data.jsonl import read_jsonl, read_noted_jsonl, write_rows
from lab.data.pair_rows import write_pairs
from lab.data.pairs import resolve_pairs
from lab.data.targets import target_text
from lab.synthesis.preferences import notes_of, pair_notes_of, pair_of, row_of
from tests.synthesis.scripted_texts import COMMON, COMPLEX, better, grade, long, machine, prefers, walk
from tests.synthesis.scripted_texts import TEXT as GOUT

NAMES = {"teacher": "qwen", "thinker": "qwq", "judge": "gpt"}


def test_a_common_row_has_an_answer_and_no_trace() -> None:
    state, _ = walk(COMMON)
    row = row_of(state)
    assert row and (row.id, row.question, row.trace) == ("text-1", "How is gout treated?", None)
    assert row.answer == row.gold == "Colchicine first, allopurinol later." and row.verifier == "exact"
    assert (row.subject, row.source) == ("Internal Medicine", "notes.txt") and pair_of(state) is None
    assert notes_of(state, NAMES) == {
        "style": "common", "quality": 8, "complexity": 5, "relevance": 6, "department": "Internal Medicine",
        "subdepartment": "Rheumatology and Immunology", "text": "text-1", "n_asked": 6, "teacher": "qwen"}


def test_a_complex_row_has_its_thought_and_the_pair_prefers_it_to_the_direct_answer() -> None:
    state, _ = walk(COMPLEX, thinker="remote:t", judge="remote:j")
    row, pair = row_of(state), pair_of(state)
    assert row and row.trace == "Urate crystals inflame the joint.\nColchicine, or rest?"
    assert target_text(row, "trace", "finemed").startswith("### Thought\n\nUrate crystals")
    assert pair and (pair.chosen, pair.chosen_trace) == (row.answer, row.trace) and pair.question == row.question
    assert (pair.rejected, pair.rejected_trace) == ("Take aspirin.", None)
    notes = pair_notes_of(state, NAMES)
    assert notes["teacher"] == "qwq" and notes["rejected"] == "direct"
    assert notes["judge"] == {"by": "gpt", "orders": ["chosen", "chosen"]}
    assert notes_of(state, {"teacher": "qwen"})["teacher"] == "qwen"


def test_a_pair_that_nobody_compared_says_so() -> None:
    state, _ = walk(COMPLEX)
    assert pair_notes_of(state, {"teacher": "qwen"})["judge"] == "not asked"


@pytest.mark.parametrize(("replies", "orders"), [
    ([better("A"), better("tie")], ["chosen", "tie"]), ([better("tie"), better("B")], ["tie", "chosen"]),
])
def test_the_orders_are_told_from_the_chosen_answers_side(replies, orders: list[str]) -> None:
    state, _ = walk({**COMPLEX, "compare": replies}, judge="remote:j")
    assert pair_notes_of(state, NAMES)["judge"]["orders"] == orders


def test_a_rejected_sample_keeps_its_thought_and_the_orders_are_turned() -> None:
    said = {**COMPLEX, "long_answer": [long("Thought one", "First"), long("Thought two", "Second")],
            "compare": [better("tie"), better("A")]}  # a tie; then the second is preferred where it stands first
    state, _ = walk(said, judge="remote:j", samples=2, rejected="wrong")
    pair = pair_of(state)
    assert pair and (pair.chosen, pair.rejected, pair.rejected_trace) == ("Second", "First", "Thought one")
    notes = pair_notes_of(state, NAMES)
    assert notes["rejected"] == "sample" and notes["judge"]["orders"] == ["chosen", "tie"]


@pytest.mark.parametrize("said", [
    {"compare": [better("A")]}, {"direct": ["colchicine, then allopurinol"]}, {"direct": ["…"]},
])
def test_a_dropped_pair_leaves_its_row(said) -> None:
    state, _ = walk({**COMPLEX, **said}, judge="remote:j")
    assert row_of(state) is not None and pair_of(state) is None


def test_a_dropped_or_open_text_leaves_nothing() -> None:
    assert row_of(walk({**COMMON, "grade": [grade(leaks=True)]})[0]) is None
    assert row_of(machine().begin(GOUT)) is None and pair_of(machine().begin(GOUT)) is None


@pytest.mark.parametrize(("replies", "subject", "told"), [(["None"], "", "None"), (["?"], "", None)])
def test_none_and_unread_departments_differ_in_the_notes(replies, subject: str, told: str | None) -> None:
    state, _ = walk({**COMMON, "department": replies})
    row = row_of(state)
    assert row and row.subject == subject and notes_of(state, NAMES).get("department") == told


def test_files_of_them_are_read_by_the_labs_own_readers(tmp_path: Path) -> None:
    states = [walk(COMPLEX, judge="remote:j")[0]]
    rows, pairs = [row_of(state) for state in states], [pair_of(state) for state in states]
    write_rows(tmp_path / "sft.jsonl", rows, [notes_of(state, NAMES) for state in states])
    write_pairs(tmp_path / "pairs.jsonl", pairs, [pair_notes_of(state, NAMES) for state in states])
    assert read_jsonl(tmp_path / "sft.jsonl") == rows
    assert read_noted_jsonl(tmp_path / "sft.jsonl")[0][1]["style"] == "complex"
    assert resolve_pairs(str(tmp_path / "pairs.jsonl")).load() == pairs


def test_the_judge_that_prefers_the_long_answer_is_needed_only_where_there_is_one() -> None:
    _, script = walk({**COMMON, "compare": [prefers("x")]}, judge="remote:j")
    assert "compare" not in script.prompts
