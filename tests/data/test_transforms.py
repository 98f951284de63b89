"""Transforms change what they name and nothing else, the same way every time."""

from __future__ import annotations

import pytest

from lab.core.errors import LabError
from lab.core.types import Example
from lab.data.dataset import datasets
from lab.data.targets import target_text
from lab.data.transforms import MOST_STEPS, as_taught, condense, units
from lab.verify.verifier import verify

ROWS = datasets()["demo-medical"].load()[:300]
PROSE = Example(
    id="p", question="A man of 60 has chest pain and ST elevation. Which drug first?",
    trace="Okay, wait. He has chest pain with ST elevation. Hmm, let me think. Aspirin is given first in chest pain. "
          "Maybe again. The weather is fine.",
    answer="Aspirin is the first drug.\nAnswer: aspirin", gold="aspirin",
)


def test_a_condensed_trace_keeps_at_most_half_of_the_units_in_their_order():
    assert condense(PROSE) == "He has chest pain with ST elevation.\nAspirin is given first in chest pain."
    for row in as_taught(ROWS, "steps"):
        kept, whole = row.steps.splitlines(), units(row.trace)
        assert 1 <= len(kept) <= min(MOST_STEPS, (len(whole) + 1) // 2)
        assert [unit for unit in dict.fromkeys(whole) if unit in kept] == kept


def test_a_dataset_that_brings_its_own_steps_keeps_them():
    row = PROSE.model_copy(update={"steps": "Give aspirin."})
    assert as_taught([row], "steps")[0].steps == "Give aspirin."


def test_a_shuffled_trace_has_the_same_units_in_another_order_and_the_same_answer():
    for before, after in zip(ROWS, as_taught(ROWS, "shuffled", seed=3), strict=True):
        assert sorted(units(before.trace)) == sorted(units(after.trace)) and before.answer == after.answer
        assert units(before.trace) != units(after.trace) or len(set(units(before.trace))) == 1
    assert as_taught(ROWS, "shuffled", seed=3) == as_taught(ROWS, "shuffled", seed=3)
    assert as_taught(ROWS, "shuffled", seed=3) != as_taught(ROWS, "shuffled", seed=4)


def test_a_wrong_answer_is_wrong_by_the_rows_own_verifier_and_of_its_own_kind():
    for before, after in zip(ROWS, as_taught(ROWS, "wrong"), strict=True):
        score = verify(after.answer, before)
        assert score.parsed is not None and not score.correct
        assert after.trace == before.trace and after.subject == before.subject


def test_a_wrong_option_is_another_option():
    row = PROSE.model_copy(update={"options": {"A": "aspirin", "B": "iron"}, "gold": "A", "verifier": "choice"})
    changed = as_taught([row], "wrong")[0]
    assert changed.answer == "iron\nAnswer: B" and not verify(changed.answer, row).correct


@pytest.mark.parametrize("target", ["steps", "shuffled", "wrong"])
def test_a_row_without_a_trace_is_named(target):
    with pytest.raises(LabError, match="row 'p' has no reasoning trace"):
        as_taught([PROSE.model_copy(update={"trace": None})], target)


def test_one_answer_for_all_rows_leaves_nothing_wrong_to_teach():
    twins = [PROSE, PROSE.model_copy(update={"id": "q"})]
    with pytest.raises(LabError, match="no wrong one to take"):
        as_taught(twins, "wrong")


def test_all_targets_but_answer_and_gold_are_written_with_thinking():
    for target in ("trace", "steps", "shuffled", "wrong"):
        assert target_text(as_taught(ROWS[:9], target)[0], target).startswith("<think>\n")
