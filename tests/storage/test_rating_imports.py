"""A round goes to another lab and its votes come home: the same analysis as if they had been given here.

Whatever is wrong with a file: one sentence, and nothing is stored.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from lab.core.errors import LabError
from lab.rating.files.bundle import Bundle, pack, unpack
from lab.rating.verdicts import Verdict
from storage.database import open_store
from storage.queries.rater_sessions import skip, submit, undo_last
from storage.queries.raters import delete_rater
from storage.queries.rating_contents import blinding_of
from storage.queries.rating_events import events
from storage.queries.rating_exports import bundle
from storage.queries.rating_imports import Imported, import_round, import_votes, receive
from storage.queries.rating_sending import to_send, votes
from storage.queries.ratings import progress
from storage.queries.round_results import rating_rows, round_results
from storage.queries.rounds import close_round
from storage.tables import Assignment, BlindGuess, Rater, Rating, RatingEvent, Round, Unit
from tests.rating.rounds import A, B, join, make_round, rate_all, rows_of, serve
from tests.storage.two_labs import edited, edited_design, open_away, rate_by_text, read, score, sent_to

TABLES = (Round, Unit, Rater, Assignment, Rating, RatingEvent, BlindGuess)


@pytest.fixture
def away(tmp_path):
    opened = open_away(tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def home(sqlite_store):
    return sqlite_store


def counts(store) -> dict[str, int]:
    return {table.__name__: len(rows_of(store, table)) for table in TABLES}


@pytest.mark.parametrize("task", ["both", "preference", "fluency"])
def test_votes_from_elsewhere_say_at_home_what_the_same_raters_would_have_said_here(home, away, task):
    made = make_round(home, task=task, gold_every=4)
    there = sent_to(home, away, made.id)
    for rater in join(away, there.id, "R1", "R2"):
        if task == "fluency":
            rate_one_by_one(away, rater)
        else:
            rate_by_text(away, rater) if task == "both" else rate_preferences(away, rater)
    found = import_votes(home, votes(away, there.id))
    assert (found.round_id, found.n_known, found.n_raters, found.n_surplus) == (made.id, 0, 2, 0)
    texts = {unit.uid: unit for unit in rows_of(home, Unit)}
    with home.read() as session:
        rows = rating_rows(session, made.id)
    assert len(rows) == found.n_new > 0 and {row.kind for row in rows} == {"sent"}
    for row in rows:
        unit = texts[row.unit]
        a, b = score(unit.text_a), score(unit.text_b)
        if task != "preference":
            assert row.fluency_a == a and (task == "fluency" or row.fluency_b == b)
        if task != "fluency":
            assert row.preferred == ("a" if a > b else "b" if b > a else "tie")


def rate_one_by_one(store, rater) -> None:
    while served := serve(store, rater):
        submit(store, rater, served.submit_key, Verdict(score(served.left)))


def rate_preferences(store, rater) -> None:
    while served := serve(store, rater):
        submit(store, rater, served.submit_key, replace(read(served), fluency_left=None, fluency_right=None))


def test_the_results_at_home_are_those_of_the_other_lab_with_names(home, away):
    made = make_round(home)
    there = sent_to(home, away, made.id)
    for rater in join(away, there.id, "R1", "R2"):
        rate_by_text(away, rater)
    data = votes(away, there.id)
    assert import_votes(home, data).n_surplus == 0
    for store, one in ((home, made), (away, there)):
        close_round(store, one.id)
    with away.read() as session:
        elsewhere = round_results(session, there.id)
    with home.read() as session:
        here = round_results(session, made.id)
        names = {letter: model for model, letter in blinding_of(session, made).names.items()}
    blind = {(names[c.a], names[c.b]): c for c in elsewhere.contrasts}
    for contrast in here.contrasts:
        same = blind.get((contrast.a, contrast.b))
        other, sign = (same, 1) if same else (blind[contrast.b, contrast.a], -1)
        assert contrast.fluency.difference.estimate == pytest.approx(sign * other.fluency.difference.estimate)
        assert contrast.win.rate.estimate - 0.5 == pytest.approx(sign * (other.win.rate.estimate - 0.5))
        assert contrast.fluency.p_value == pytest.approx(other.fluency.p_value, abs=0.02)
    assert here.agreement.scores.alpha == pytest.approx(elsewhere.agreement.scores.alpha)


def test_votes_come_once_however_often_they_are_sent(store, tmp_path):
    away = open_away(tmp_path / "there")
    made = make_round(store, n_items=6)
    there = sent_to(store, away, made.id)
    (rater,) = join(away, there.id, "R1")
    rate_by_text(away, rater, most=2)
    first = votes(away, there.id)
    assert (import_votes(store, first).n_new, import_votes(store, first).n_new) == (2, 0)
    before = counts(store)
    assert import_votes(store, first).n_known == 2
    assert counts(store) == before | {"RatingEvent": before["RatingEvent"] + 1}
    rate_by_text(away, rater, most=3)
    found = import_votes(store, votes(away, there.id))
    assert (found.n_new, found.n_known) == (3, 2) and "3 new ratings" in found.sentence
    assert import_votes(store, first).n_new == 0  # an older file takes nothing back
    with store.read() as session:
        assert progress(session, made.id).n_ratings == 5
        trail = [event.kind for event in events(session, made.id) if event.rater_id]
    with away.read() as session:
        assert trail == [event.kind for event in events(session, there.id) if event.rater_id]
    away.close()


def test_a_correction_after_the_first_sending_comes_as_a_second_version(home, away):
    made = make_round(home)
    there = sent_to(home, away, made.id)
    (rater,) = join(away, there.id, "R1")
    rate_by_text(away, rater, most=1)
    import_votes(home, votes(away, there.id))
    undo_last(away, rater)
    import_votes(home, votes(away, there.id))  # the correction is open: the verdict that stands counts
    submit(away, rater, serve(away, rater).submit_key, read(serve(away, rater)))
    assert import_votes(home, votes(away, there.id)).n_new == 1
    assert [rating.version for rating in rows_of(home, Rating)] == [1, 2]
    assert [row.state for row in rows_of(home, Assignment) if row.done_at] == ["done"]


def test_votes_beyond_the_quota_are_kept_as_surplus_while_own_raters_rate(home, away):
    made = make_round(home, quota=1, n_items=6)
    there = sent_to(home, away, made.id)
    (mine,) = join(home, made.id, "R1")
    rate_by_text(home, mine, most=2)
    held = serve(home, mine)  # on the screen while the votes come: its place is taken
    (rater,) = join(away, there.id, "R1")
    assert rate_by_text(away, rater) == 6
    found = import_votes(home, votes(away, there.id))
    assert (found.n_new, found.n_surplus) == (6, 3) and "3 of them beyond the quota" in found.sentence
    submit(home, mine, held.submit_key, read(held))
    assert serve(home, mine) is None
    with home.read() as session:
        counted = progress(session, made.id)
        rows = rating_rows(session, made.id)
    assert (counted.n_ratings, counted.n_needed, counted.n_complete, counted.n_surplus) == (6, 6, 6, 3)
    assert Counter((row.kind, row.surplus) for row in rows) == {
        ("invited", False): 3, ("sent", False): 3, ("sent", True): 3}


def test_raters_from_elsewhere_keep_their_code_or_get_one_that_is_free_and_cannot_enter(home, away):
    made = make_round(home)
    there = sent_to(home, away, made.id)
    join(home, made.id, "R1")
    join(away, there.id, "R1", "R7")
    import_votes(home, votes(away, there.id))
    assert [(rater.code, rater.kind) for rater in rows_of(home, Rater)] == [
        ("R1", "invited"), ("sent R1", "sent"), ("R7", "sent")]
    hashes = {rater.token_hash for rater in rows_of(away, Rater)}
    assert not hashes & {rater.token_hash for rater in rows_of(home, Rater)}


def test_skips_practice_repeats_and_golds_come_home_as_what_they_are(home, away):
    made = make_round(home, n_items=24, gold_every=8, repeat_share=0.1)
    there = sent_to(home, away, made.id)
    (rater,) = join(away, there.id, "R1")
    skip(away, rater, serve(away, rater).submit_key, "offensive")
    rate_by_text(away, rater)
    import_votes(home, votes(away, there.id))
    told = {store: Counter((row.role, row.state) for row in rows_of(store, Assignment)) for store in (home, away)}
    assert told[home] == told[away] and {role for role, _ in told[home]} == {"main", "gold", "repeat"}
    with home.read() as session:
        assert {row.expected is not None for row in rating_rows(session, made.id) if row.role == "gold"} == {True}


def test_guesses_come_home_by_side_and_home_knows_which_model_was_meant(home, away):
    made = make_round(home, guesses=2, guess_target=B, guess_question="Which one reasons?")
    there = sent_to(home, away, made.id)
    assert there.design["guess_target"] == "" and there.design["guess_question"] == "Which one reasons?"
    (rater,) = join(away, there.id, "R1")
    rate_by_text(away, rater)
    with away.write() as session:
        (given, *_) = [row for row in rows_of(away, Assignment) if row.role == "main"]
        session.add(BlindGuess(rater_id=rater, assignment_id=given.id, guess="left", sureness=2))
    import_votes(home, votes(away, there.id))
    import_votes(home, votes(away, there.id))
    (guess,) = rows_of(home, BlindGuess)
    row = next(row for row in rows_of(home, Assignment) if row.id == guess.assignment_id)
    unit = next(unit for unit in rows_of(home, Unit) if unit.id == row.unit_id)
    stood_left = unit.model_a if row.a_left else unit.model_b
    close_round(home, made.id)
    with home.read() as session:
        (face,) = [face for face in round_results(session, made.id).blinding if face.n]
    assert (face.n_right, face.n_wrong) == ((1, 0) if stood_left == B else (0, 1))


def test_what_a_bundle_is_its_manifest_tells(home, away):
    made = make_round(home)
    there = receive(away, to_send(home, made.id))
    assert isinstance(there, Round) and (there.origin, there.bank_id, there.uid) == ("import", None, made.uid)
    join(away, there.id, "R1")
    assert isinstance(receive(home, votes(away, there.id)), Imported)
    close_round(home, made.id)
    with pytest.raises(LabError, match="written record"):
        receive(away, bundle(home, made.id, blinded=True))
    with pytest.raises(LabError, match="closed"):
        receive(home, votes(away, there.id))


def test_a_round_that_is_here_already_is_found_and_never_doubled(home, away):
    made = make_round(home)
    there = sent_to(home, away, made.id)
    before = counts(away)
    assert sent_to(home, away, made.id).id == there.id and counts(away) == before
    with pytest.raises(LabError, match="very lab"):
        sent_to(home, home, made.id)
    with pytest.raises(LabError, match="another design"):
        import_round(away, edited_design(to_send(home, made.id), quota=9))


def test_a_rater_deleted_at_home_is_gone_with_all_that_came(home, away):
    made = make_round(home)
    there = sent_to(home, away, made.id)
    (rater,) = join(away, there.id, "R1")
    rate_all(away, rater)
    import_votes(home, votes(away, there.id))
    assert delete_rater(home, made.id, "R1") == 6
    assert rows_of(home, Rating) == [] == rows_of(home, Assignment)


BAD_ROUNDS = {
    "a changed text": ("units.jsonl", lambda rows: rows[0].update(text_a="other"), "was changed"),
    "a model's own name": ("units.jsonl", lambda rows: rows[0].update(model_a="demo"), "line 1"),
    "a unit twice": ("units.jsonl", lambda rows: rows.append(rows[0]), "twice"),
    "no unit": ("units.jsonl", lambda rows: rows.clear(), "no unit to rate"),
    "an unknown column": ("units.jsonl", lambda rows: rows[0].update(answer_a_id=1), "line 1"),
    "another type": ("units.jsonl", lambda rows: rows[0].update(shared="yes"), "line 1"),
    "a path for a uid": ("units.jsonl", lambda rows: rows[0].update(uid="../../etc"), "line 1"),
}


@pytest.mark.parametrize("name", BAD_ROUNDS)
def test_a_round_that_was_tampered_with_is_refused_and_nothing_is_stored(home, away, name):
    file, change, said = BAD_ROUNDS[name]
    data = edited(to_send(home, make_round(home).id), file, change)
    with pytest.raises(LabError, match=said) as told:
        import_round(away, data)
    assert "\n" not in str(told.value) and not any(counts(away).values())


@pytest.mark.parametrize(("changes", "said"), [
    ({"models": [A, B]}, "names its models"), ({"guess_target": "X"}, "names its models"), ({"quota": 0}, "quota"),
    ({"task": "fluency"}, "does not fit"), ({"models": ["X", "Z"]}, "does not fit"),
    ({"consent": ""}, "lacks its wording"), ({"mood": 1}, "no such field"), ({"anchors": [1]}, "anchors"),
])
def test_a_design_that_cannot_be_used_is_refused(home, away, changes, said):
    with pytest.raises(LabError, match=said) as told:
        import_round(away, edited_design(to_send(home, make_round(home).id), **changes))
    assert "\n" not in str(told.value) and not any(counts(away).values())


BAD_VOTES = {
    "another text": ("units.jsonl", lambda rows: rows[0].update(sha256="0" * 64), "another text"),
    "a unit of nowhere": ("units.jsonl", lambda rows: rows.append({"uid": "f" * 12, "sha256": "0" * 64}),
                          "none of round"),
    "a score of six": ("assignments.jsonl", lambda rows: rows[0]["ratings"][0].update(fluency_left=6), "1 to 5"),
    "a choice not offered": ("assignments.jsonl", lambda rows: rows[0]["ratings"][0].update(preference="both_bad"),
                             "preference"),
    "nobody's rating": ("assignments.jsonl", lambda rows: rows[0].update(rater="f" * 12), "without its rater"),
    "a rating twice": ("assignments.jsonl", lambda rows: rows.append(rows[0]), "twice"),
    "one key for two": ("assignments.jsonl", lambda rows: rows[1]["ratings"][0].update(
        key=rows[0]["ratings"][0]["key"]), "twice"),
    "a version missing": ("assignments.jsonl", lambda rows: rows[0]["ratings"][0].update(version=3), "lacks a version"),
    "a lost rating": ("assignments.jsonl", lambda rows: rows[0].update(ratings=[]), "say otherwise"),
    "a main unit as gold": ("assignments.jsonl", lambda rows: rows[0].update(role="gold"), "rated as gold"),
    "no consent": ("raters.jsonl", lambda rows: rows[0].update(consent_at=None), "agreed to nothing"),
    "a time without a zone": ("assignments.jsonl", lambda rows: rows[0].update(served_at="2026-01-01T00:00:00"),
                              "line 1"),
    "a comment too long": ("assignments.jsonl", lambda rows: rows[0]["ratings"][0].update(comment="x" * 3000),
                           "line 1"),
    "a year that no clock has": ("assignments.jsonl", lambda rows: rows[0].update(
        served_at="0001-01-01T00:00:00+14:00"), "no time of a rating"),
    "half a character": ("assignments.jsonl", lambda rows: rows[0].update(flag="\\ud800"), "not JSON"),
    "a NUL": ("assignments.jsonl", lambda rows: rows[0].update(flag="a\0b"), "NUL"),
    "a huge time": ("assignments.jsonl", lambda rows: rows[0]["ratings"][0].update(visible_ms=10**12), "line 1"),
    "an event of nobody": ("events.jsonl", lambda rows: rows[0].update(rater="f" * 12), "whom it does not name"),
    "an extra field": ("raters.jsonl", lambda rows: rows[0].update(token_hash="x"), "line 1"),
    "no rater": ("raters.jsonl", lambda rows: rows.clear(), "without its rater"),
}


@pytest.fixture(scope="module")
def sent(tmp_path_factory):
    """A home, and votes that came from another lab but are not in yet."""
    folder = tmp_path_factory.mktemp("sent")
    home, away = open_store(f"sqlite:///{folder / 'home.db'}", folder / "home"), open_away(folder)
    made = make_round(home)
    there = sent_to(home, away, made.id)
    (rater,) = join(away, there.id, "R1")
    rate_by_text(away, rater)
    yield home, made, votes(away, there.id)
    home.close()
    away.close()


@pytest.mark.parametrize("name", BAD_VOTES)
def test_votes_that_cannot_be_are_refused_and_nothing_is_stored(sent, name):
    home, _, data = sent
    file, change, said = BAD_VOTES[name]
    before = counts(home)
    with pytest.raises(LabError, match=said) as told:
        import_votes(home, edited(data, file, change))
    assert "\n" not in str(told.value) and len(str(told.value)) < 600 and counts(home) == before


def test_votes_of_another_round_or_of_a_rater_of_this_lab_are_refused(sent):
    home, made, data = sent
    with pytest.raises(LabError, match="none of this lab's"):
        import_votes(home, pack(Bundle("votes", "f" * 12, unpack(data).files)))
    (mine,) = join(home, made.id, "R9", begin=False)
    uid = next(rater.uid for rater in rows_of(home, Rater) if rater.id == mine)

    def pretend(rows):
        for row in rows:
            row["rater" if "rater" in row else "uid"] = uid

    forged = data
    for file in ("raters.jsonl", "assignments.jsonl", "events.jsonl"):
        forged = edited(forged, file, pretend)
    with pytest.raises(LabError, match="somebody of this lab"):
        import_votes(home, forged)
    with pytest.raises(LabError, match="not votes"):
        import_votes(home, to_send(home, made.id))


def test_votes_of_a_round_that_was_never_sent_are_refused(home, sent):
    made = make_round(home)
    forged = pack(Bundle("votes", made.uid, unpack(sent[2]).files))
    with pytest.raises(LabError, match="never sent"):
        import_votes(home, forged)
