"""Stamps of a round: they change when anything happens in it, and only then."""

from __future__ import annotations

from storage.queries.rater_sessions import skip
from storage.queries.raters import delete_rater
from storage.queries.round_stamps import people_stamp, rater_counts, round_stamp
from tests.rating.rounds import join, make_round, rate_all, serve


def test_a_stamp_follows_ratings_skips_people_and_nothing_else(store):
    made = make_round(store)

    def stamp():
        with store.read() as session:
            return round_stamp(session, made.id)

    seen = [stamp()]
    first, second = join(store, made.id, "R1", "R2")
    seen.append(stamp())
    rate_all(store, first)
    seen.append(stamp())
    skip(store, second, serve(store, second).submit_key, "technical")
    seen.append(stamp())
    assert stamp() == seen[-1]
    delete_rater(store, made.id, "R1")
    seen.append(stamp())
    assert len(set(seen)) == len(seen)


def test_people_are_counted_by_round_and_noticed_when_they_are_seen(store):
    made = make_round(store)
    with store.read() as session:
        before = people_stamp(session, made.id)
        assert rater_counts(session) == {}
    serve(store, join(store, made.id, "R1", "R2")[0])
    with store.read() as session:
        assert people_stamp(session, made.id) != before and rater_counts(session) == {made.id: 2}
