"""Preferences of a closed round as a dataset: refused before it is closed, kept once with its lineage, trainable."""

from __future__ import annotations

import json

import pytest
from sqlmodel import select

from jobs.catalog import specs
from lab.core.errors import LabError, SpecError
from lab.core.spec import load_spec
from lab.data.made import made_of
from lab.data.pairs import resolve_pairs
from lab.rating.design import THINKING, RoundSpec
from lab.rating.files.preferences import BELOW, KEPT, PairRule
from lab.rating.verdicts import Verdict
from storage.database import Store
from storage.queries.rater_sessions import submit
from storage.queries.rating_imports import receive
from storage.queries.rating_pairs import RoundPairs, keep_pairs, preview_pairs
from storage.queries.rating_sending import to_send
from storage.queries.rounds import close_round, create_round, unblind_round
from storage.tables import Answer, Round, Unit
from tests.rating.bank import MODELS
from tests.rating.rounds import PLAIN, A, B, join, make_round, rows_of, serve
from tests.stores import new_store

RATERS = ("Rosalind", "Rudolf")
USUAL = PairRule()


def vote(store: Store, rater: int, wanted: dict[str, str]) -> None:
    """Rate everything by model: `wanted` question → a | b | tie | both_bad; model a of a unit is its first."""
    while served := serve(store, rater):
        with store.read() as session:
            shown = (served.left, served.right)
            unit = session.exec(select(Unit).where(
                Unit.question == served.question, Unit.text_a.in_(shown), Unit.text_b.in_(shown))).one()
        said = wanted.get(unit.item_id, "b")
        side = said if said in ("tie", "both_bad") else (
            "left" if (served.left == unit.text_a) == (said == "a") else "right")
        submit(store, rater, served.submit_key, Verdict(3, 4, side, visible_ms=9000))


def rated(store: Store, *wanted: dict[str, str], close: bool = True, **design) -> Round:
    made = make_round(store, name="Do traces help?", quota=len(wanted), **design)
    for rater, votes in zip(join(store, made.id, *RATERS[: len(wanted)]), wanted, strict=True):
        vote(store, rater, votes)
    if close:
        close_round(store, made.id)
    return made


def preview(store: Store, the_round: Round, rule: PairRule = USUAL) -> RoundPairs:
    with store.read() as session:
        return preview_pairs(session, the_round.id, rule)


@pytest.mark.parametrize("unblinded", [False, True])
def test_a_round_that_is_still_rated_is_refused_with_what_to_do(store: Store, unblinded: bool) -> None:
    made = rated(store, {}, {}, close=False)
    if unblinded:
        unblind_round(store, made.id, "ana", "a deadline")
    for ask in (lambda: preview(store, made), lambda: keep_pairs(store, made.id, PairRule())):
        with pytest.raises(LabError, match=f"is open: .* python -m jobs ratings close {made.id}"):
            ask()
    assert not (store.home.path / "datasets").exists()


def test_what_raters_agree_on_is_kept_and_the_rest_is_counted(store: Store) -> None:
    made = rated(store, {"item-000": "a", "item-001": "tie"}, {"item-000": "a", "item-001": "b", "item-002": "a"})
    found = preview(store, made).found
    assert (found.n_units, found.n_votes) == (6, 12)
    assert found.outcomes[KEPT] == 4 and sum(found.outcomes.values()) == 6
    units = {unit.item_id: unit for unit in rows_of(store, Unit)}
    pairs = {pair.id: pair for pair in found.pairs}
    first, last = units["item-000"], units["item-005"]
    assert (pairs[first.uid].chosen, pairs[first.uid].rejected) == (first.text_a, first.text_b)
    assert (pairs[last.uid].chosen, pairs[last.uid].rejected) == (last.text_b, last.text_a)


def test_a_lower_agreement_lets_more_in_and_more_votes_less(store: Store) -> None:
    made = rated(store, {"item-000": "tie"}, {})
    assert preview(store, made).found.outcomes[BELOW] == 0  # one tie, one vote: no answer is ahead
    assert len(preview(store, made).found.pairs) == 5
    assert len(preview(store, made, PairRule(least_votes=1)).found.pairs) == 5
    with pytest.raises(LabError, match="gives no pair: .*too few votes: 6"):
        keep_pairs(store, made.id, PairRule(least_votes=3))
    with pytest.raises(SpecError, match="above 0.5"):
        keep_pairs(store, made.id, PairRule(0.2))


def test_the_dataset_trains_and_says_where_it_comes_from(store: Store) -> None:
    made = rated(store, {"item-000": "a"}, {"item-000": "a"})
    kept = keep_pairs(store, made.id, PairRule(), "My pairs")
    assert kept.path.is_relative_to(store.home.path / "datasets") and kept.path.name.startswith("My-pairs-")
    loaded = resolve_pairs(str(kept.path)).read()
    assert len(loaded.rows) == 6 and not loaded.skipped
    spec = load_spec(specs()["dpo"], {"base": "demo-llama", "pairs": str(kept.path)})
    assert resolve_pairs(spec.pairs).load() == loaded.rows
    told = made_of(kept.path)
    assert (told.by, told.kind, told.rows, told.name) == ("ratings", "pairs", 6, "My pairs")
    (parent,) = told.parents
    assert (parent.name, parent.rows) == (f"round:{made.uid}", 6) and len(parent.sha256) == 64
    facts = told.spec
    assert (facts["round"], facts["models"], facts["n_units"], facts["n_votes"]) == (made.uid, [A, B], 6, 12)
    assert facts["design_sha"] == made.design_sha and facts["least_agreement"] == 0.7
    assert any("words on average" in note for note in told.notes)


def test_models_are_named_and_raters_never(store: Store) -> None:
    kept = keep_pairs(store, rated(store, {}, {}).id, PairRule())
    lines = [json.loads(line) for line in kept.path.read_text(encoding="utf-8").splitlines()]
    assert {line["notes"]["chosen_model"] for line in lines} == {B}
    assert {line["notes"]["rejected_model"] for line in lines} == {A}
    for path in (store.home.path / "datasets").iterdir():
        assert all(name not in path.read_text(encoding="utf-8") for name in RATERS)


def test_keeping_the_same_again_is_the_same_file(store: Store) -> None:
    made = rated(store, {}, {})
    first, again = (keep_pairs(store, made.id, PairRule()) for _ in range(2))
    assert first.path == again.path and len(list((store.home.path / "datasets").iterdir())) == 2


def test_thinking_comes_back_only_when_asked_for_and_is_told(store: Store) -> None:
    made = make_round(store, quota=2)
    with store.write() as session:
        for answer in session.exec(select(Answer).where(Answer.arm == "trace")).all():
            answer.think_text = f"thought of {answer.item_id}"
            session.add(answer)
    for rater in join(store, made.id, *RATERS):
        vote(store, rater, {"item-000": "a"})
    close_round(store, made.id)
    assert all(pair.chosen_trace is None for pair in preview(store, made).found.pairs)
    found = preview(store, made, PairRule(keep_thinking=True))
    items = {pair.id: note["item"] for pair, note in zip(found.found.pairs, found.found.notes, strict=True)}
    for pair in found.found.pairs:
        item = items[pair.id]
        mine, other = (pair.rejected_trace, pair.chosen_trace)[:: 1 if item == "item-000" else -1]
        assert (mine, other) == (f"thought of {item}", None)
    assert any("did not see" in note for note in found.facts["notes"])


def test_thinking_that_is_nowhere_is_said_instead_of_left_out(store: Store) -> None:
    with pytest.raises(LabError, match="no thinking is kept"):
        preview(store, rated(store, {}, {}), PairRule(keep_thinking=True))


def test_thinking_that_raters_saw_stands_apart_from_the_answer(store: Store) -> None:
    shown = B + THINKING
    bank = make_round(store).bank_id
    with store.write() as session:
        for answer in session.exec(select(Answer).where(Answer.bank_id == bank, Answer.model_label == B)).all():
            answer.think_text = "First this.\n\nThen that."
            session.add(answer)
    made = _another_round(store, bank, (A, shown))
    for rater in join(store, made.id, *RATERS):
        vote(store, rater, {})
    close_round(store, made.id)
    pairs = preview(store, made).found.pairs
    assert len(pairs) == 6 and all(pair.chosen_trace == "First this.\n\nThen that." for pair in pairs)
    assert all("─" not in pair.chosen and "First this" not in pair.chosen for pair in pairs)


def _another_round(store: Store, bank: int, models: tuple[str, ...]) -> Round:
    design = {"name": "Thinking shown", "bank": bank, "models": models, "quota": 2, **PLAIN}
    return create_round(store, RoundSpec(**design))


def test_three_models_give_more_than_one_pair_a_question_and_that_is_said(store: Store) -> None:
    made = rated(store, {}, {}, models=tuple(label for label, _, _ in MODELS))
    found = preview(store, made)
    assert found.found.n_units == 18 and found.found.n_questions_again == 6
    assert any("more than two models" in note for note in found.facts["notes"])


def test_scores_of_single_answers_are_no_preferences(store: Store) -> None:
    made = make_round(store, task="fluency")
    close_round(store, made.id)
    with pytest.raises(LabError, match="scores of single answers"):
        preview(store, made)


def test_a_round_from_another_lab_becomes_pairs_under_its_blind_names(store: Store, tmp_path) -> None:
    made = make_round(store, quota=2)
    there = new_store(tmp_path / "there")
    taken = receive(there, to_send(store, made.id))
    for rater in join(there, taken.id, *RATERS):
        vote(there, rater, {})
    close_round(there, taken.id)
    kept = keep_pairs(there, taken.id, PairRule())
    there.close()
    text = kept.path.read_text(encoding="utf-8") + json.dumps(kept.made.model_dump(mode="json"))
    assert kept.made.rows == 6 and A not in text and B not in text
