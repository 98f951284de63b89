"""A free reply is right when it states the gold answer where replies conclude, and does not deny it."""

from __future__ import annotations

import pytest

from lab.core.types import Example
from lab.verify.verifier import verify

ROW = Example(id="m", question="?", answer="x", gold="Chronic subdural hematoma", verifier="mention")


@pytest.mark.parametrize("said", [
    "Chronic subdural hematoma.",
    "The most likely diagnosis is a chronic subdural hematoma. It bleeds slowly.",
    "He is old and fell. A stroke is not likely here. So this is **chronic subdural hematoma**.",
    "It is not a stroke, but a chronic subdural hematoma.",
    "He fell.\nAnswer: chronic subdural hematoma",
    "Answer: a chronic subdural hematoma, by its age",
])
def test_the_gold_answer_stated_at_either_end_is_right(said):
    assert verify(said, ROW).correct


@pytest.mark.parametrize("said", [
    "",
    "This is an epidural hematoma. One might think of chronic subdural hematoma. It is not that.",
    "This is not chronic subdural hematoma.",
    "An epidural hematoma is more likely here; this rules out chronic subdural hematoma.",
    "Chronic epidural or subdural hematoma.",
    "A chronic hematoma.",
    "Chronic subdural hematoma is a thought.\nAnswer: stroke",
])
def test_what_is_denied_weighed_in_between_or_said_in_other_words_is_not(said):
    assert not verify(said, ROW).correct


def test_a_reply_without_the_gold_is_unparsed_and_not_guessed():
    score = verify("This is a stroke.", ROW)
    assert score.parsed is None and score.rule == "gold answer not stated"
    assert verify("Answer: stroke", ROW).parsed == "stroke"


def test_the_gold_answer_itself_is_right_whatever_its_marks():
    for gold in ("Vitamin B12", "5-fluorouracil", "α-1 antitrypsin", "Grave's disease", "10 mg/kg", "T4-T6"):
        row = ROW.model_copy(update={"gold": gold})
        assert verify(f"Answer: {gold}", row).correct and verify(f"I would say {gold}.", row).correct, gold
