"""What the Benchmarks page asks: answers by verdict, outcome and rule, runs with a curve, whether there is news."""

from __future__ import annotations

import pytest

from storage.queries.reviews import store_review
from storage.queries.run_views import (
    Wanted,
    read_by,
    rules_of,
    runs_token,
    runs_with_curve,
    wanted_pairs,
    wanted_samples,
)
from storage.tables import BenchmarkRun, BenchmarkSample
from tests.stores import new_store
from tests.ui.small_runs import add_run


@pytest.fixture
def store(tmp_path):
    made = new_store(tmp_path)
    yield made
    made.close()


def test_answers_are_asked_for_by_verdict_outcome_rule_and_words_together(store):
    run = add_run(store)  # four unparsed, four by each of two rules

    def total(**wanted) -> int:
        with store.read() as session:
            rows, found = wanted_samples(session, run, Wanted(**wanted), limit=None)
        assert len(rows) == found
        return found

    assert (total(), total(verdict="right"), total(verdict="wrong")) == (12, 8, 4)
    assert total(outcome="unparsed") == 4 and total(outcome="unparsed", verdict="right") == 0
    assert total(rule="boxed") == 4 and total(rule="boxed", search="(11)") == 1 and total(search="q-00") == 10
    assert total(outcome="overlap") == total(outcome="truncated") == 0


def test_a_page_of_answers_knows_how_many_there_are(store):
    run = add_run(store)
    with store.read() as session:
        rows, total = wanted_samples(session, run, Wanted(), offset=10, limit=5)
    assert [row.item_id for row in rows] == ["q-010", "q-011"] and total == 12


def test_pairs_join_what_was_asked_alike_and_tell_the_kinds_of_disagreement(store):
    first, second = add_run(store, "one"), add_run(store, "two")
    with store.write() as session:
        rows, _ = wanted_samples(session, second, Wanted(), limit=None)
        rows[0].correct, rows[0].parsed = True, "B"  # the first has it wrong
        rows[5].correct, rows[5].finish_reason = False, "length"  # the first has it right
        rows[9].rotation = 1  # asked with its options turned
        session.add_all([rows[0], rows[5], rows[9]])

    def items(**wanted) -> list[str]:
        with store.read() as session:
            return [pair.item_id for pair in wanted_pairs(session, (first, second), Wanted(**wanted), limit=None)[0]]

    assert len(items()) == 11 and "q-009" not in items()
    assert items(verdict="a_only") == ["q-005"] and items(verdict="b_only") == ["q-000"]
    assert items(verdict="differ") == ["q-000", "q-005"] and items(verdict="read_differently") == ["q-000"]
    assert items(outcome="truncated") == ["q-005"]  # of either of the two
    assert len(items(verdict="both_right")) == 6 and len(items(verdict="both_wrong")) == 3


def test_rules_are_counted_over_the_runs(store):
    runs = [add_run(store, "one"), add_run(store, "two", n=6)]
    with store.read() as session:
        assert dict(rules_of(session, runs)) == {"answer line": 6, "boxed": 6, "no explicit answer": 6}
        assert rules_of(session, []) == []


def test_the_token_changes_with_every_run(store):
    def token() -> str:
        with store.read() as session:
            return runs_token(session)

    seen = {token()}
    for label in ("one", "two"):
        add_run(store, label)
        seen.add(token())
    assert len(seen) == 3


def test_a_run_has_a_curve_when_its_job_left_smaller_budgets_of_it(store):
    whole, other = add_run(store, "one"), add_run(store, "two")
    with store.write() as session:
        job = session.get_one(BenchmarkRun, whole).job_id
        values = session.get_one(BenchmarkRun, whole).model_dump(exclude={"id"})
        for way, budget in (("cut", 16), ("forced", 16)):
            session.add(BenchmarkRun(**values | {"job_id": job, "part": f"{way} {budget}", "figures": {
                "curve": {"of": "", "way": way, "budget": budget}}}))
    with store.read() as session:
        assert [run.id for run in runs_with_curve(session)] == [whole]
        assert [run.id for run in runs_with_curve(session, benchmark="demo-medical", base="demo-llama")] == [whole]
        assert runs_with_curve(session, benchmark="other") == [] and other != whole


def test_what_a_reviewer_has_read_is_of_one_run_and_one_name(store):
    first, second = add_run(store, "one"), add_run(store, "two")
    with store.write() as session:
        mine, theirs = (wanted_samples(session, run, Wanted(), limit=1)[0][0].id for run in (first, second))
        store_review(session, mine, "Ann", "B")
        store_review(session, theirs, "Ann", "B")
    with store.read() as session:
        assert read_by(session, first, "Ann") == {mine} and read_by(session, first, "Ben") == set()
        assert session.get_one(BenchmarkSample, mine).run_id == first
