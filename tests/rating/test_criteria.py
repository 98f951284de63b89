"""Optional scales: which there are, and that each can be read in every language."""

from __future__ import annotations

import pytest

from lab.core.errors import UnknownName
from lab.rating.criteria import LAB, MOOVE, criteria
from lab.rating.wording import languages, wording


def test_there_are_the_labs_four_and_the_nine_of_the_protocol():
    assert len(LAB) == 4 and len(MOOVE) == len(set(MOOVE)) == 9
    assert tuple(criteria()) == (*LAB, *(name for name in MOOVE if name not in LAB))
    assert "MOOVE" in criteria()["fairness"].source and "MOOVE" not in criteria()["harm"].source
    assert "MOOVE" in criteria()["clarity"].source and criteria()["clarity"].source.startswith("the lab")


@pytest.mark.parametrize("language", languages())
def test_every_criterion_has_its_question_and_both_ends_in_every_language(language):
    assert set(wording(language).criteria) == set(criteria())
    titles = set()
    for criterion in criteria().values():
        words = criterion.words(language)
        assert words.question.endswith("?") and words.low and words.high and words.low != words.high
        titles.add(words.title)
    assert len(titles) == len(criteria())


def test_a_criterion_that_is_not_there_is_named_with_its_near_miss():
    with pytest.raises(UnknownName, match="clarity"):
        criteria()["clarty"]
