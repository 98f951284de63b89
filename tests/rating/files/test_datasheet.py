"""datasheet.md says what the design and the data know, asks for the rest, and claims nothing else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lab.rating.files.datasheet import ASK, datasheet
from lab.rating.files.design_file import results
from tests.rating.files.made import made


def sheet(contents) -> str:
    return datasheet(contents, results(contents))


def test_design_counts_exclusions_and_agreement_are_filled_in():
    text = sheet(made(gold_every=10))
    for part in ("12 ratings of 6 units and 6 questions by 2 raters count", "truncated 2", "level: native 2",
                 "Skipped: language 1. Corrected: 1", "Definition: Fluency is", "- 5: Effortless", "one in 10",
                 "Krippendorff's alpha (fluency, ordinal):", "Bank of traces"):
        assert part in text, part
    assert text.count(ASK) == 6  # purpose, funding, registration, questions, recruitment, limits


def test_early_unblinding_is_told():
    contents = made()
    opened = replace(contents, facts=replace(contents.facts, unblinded_at="2026-04-30T09:00:00Z"))
    assert "opened early, 2026-04-30T09:00:00Z" in sheet(opened) and "opened early" not in sheet(contents)


@pytest.mark.parametrize(("task", "there", "not_there"), [
    ("preference", "Preference: Which", "Effortless"), ("fluency", "Effortless", "Preference: Which")])
def test_only_what_was_asked_is_described(task, there, not_there):
    text = sheet(made(task=task))
    assert there in text and not_there not in text


def test_a_round_that_nobody_rated_has_a_datasheet_without_figures():
    text = sheet(replace(made(), said=(), people=()))
    assert "0 ratings of 0 units" in text and "not asked, or no ratings" in text and "not measured" in text
