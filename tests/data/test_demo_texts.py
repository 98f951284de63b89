"""The demo's notes: invented, short, with the facts of two problems each; what is no such note is of a known kind."""

from __future__ import annotations

import re
from collections import Counter

from lab.data.demo.families import FIELDS
from lab.data.demo.texts import COUNTS, demo_notes
from lab.data.texts import resolve_texts

NOTES = demo_notes()


def test_the_set_holds_every_note_once_and_counts_the_repeated_ones():
    loaded = resolve_texts("demo-texts").read()
    assert len(loaded.rows) == len({note.text for note in NOTES}) == resolve_texts("demo-texts").n_rows
    assert loaded.skipped == {"the same text again": COUNTS["repeated"]}
    assert len({row.id for row in loaded.rows}) == len(loaded.rows)


def test_there_are_as_many_notes_of_each_kind_as_were_set():
    assert Counter(note.kind for note in NOTES) == COUNTS and len(NOTES) == 200


def test_a_clinical_note_carries_the_facts_of_two_medical_problems_of_the_train_split():
    for note in NOTES:
        if note.kind == "clinical":
            assert len(note.problems) == 2 and {problem.split() for problem in note.problems} == {"train"}
            assert all(problem.family in FIELDS["medical"] for problem in note.problems)
            numbers = set(re.findall(r"\d+", note.text))
            for problem in note.problems:
                values = [value for _, value in problem.readings if value.isdigit()]
                assert set(values) <= numbers, note.text


def test_an_off_topic_note_tells_of_no_patient_and_a_trivial_one_of_single_facts():
    off_topic = [problem for note in NOTES if note.kind == "off topic" for problem in note.problems]
    assert off_topic and all(problem.family in FIELDS["general"] for problem in off_topic)
    trivial = [note for note in NOTES if note.kind == "trivial"]
    assert trivial and all(len(note.facts) == 2 and not note.problems for note in trivial)


def test_notes_are_short():
    assert all(60 < len(note.text) < 1500 for note in NOTES)
