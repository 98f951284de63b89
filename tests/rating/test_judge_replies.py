"""A judge's reply is read as it stands or not at all."""

from __future__ import annotations

import pytest

from lab.rating.judge_replies import Said, read_reply

GOOD = '{"fluency_A": 4, "fluency_B": 2, "better": "A"}'


@pytest.mark.parametrize(("reply", "said"), [
    (GOOD, Said(4, 2, "first")),
    (f"```json\n{GOOD}\n```", Said(4, 2, "first")), (f" \n{GOOD} ", Said(4, 2, "first")),
    ('{"better": "tie", "fluency_B": 3, "fluency_A": 3}', Said(3, 3, "tie")),
    ('{"FLUENCY_A": 1, "fluency_b": 5, "Better": "b"}', Said(1, 5, "second")),
    ("Fluency A: 4\nFluency B: 2\nBetter: A", Said(4, 2, "first")),
    ("**Better:** tie\n\nfluency_a = 5/5\nfluency_b = 5/5.", Said(5, 5, "tie")),
    (f"I would say {GOOD}", None), (f"{GOOD}\nBecause A reads better.", None), (f"{GOOD} {GOOD}", None),
    *((f'{{"fluency_A": {score}, "fluency_B": 2, "better": "A"}}', None) for score in
      ("6", "0", "-1", '"4"', "true", "4.0", "null", "[4]", "NaN")),
    ('{"fluency_A": 4, "fluency_B": 2, "better": "both"}', None), ('{"fluency_A": 4, "fluency_B": 2}', None),
    ('{"fluency_A": 4, "fluency_B": 2, "better": ["A"]}', None),
    ('{"fluency_A": 4, "fluency_A": 1, "fluency_B": 2, "better": "A"}', None),
    ('{"fluency_A": 4, "fluency_B": 2, "better": "A", "why": "x"}', None), ("[4, 2]", None), ("A", None), ("", None),
    ("Fluency A: 4\nFluency B: 2", None), ("Fluency A: 4\nFluency A: 4\nBetter: A", None),
    ("Fluency A: 4\nFluency B: 2\nBetter: A\nA is better.", None), ("Fluency A: four\nFluency B: 2\nBetter: A", None),
    ("Fluency A: 1 to 5\nFluency B: 2\nBetter: A", None), ("Fluency A: 4\nFluency B: 2\nBetter: neither", None),
    ("{" * 5000, None), ('{"a":' * 3000, None),
])
def test_a_reply_counts_only_when_it_is_what_was_asked_for(reply, said):
    assert read_reply(reply) == said


def test_of_a_single_text_one_score_is_read_and_nothing_else():
    assert read_reply('{"fluency_A": 4}', pair=False) == Said(4) == read_reply("Fluency A: 4", pair=False)
    assert read_reply(GOOD, pair=False) is None and read_reply('{"fluency_A": 4}') is None
