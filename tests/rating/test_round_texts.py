"""What a job is given of a round, and under which name a figure of a text is kept."""

from __future__ import annotations

import pytest

from lab.core.errors import LabError
from lab.rating.round_texts import UnitTexts, read_round, text_key
from tests.rating.texts_of_a_round import told, units, write


def test_what_is_written_is_what_is_read(tmp_path):
    rows = [*units(), UnitTexts("one", "q9", "Why?\n", "Because — é\u2028.")]
    assert read_round(write(tmp_path, rows)) == (told(), tuple(rows))
    assert rows[-1].texts() == ("Because — é\u2028.",) and len(rows[0].texts()) == 2


def test_a_round_without_units_is_a_plain_sentence(tmp_path):
    with pytest.raises(LabError, match="no units"):
        read_round(write(tmp_path, []))


def test_a_text_has_another_key_after_a_question():
    assert text_key("a") == text_key("a") != text_key("a", "Why?") != text_key("a", "How?")
    assert len(text_key("a")) == 64
