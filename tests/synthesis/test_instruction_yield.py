"""Counts add up at every moment of a job: what came in is a row, was dropped for a reason, or is open."""

from __future__ import annotations

from lab.data.texts import Text
from lab.synthesis.instruction_yield import STAGES, counts_of, dropped_rows, funnel_of
from lab.synthesis.machine import Reply
from lab.synthesis.preferences import pair_of, row_of
from lab.synthesis.text_state import TextState
from tests.synthesis.scripted_texts import COMMON, COMPLEX, Script, better, grade, long, machine

KINDS = {
    "common": COMMON, "paired": COMPLEX, "leak": {**COMMON, "grade": [grade(leaks=True)]},
    "mute": {**COMMON, "instructions": [""]}, "no grade": {**COMMON, "grade": ["?"]},
    "one grade": {**COMMON, "grade": ["?", "?", grade()]},
    "no answer": {**COMMON, "answer": ["<think>"]}, "no long answer": {**COMPLEX, "long_answer": ["Colchicine."]},
    "half long": {**COMPLEX, "long_answer": ["Colchicine.", "Colchicine.", long("Urate crystals", "Rest it")]},
    "biased": {**COMPLEX, "compare": [better("A")]}, "same": {**COMPLEX, "direct": ["colchicine then ALLOPURINOL"]},
    "refused": {**COMMON, "instructions": [Reply(text="too long", finish="refused")]},
    "no place": {**COMMON, "department": ["Ward 5"]},
}


def walks() -> list[list[TextState]]:
    """Every state of one text of each kind, from its beginning to its end."""
    worker, found = machine(judge="remote:j", samples=2), []
    for name, said in KINDS.items():
        script, states = Script(said), [worker.begin(Text(id=name, text="Gout comes of urate."))]
        while not states[-1].done:
            states.append(worker.step(states[-1], script(worker.ask(states[-1]))))
        found.append(states)
    return found


def sums(states: list[TextState]) -> None:
    funnel = funnel_of(states)
    n = {stage.name: stage.n for stage in funnel.stages}
    assert tuple(n) == STAGES and list(n.values()) == sorted(n.values(), reverse=True) and n["texts"] == len(states)
    before = STAGES[:STAGES.index("answered")]
    lost = {name: sum(each.n for each in funnel.dropped if each.stage == name) for name in STAGES}
    n_rows = sum(row_of(state) is not None for state in states)
    assert len(states) == n_rows + sum(lost[name] for name in before) + funnel.n_open
    assert n["paired"] >= (n_pairs := sum(pair_of(state) is not None for state in states))
    assert sum(lost.values()) == len(dropped_rows(states)) and not lost["answered"] and not lost["paired"]
    if not funnel.n_open:
        assert n["answered"] == n_rows and n["paired"] == n_pairs and n["complex"] == n_pairs + lost["complex"]
        for stage, following in zip(before, STAGES[1:], strict=False):
            assert n[stage] - n[following] == lost[stage]


def test_the_funnel_adds_up_at_every_moment() -> None:
    every = walks()
    for moment in range(max(map(len, every))):
        sums([states[min(moment, len(states) - 1)] for states in every])


def test_what_was_dropped_is_named_with_its_stage_and_reason() -> None:
    ended = [states[-1] for states in walks()]
    n = {stage.name: stage.n for stage in funnel_of(ended).stages}
    assert n == {"texts": 13, "questions": 11, "graded": 10, "selected": 9, "answered": 7, "complex": 4, "paired": 2}
    assert [(each.stage, each.outcome, each.items) for each in funnel_of(ended).dropped] == [
        ("texts", "questions empty", ("mute",)), ("texts", "questions refused by the endpoint", ("refused",)),
        ("questions", "grade unread", ("no grade",)), ("graded", "leaks its source", ("leak",)),
        ("selected", "answer unread", ("no answer",)), ("selected", "long answer unread", ("no long answer",)),
        ("complex", "judge inconsistent", ("biased",)), ("complex", "the same answer", ("same",)),
    ]
    by_id = {row["id"]: row for row in dropped_rows(ended)}
    assert by_id["leak"]["question"] == "What causes gout?" and by_id["mute"]["question"] == ""
    assert set(by_id["biased"]) == {"id", "stage", "outcome", "why", "question"}
    assert all(row["why"] for row in by_id.values())


def test_everything_else_that_is_lost_on_the_way_is_counted_too() -> None:
    counts = counts_of([states[-1] for states in walks()])
    assert counts["departments_unread"] == 1 and counts["texts_cut"] == 0
    assert counts["questions_discarded"] == {"grade unread": 3, "leaks its source": 2}
    assert counts["long_answers_lost"] == {"the same again": 3, "answer unread": 3}
    assert counts["replies_unread"]["grade: no JSON"] == 6 and counts["replies_unread"]["instructions: refused"] == 1
    assert counts["judge"] == {"pairs": {"wins": 2, "inconsistent": 1, "orders_decided": 6, "first_preferred": 4}}


def test_nothing_begun_is_all_open() -> None:
    worker = machine()
    funnel = funnel_of([worker.begin(Text(id=str(n), text="words")) for n in range(3)])
    assert funnel.n_open == 3 and [stage.n for stage in funnel.stages] == [3, 0, 0, 0, 0, 0, 0] and not funnel.dropped
    assert funnel_of([]).n_open == 0
