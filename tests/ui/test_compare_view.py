"""How a conversation looks: what a column tells, what a blind one keeps to itself, and what is not drawn twice."""

from __future__ import annotations

import pytest

from lab.engine.adapt import AdaptationReport, Neighbour
from lab.engine.protocol import Stats
from lab.ui.compare import conversation_view
from lab.ui.compare.asking import Asking, Question
from lab.ui.compare.column_view import Look, identity_words
from lab.ui.compare.columns import Column, column_html, of_record
from lab.ui.compare.conversation import Conversation, PastTurn, Seat
from lab.ui.compare.conversation_view import Drawing, past_html, turn_html
from lab.ui.compare.settings import AskSettings

BASE = Seat("demo-llama", "demo-llama", "base", "demo-llama", "base")
TRACE = Seat("variant:secret-trace", "secret-trace", "trace", "demo-llama", "adapter")
IDENTITY = {"checked": True, "max_difference": 2.1e-7, "tolerance": 1e-4}
REPORT = AdaptationReport(
    mode="nearest", neighbours=(Neighbour(id="m-1", dataset="demo-medical", question="Near?", reply="Yes <b>",
                                          similarity=0.91),),
    n_excluded=2, loss_before=2.31, loss_after=1.98, seconds=1.2, weights_sha256="ab12")


def column(seat: Seat, answer: str = "It is **42**.", **stats) -> Column:
    figures = {"think_state": "closed", "finish_reason": "eos", "n_prompt_tokens": 5, "n_think_tokens": 120,
               "n_answer_tokens": 30, "seconds": 3.0, "first_token_s": 0.21, **stats}
    made = Column(seat.source(), "u-0-0", "done", thought="secret thoughts", answer=answer,
                  stats=Stats(think_text="secret thoughts", final_text=answer, **figures), identity=IDENTITY,
                  health={"failed": ["loops"], "checks": {"loops": {}}}, settings=seat.settings)
    made.think_started, made.think_ended = 0.0, 2.0
    return made


def conversation(blind=False, vote=None, **stats) -> Conversation:
    turn = PastTurn(0, Question("How much?"), [column(BASE), column(TRACE, "It is **43**.", **stats)], vote)
    return Conversation("0123456789ab", [BASE, TRACE], [turn], blind=blind)


def last(told: Conversation, mode="Rendered") -> str:
    return turn_html(told, told.turns[-1], mode, last=True)


def test_a_column_tells_who_answers_what_it_cost_and_how_it_ended():
    html = column_html(column(TRACE, n_waits=2))
    for words in ("secret-trace", "arm-trace", "proven: this adapter alone; differs by ≤ 2e-7",
                  "health: 1 check failed", "120\u202ftokens", "2.0\u202fs", "sent back 2×", "closed",
                  "finished by itself", "150\u202ftokens", "50\u202ftokens/s", "first 210\u202fms",
                  "<strong>42</strong>"):
        assert words in html, words


@pytest.mark.parametrize(("state", "words"), [
    ("forced", "closed by force at its budget"), ("unclosed_length", "cut at the token budget"),
    ("unclosed_eos", "ended inside the thought"),
])
def test_a_thought_that_did_not_end_by_itself_is_marked(state, words):
    assert words in column_html(column(TRACE, think_state=state))


def test_an_identity_is_said_with_its_bound_and_never_where_no_probe_ran():
    assert identity_words(IDENTITY, "base") == "proven: the base, adapters off; differs by ≤ 2e-7"
    assert identity_words({"checked": True, "max_difference": 0.0}, "adapter").endswith("no difference")
    assert identity_words({"checked": False, "max_difference": 0.0}, "base") == identity_words(None, "base") == ""


def test_what_a_model_was_adapted_to_is_shown_behind_a_fold():
    made = column(BASE)
    made.adaptation = REPORT
    html = column_html(made)
    for words in ("Adapted to 1 near example", "loss 2.31 → 1.98", "restored ✓", "similarity 0.91", "Near?",
                  "Yes &lt;b&gt;", "2 near-duplicates"):
        assert words in html, words


def test_answers_are_drawn_plain_or_word_by_word_on_request():
    assert "<strong>42</strong>" in last(conversation())
    assert "It is **42**." in last(conversation(), "Plain")
    assert '<mark class="differs">43</mark>' in last(conversation(), "Differences")


def test_settings_stand_in_each_column_only_where_they_differ():
    assert "greedy" not in last(conversation())
    warm = Seat(*list(vars(TRACE).values())[:5], settings=AskSettings(temperature=0.7, seed=3))
    told = Conversation("u", [BASE, warm], [PastTurn(0, Question("q"), [column(BASE), column(warm)])])
    assert "greedy" in last(told) and "T\u202f0.7 · seed 3" in last(told)


SECRETS = ("demo-llama", "secret", "trace", "arm-base", "tokens", "proven", "health", "Thinking", "thoughts", "forced",
           "budget", "adapted", "killed", "loss", "\u202fs")


@pytest.mark.parametrize("mode", ["Rendered", "Plain", "Differences"])
def test_nothing_of_a_blind_turn_tells_the_models_apart_before_the_vote(mode):
    told = conversation(blind=True)
    for made in told.turns[0].columns:
        made.adaptation = REPORT
    failed = column(TRACE)
    failed.phase, failed.error = "failed", "the engine of demo-llama was killed"
    empty = column(TRACE, "", think_state="unclosed_length", finish_reason="length")
    told = Conversation(told.uid, told.seats, [*told.turns, PastTurn(1, Question("And?"), [failed, empty])], blind=True)
    html = past_html(told, 2, mode) + last(told, mode)
    assert not [word for word in SECRETS if word in html]
    assert ">A<" in html and ">B<" in html and "name after the vote" in html


def test_a_blind_turn_tells_nothing_while_it_streams():
    told = conversation(blind=True)
    columns = [Column(BASE.source(), "n", note="the engine of demo-llama is warming up"),
               Column(TRACE.source(), "m", phase="thinking", thought="secret thoughts")]
    html = Drawing(told, Asking(Question("q"), columns, [[], []], None), "Rendered").html()
    assert not [word for word in SECRETS if word in html] and html.count("working …") == 2


def test_after_the_vote_the_names_and_the_vote_are_told():
    html = last(conversation(blind=True, vote={"choice": "B", "column": 1, "note": "clearer <i>"}))
    assert "B is better" in html and "secret-trace" in html and "clearer &lt;i&gt;" in html
    assert "Edit question" not in html, "what was voted on stays"


def test_a_column_that_has_not_changed_is_not_drawn_again(monkeypatch):
    drawn = []
    plain = conversation_view.column_html
    monkeypatch.setattr(conversation_view, "column_html", lambda *asked: drawn.append(asked[0]) or plain(*asked))
    columns = [Column(BASE.source(), "a"), Column(TRACE.source(), "b")]
    drawing = Drawing(conversation(), Asking(Question("q"), columns, [[], []], None), "Rendered")
    first = drawing.html()
    columns[1].tell("loading")
    assert drawing.html() != first
    assert drawn == [*columns, columns[1]]


def test_a_failed_or_stopped_column_of_the_last_turn_may_be_asked_again_alone():
    told = conversation()
    told.turns[0].columns[1].phase = "failed"
    assert last(told).count("Retry this column") == 1 and 'data-column="1"' in last(told)
    assert "Retry this column" not in past_html(told, 1, "Rendered")


def test_a_stored_answer_looks_as_it_did():
    made = column(TRACE)
    made.adaptation = REPORT
    again = of_record(TRACE.source(), made.name, made.record(1))
    again.health = made.health
    assert column_html(again, Look()) == column_html(made, Look())
