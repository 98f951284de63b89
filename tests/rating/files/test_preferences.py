"""preferences.jsonl: one line a unit with a majority, its share told, ties out."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from lab.core.errors import SpecError
from lab.rating.files.contents import Contents, Said
from lab.rating.files.preferences import preferences_jsonl
from lab.rating.files.writing import Form
from tests.rating.files.made import made
from tests.rating.made_rows import row


def voted(*votes: str, **more) -> Contents:
    """Votes of as many raters on one unit, whose text a is 'text a'."""
    contents = made()
    unit = replace(contents.units[0], uid="u-q1", model_a="base", model_b="trace", text_a="text a", text_b="text b")
    rows = [row("q1", f"R{place}", 3, 3, vote, a_left=bool(place % 2), **more) for place, vote in enumerate(votes)]
    return replace(contents, units=(unit,), said=tuple(Said(one, 1, True) for one in rows))


def test_the_majority_decides_and_the_votes_are_given():
    (line,) = [json.loads(text) for text in preferences_jsonl(voted("b", "b", "a", "tie", "both_bad")).splitlines()]
    assert (line["chosen"], line["rejected"], line["chosen_model"]) == ("text b", "text a", "trace")
    assert (line["votes_chosen"], line["votes_rejected"], line["votes_tie"], line["share"]) == (2, 1, 2, 0.6667)


@pytest.mark.parametrize("votes", [("a", "b"), ("tie",), ("both_bad", "tie"), ()])
def test_even_votes_ties_and_unrated_units_are_left_out(votes):
    assert preferences_jsonl(voted(*votes)) == ""


@pytest.mark.parametrize(("least", "n"), [(0.5, 1), (0.66, 1), (0.67, 0), (1.0, 0)])
def test_a_weaker_majority_than_asked_for_is_left_out(least, n):
    assert preferences_jsonl(voted("a", "a", "b"), least).count("\n") == n


def test_late_ratings_golds_and_old_versions_do_not_vote():
    assert preferences_jsonl(voted("a", surplus=True)) == "" == preferences_jsonl(voted("a", role="repeat"))
    contents = voted("a")
    assert preferences_jsonl(replace(contents, said=(replace(contents.said[0], current=False),))) == ""


@pytest.mark.parametrize("share", [0.4, 1.1])
def test_a_share_that_no_majority_can_have_is_refused(share):
    with pytest.raises(SpecError, match="from 0.5 to 1"):
        Form(least_agreement=share).check()
