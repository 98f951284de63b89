"""What a rater is asked, and what is accepted as a rating."""

from __future__ import annotations

import pytest

from lab.core.errors import SpecError
from lab.rating.rounds import ANCHORS, DEFINITION, check_rating, minutes


def test_the_definition_sets_correctness_aside_and_every_score_has_an_anchor():
    assert "not about whether the text is medically right" in DEFINITION
    assert len(ANCHORS) == len(set(ANCHORS)) == 5


def test_every_fault_of_a_rating_is_reported():
    with pytest.raises(SpecError) as caught:
        check_rating(0, "3", "both", "x" * 3000)
    assert len(caught.value.faults) == 4
    check_rating(1, 5, "tie", "fine")


def test_the_time_estimate_is_rounded_up_to_minutes():
    assert (minutes(1), minutes(12), minutes(0)) == (1, 8, 1)
