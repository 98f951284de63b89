"""Whether a rater's word on a unit is whole, under each task."""

from __future__ import annotations

import pytest

from lab.core.errors import SpecError
from lab.rating.design import RoundSpec
from lab.rating.verdicts import Verdict, asked_only, check_skip, check_verdict, minutes

DESIGN = RoundSpec(name="r", bank=1, models=("a", "b"))


def design(**changes) -> RoundSpec:
    return DESIGN.model_copy(update=changes)


@pytest.mark.parametrize("verdict", [
    Verdict(0, 3, "tie"), Verdict(3, 6, "tie"), Verdict(3, 3, "both_bad"), Verdict(3, 3, ""), Verdict(True, 3, "tie"),
    Verdict(3, None, "tie"), Verdict(3.0, 3, "tie"), Verdict(3, 3, "tie", comment="x" * 5000),
])
def test_a_verdict_that_is_not_whole_is_refused(verdict):
    with pytest.raises(SpecError):
        check_verdict(verdict, DESIGN, one_text=False)


def test_all_faults_come_together():
    with pytest.raises(SpecError) as caught:
        check_verdict(Verdict(), design(criteria=("clarity",)), one_text=False)
    assert [fault.field for fault in caught.value.faults] == [
        "fluency of answer A", "fluency of answer B", "clarity of answer A", "clarity of answer B", "preference"]


@pytest.mark.parametrize("task, one_text, verdict, asked", [
    ("both", False, Verdict(1, 5, "right"), ["fluency of answer A", "fluency of answer B", "preference"]),
    ("preference", False, Verdict(preference="left"), ["preference"]),
    ("fluency", True, Verdict(4), ["fluency of the answer"]),
])
def test_each_task_asks_for_its_own_and_for_nothing_else(task, one_text, verdict, asked):
    with pytest.raises(SpecError) as caught:
        check_verdict(Verdict(), design(task=task), one_text)
    assert [fault.field for fault in caught.value.faults] == asked
    check_verdict(verdict, design(task=task), one_text)  # whole: no fault


def test_what_was_not_asked_is_not_kept_whatever_a_browser_sends():
    sent = Verdict(4, 2, "left", {"clarity": (3, 2), "charm": (5, 5)}, " fine ")
    kept = asked_only(sent, design(task="fluency", criteria=("clarity",)), one_text=True)
    assert (kept.fluency_left, kept.fluency_right, kept.preference) == (4, None, "")
    assert kept.criteria == {"clarity": (3, None)} and kept.comment == "fine"
    assert asked_only(sent, design(task="preference"), one_text=False).fluency_left is None


def test_a_tie_may_be_forbidden():
    with pytest.raises(SpecError, match="left, right"):
        check_verdict(Verdict(3, 3, "tie"), design(allow_tie=False), one_text=False)


def test_a_reason_to_skip_is_one_of_those_offered():
    check_skip("language", "fr")
    with pytest.raises(SpecError, match="unreadable"):
        check_skip("bored", "en")


def test_a_rater_is_told_to_expect_minutes_rounded_up():
    assert [minutes(n, "both") for n in (0, 1, 4, 60)] == [1, 1, 3, 40]
