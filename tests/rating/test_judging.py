"""A language model as one more rater: asked in both orders, heard only when it says exactly what was asked for."""

from __future__ import annotations

import json
import re

import pytest

from lab.core.context import MemoryContext, Stopped
from lab.core.errors import LabError, SpecError
from lab.core.spec import load_spec
from lab.core.types import ModelSource
from lab.engine import scripts
from lab.engine.protocol import EngineClient
from lab.engine.scripted import scripted_engine
from lab.rating.judging import TASK, RoundJudgeSpec, Vote, judge_prompt, summary, vote
from lab.rating.round_texts import RoundTold, UnitTexts, round_lines
from tests.rating.texts_of_a_round import REF, told, units, write

UNIT = UnitTexts("u", "q", "Why {braces}?", "First text {0}.", "Second text.")
SINGLE = UnitTexts("s", "q", "Why?", "Only text.")
GOOD = '{"fluency_A": 4, "fluency_B": 2, "better": "A"}'


def test_the_judge_reads_what_raters_read_and_the_texts_change_places():
    one, other = (judge_prompt(told(), UNIT, a_first)[0]["content"] for a_first in (True, False))
    assert told().definition in one and all(f"{i}: {text}" in one for i, text in enumerate(told().anchors, 1))
    assert "<text_A>\nFirst text {0}.\n</text_A>\n<text_B>\nSecond text.\n</text_B>" in one and "Why {braces}?" in one
    assert "<text_A>\nSecond text.\n</text_A>\n<text_B>\nFirst text {0}.\n</text_B>" in other
    assert "text_B" not in judge_prompt(told(), SINGLE, True)[0]["content"]


def test_a_vote_is_turned_back_to_the_models():
    said = vote(UNIT, True, GOOD), vote(UNIT, False, GOOD)
    assert [(one.verdict, one.fluency_a, one.fluency_b) for one in said] == [("a", 4, 2), ("b", 2, 4)]
    tie = vote(UNIT, False, '{"fluency_A": 3, "fluency_B": 4, "better": "tie"}')
    assert (tie.verdict, tie.fluency_a, tie.fluency_b) == ("tie", 4, 3)
    single = vote(SINGLE, True, '{"fluency_A": 4}')
    assert (single.verdict, single.fluency_a, single.fluency_b, single.readable) == (None, 4, None, True)


def test_a_reply_that_was_cut_says_nothing():
    cut = vote(UNIT, True, GOOD, finished=False)
    assert (cut.verdict, cut.fluency_a, cut.readable, cut.cut, cut.reply) == (None, None, False, True, GOOD)


def test_the_figures_tell_a_judge_that_goes_by_place_from_one_that_reads():
    def votes(*verdicts):
        return [Vote(unit=f"u{i // 2}", a_first=i % 2 == 0, verdict=verdict, fluency_a=3, fluency_b=3, reply="",
                     readable=verdict is not None) for i, verdict in enumerate(verdicts)]

    by_place = summary(votes("a", "b", "a", "b", "a", "b"))
    assert by_place["consistent"]["share"] == 0 and by_place["first_preferred"]["share"] == 1
    reads = summary(votes("a", "a", "b", "b", "tie", "tie", "a", None))
    assert reads["consistent"]["share"] == 1 and reads["consistent"]["n"] == 3
    assert reads["first_preferred"] == {"n": 5, "share": 0.6} | {key: reads["first_preferred"][key]
                                                               for key in ("low", "high")}
    assert reads["verdicts"] == {"a": 3, "tie": 2, "b": 2} and reads["n_unread"] == 1 and reads["n_units"] == 4
    assert summary([])["consistent"]["share"] is None


@pytest.mark.parametrize(("values", "fault"), [
    ({"units": "r1", "model": "demo-llama"}, "round:<uid>"),
    ({"units": "round:", "model": "demo-llama"}, "round:<uid>"),
    ({"units": REF, "model": "demo-lama"}, "demo-llama"),
    ({"units": REF, "model": "demo-llama", "temperature": 1}, "temperature"),
])
def test_a_wrong_spec_is_refused_with_what_to_write(values, fault):
    with pytest.raises(SpecError) as caught:
        load_spec(RoundJudgeSpec, values)
    assert fault in str(caught.value)


def _words(request, question):
    """A judge that finds the shorter text better, fails to say so on one unit and is cut on another."""
    first, second = re.search(r"<text_A>\n(.*)\n</text_A>\n<text_B>\n(.*)\n</text_B>", question, re.S).groups()
    if "antibiotics cure" in question:
        return "The first text is better.".split(" "), "eos", False
    better = "A" if len(first) < len(second) else "B"
    reply = f'{{"fluency_A":{4 if better == "A" else 2},"fluency_B":{4 if better == "B" else 2},"better":"{better}"}}'
    return [reply], "length" if "sleep" in question else "eos", False


@pytest.fixture
def context(tmp_path, monkeypatch):
    monkeypatch.setattr(scripts, "_words", _words)
    with scripted_engine() as url:
        client = EngineClient(url)
        client.load(ModelSource(ref="j", label="j-plain", base="scripted", folder="there", kind="adapter"))
        client.close()
        source = ModelSource(ref="remote:j", label="j-plain", base="j", kind="remote", url=f"{url}/v1",
                             remote_model="j-plain")
        yield MemoryContext(tmp_path / "out", models={"remote:j": source}, files={REF: write(tmp_path)})


def _rows(context):
    return [json.loads(line) for line in (context.folder / "votes.jsonl").read_text().splitlines()]


SPEC = RoundJudgeSpec(units=REF, model="remote:j", batch_size=2)


def test_a_round_is_judged_in_both_orders_and_what_was_not_read_is_counted(context):
    result = TASK.load()(SPEC, context)
    rows = _rows(context)
    assert len(rows) == 6 == result["n_votes"] and {(row["unit"], row["a_first"]) for row in rows} == {
        (unit.unit, a_first) for unit in units() for a_first in (True, False)}
    clear = [row for row in rows if row["unit"] == "both-clear"]
    assert {(row["verdict"], row["fluency_a"], row["fluency_b"]) for row in clear} == {("b", 2, 4)}
    assert result["n_unread"] == 4 and result["n_cut"] == 2 and result["consistent"]["n"] == 1
    assert result["judge"] == "j-plain" and result["round"] == "r1" and result["told"]["anchors"] == [*told().anchors]
    json.dumps(result)


def test_a_judge_that_was_stopped_goes_on_where_it_was(context):
    context.stop = True
    with pytest.raises(Stopped, match="of 6 readings are kept"):
        TASK.load()(SPEC, context)
    kept = (context.checkpoints.folder / "rows.jsonl").read_text().splitlines()
    assert 0 < len(kept) < 6 and context.checkpoints.last_whole().step == len(kept)
    context.stop = False
    TASK.load()(SPEC, context)
    assert [json.dumps(row) for row in _rows(context)][: len(kept)] == kept and len(_rows(context)) == 6


def test_a_round_that_is_judged_asks_nobody_again(context):
    TASK.load()(SPEC, context)
    before = _rows(context)
    context.models["remote:j"] = context.models["remote:j"].model_copy(update={"url": "http://127.0.0.1:9/v1"})
    TASK.load()(SPEC, context)
    assert _rows(context) == before


def test_a_unit_that_the_judge_cannot_hold_is_counted_and_the_others_are_judged(tmp_path):
    short = [UnitTexts("short", "q1", "1+1?", "2.", "Two."), UnitTexts("long", "q2", "1+1?", "one " * 400, "Two.")]
    brief = RoundTold("r1", "en", "Fluency.", ("1", "2", "3", "4", "5"))
    path = tmp_path / "units.jsonl"
    path.write_text(round_lines(brief, short))
    context = MemoryContext(tmp_path / "out", files={REF: path})
    result = TASK.load()(RoundJudgeSpec(units=REF, model="demo-llama", max_new_tokens=8), context)
    votes = {(row["unit"], row["too_long"]) for row in _rows(context)}
    assert votes == {("short", False), ("long", True)} and result["n_too_long"] == 2 and result["n_unread"] == 4
    path.write_text(round_lines(brief, short[1:]))
    again = MemoryContext(tmp_path / "other" / "out", files={REF: path})
    with pytest.raises(LabError, match="name a judge with a longer context"):
        TASK.load()(RoundJudgeSpec(units=REF, model="demo-llama"), again)
