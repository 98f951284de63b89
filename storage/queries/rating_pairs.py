"""Pairs for preference training from a closed rating round, kept as a dataset with where it comes from.

Raters never learn whose text they chose. The dataset does say which model wrote which, and can, since the round must be
closed: whoever could still rate it would otherwise be able to read it there. Who rated is in none of it.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sqlmodel import Session, col, select

from lab.benchmarks.shown import THOUGHT_END
from lab.core.errors import LabError
from lab.data.keeping import keep_made
from lab.data.made import FOLDER, Made, Parent, made_of
from lab.data.pair_rows import write_pairs
from lab.rating.design import THINKING
from lab.rating.files.contents import Contents, UnitText
from lab.rating.files.preferences import (
    BELOW,
    BOTH_BAD,
    FEW,
    TIE,
    PairRule,
    PreferredPairs,
    Replies,
    preferred_pairs,
)
from lab.rating.round_texts import ROUND
from storage.database import Store
from storage.queries.rating_contents import contents_of
from storage.queries.ratings import get_round
from storage.tables.ratings import Answer, Round, Unit

RULE = f"\n\n{THOUGHT_END}\n\n"  # as `lab.benchmarks.shown.with_thinking` puts it
OUTCOMES = {FEW: "too few votes", TIE: "no answer preferred", BOTH_BAD: "both bad, as most said",
            BELOW: "agreement too low"}


@dataclass(frozen=True)
class RoundPairs:
    """What a round gives under a rule, before it is kept."""

    round_id: int
    name: str
    rule: PairRule
    found: PreferredPairs
    facts: dict[str, Any]  # of `Made`

    def sentences(self) -> list[str]:
        """What to tell: what was kept, what was not and why, how long the two sides are."""
        found = self.found
        lines = [f"{len(found.pairs)} pairs of {found.n_units} units, from {found.n_votes} votes"]
        lines += [f"left out, {words}: {found.outcomes[name]}" for name, words in OUTCOMES.items()
                  if found.outcomes[name]]
        lines += [f"left out, {why}: {n}" for why, n in found.unreadable.items()]
        return lines + list(self.facts["notes"])


@dataclass(frozen=True)
class KeptPairs:
    """The dataset, and what it was made of."""

    path: Path
    made: Made
    pairs: RoundPairs


def preview_pairs(session: Session, round_id: int, rule: PairRule) -> RoundPairs:
    """What would be kept; nothing is. LabError for a round that is not closed, or where no two answers were compared;
    SpecError for a rule that cannot be."""
    rule.check()
    the_round = get_round(session, round_id)
    if the_round.state != "closed":
        raise LabError(f"round '{the_round.name}' is {the_round.state}: votes may still come, and a dataset names its "
                       f"models. Close it first: python -m jobs ratings close {round_id}", "data")
    if the_round.design.get("task") == "fluency":
        raise LabError(f"round '{the_round.name}' asked for scores of single answers: nobody was asked which of two "
                       "they prefer. A round with the task 'both' or 'preference' can become pairs.", "spec")
    contents = contents_of(session, round_id)
    found = preferred_pairs(contents, rule, _replies(session, the_round, rule))
    return RoundPairs(round_id, the_round.name, rule, found, _facts(contents, found, rule))


def keep_pairs(store: Store, round_id: int, rule: PairRule, name: str = "") -> KeptPairs:
    """The pairs as a dataset under LAB_HOME/datasets; the same again is the same file. LabError when there are none."""
    with store.read() as session:
        pairs = preview_pairs(session, round_id, rule)
    if not pairs.found.pairs:
        said = "; ".join(pairs.sentences()[:6])
        raise LabError(f"round '{pairs.name}' gives no pair: {said}. Lower the agreement or the votes asked for, or "
                       "rate more.", "data")
    name = name.strip() or f"round-{round_id}-pairs"
    with tempfile.TemporaryDirectory() as folder:
        written = Path(folder) / "pairs.jsonl"
        write_pairs(written, pairs.found.pairs, pairs.found.notes)
        path = keep_made(store.home.path / FOLDER, written, {**pairs.facts, "name": name})
    made = made_of(path)
    if made is None:
        raise LabError(f"the lineage beside {path} cannot be read: move both files away, then try again", "data")
    return KeptPairs(path, made, pairs)


def _replies(session: Session, the_round: Round, rule: PairRule) -> Replies:
    """How a unit's texts become replies: with the thinking that raters saw, and other thinking where asked for."""
    kept = _thoughts(session, the_round) if rule.keep_thinking else {}
    if rule.keep_thinking and not any(any(pair) for pair in kept.values()) and not any(
            face.endswith(THINKING) for face in the_round.models):
        raise LabError(f"no thinking is kept with the answers of round '{the_round.name}': leave out --keep-thinking",
                       "spec")

    def both(unit: UnitText) -> tuple[tuple[str, str], tuple[str, str]]:
        thoughts = kept.get(unit.uid, ("", ""))
        return _reply(unit.model_a, unit.text_a, thoughts[0]), _reply(unit.model_b, unit.text_b, thoughts[1])

    return both


def _reply(face: str, text: str, thought: str) -> tuple[str, str]:
    """(answer, thinking)."""
    if face.endswith(THINKING) and RULE in text:
        shown, _, answer = text.partition(RULE)
        return answer, shown
    return text, thought.strip()


def _thoughts(session: Session, the_round: Round) -> dict[str, tuple[str, str]]:
    """Unit → the thinking of its two answers, as the bank has it."""
    units = session.exec(select(Unit).where(Unit.round_id == the_round.id, Unit.role == "main")).all()
    texts = dict(session.exec(select(Answer.id, Answer.think_text).where(
        Answer.bank_id == the_round.bank_id, col(Answer.think_text) != "")).all())
    return {unit.uid: (texts.get(unit.answer_a_id, ""), texts.get(unit.answer_b_id, "")) for unit in units}


def _facts(contents: Contents, found: PreferredPairs, rule: PairRule) -> dict[str, Any]:
    """The lineage: the round, what was asked of it, and what a reader has to know."""
    facts, alpha = contents.facts, found.alpha
    parent = Parent(name=f"{ROUND}{facts.uid}", sha256=_rated(contents, found), rows=found.n_units)
    spec = {
        "round": facts.uid, "round_name": facts.name, "design_sha": facts.design_sha, "closed_at": facts.closed_at,
        "models": list(facts.models), "n_units": found.n_units, "n_votes": found.n_votes,
        "n_flagged_raters": found.n_flagged_raters, "n_flagged_votes": found.n_flagged_votes,
        "alpha": None if alpha is None else alpha.alpha, "outcomes": dict(found.outcomes), **asdict(rule),
    }
    return {"title": f"Preferences of the round '{facts.name}'", "kind": "pairs", "by": "ratings", "spec": spec,
            "parents": [parent], "notes": list(_notes(found, rule))}


def _rated(contents: Contents, found: PreferredPairs) -> str:
    """sha256 over what was rated and how the votes fell: another round, or one vote more, is another parent."""
    told = [[unit.uid, unit.sha256] for unit in contents.units if unit.role == "main"]
    votes = sorted([row.unit, row.preferred] for row in contents.main)
    return hashlib.sha256(json.dumps([told, votes, found.n_flagged_votes]).encode()).hexdigest()


def _notes(found: PreferredPairs, rule: PairRule) -> Iterable[str]:
    yield (f"People preferred the chosen answer: at least {rule.least_agreement:.0%} of all votes on it, ties counted "
           f"as votes for neither, and at least {rule.least_votes} votes.")
    told = found.lengths
    if told.chosen is not None and told.rejected is not None:
        yield (f"Chosen answers have {told.chosen:.0f} words on average, rejected ones {told.rejected:.0f}; the longer "
               f"one was chosen in {told.n_longer_chosen} of {told.n}. Training learns such a difference, too.")
    if found.alpha is not None and found.alpha.alpha is not None:
        yield (f"Krippendorff's alpha of the votes: {found.alpha.alpha:.2f}, n = {found.alpha.n_units} units.")
    if found.n_flagged_votes:
        yield (f"{found.n_flagged_votes} votes of {found.n_flagged_raters} flagged raters are left out.")
    if found.n_questions_again:
        yield (f"{found.n_questions_again} questions have more than one pair: the round compared more than two models.")
    if rule.keep_thinking:
        yield ("Thinking that raters did not see is put back before the answers: they judged the answers alone.")
