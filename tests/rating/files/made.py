"""The contents of a small round, made up: simulated raters, one correction, one skip, one known answer."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from lab.rating.blinding_results import Guess
from lab.rating.design import RoundSpec, worded
from lab.rating.files.contents import Contents, Happening, Person, RoundFacts, Said, UnitText
from lab.rating.judge_results import Vote
from lab.rating.measures_correlation import Measure
from lab.rating.round_texts import text_hash
from lab.rating.rows import RatingRow
from tests.rating.simulated_raters import Panel, simulate

BASE, TRACE, ANSWER = "pico-llama", "pico-llama · trace", "pico-llama · answer"
AT = "2026-05-01T12:00:00Z"


def made(models: tuple[str, ...] = (BASE, TRACE), questions: int = 6, raters: int = 2, **design: Any) -> Contents:
    """`design`: changes to the RoundSpec."""
    rows = simulate(Panel(models=models, effects=tuple(1.5 * k for k in range(len(models))), questions=questions,
                          raters=raters), seed=3)
    spec = worded(RoundSpec(**{"name": "Do traces help?", "bank": 4, "models": models, "quota": raters, **design}),
                  traced=TRACE if TRACE in models else "")
    units = tuple(_unit(row) for row in {row.unit: row for row in rows}.values())
    gold = UnitText("gold0", "gold", "q000", "", "", "Q q000?", "Fine text.", "Text fine not.",
                    text_hash("Q q000?", "Fine text.", "Text fine not."), {"preference": "a"})
    said = [Said(row, 1, True, served_at=AT, rated_at=AT) for row in rows]
    first = said[0]
    said[0:1] = [replace(first, current=False, comment="=1+1"), replace(first, version=2, comment="Zögernd, naïve\n2")]
    said.append(Said(RatingRow("gold0", "q000", "R00", "gold", 99, True, "", "", preference="left",
                               expected={"preference": "a"}), 1, True, served_at=AT, rated_at=AT))
    skipped = replace(rows[-1], rater="R99", fluency_left=None, fluency_right=None, preference="", visible_ms=None)
    said.append(Said(skipped, 0, True, skip_reason="language", report="odd", served_at=AT))
    return Contents(_facts(spec, models), (*units, gold), tuple(said), _happenings(rows), _people(rows),
                    guesses=(Guess(models[1], models[1], "R00"),), votes=_votes(rows), measures=_measures(rows))


def _facts(spec: RoundSpec, models: tuple[str, ...]) -> RoundFacts:
    return RoundFacts(
        name=spec.name, uid="0123456789ab", design=spec.as_dict(), design_sha=spec.sha(), models=models,
        state="closed", bank="Bank of traces", created_at=AT, closed_at=AT, warnings=(f"{models[1]} says 'wait'",),
        excluded={"pairs": {"truncated": 2}, "by_model": {models[1]: {"truncated": 2}}},
        risk={f"{models[0]} / {models[1]}": {"auc": 0.9}}, unblinded_by="ana",
    )


def _unit(row: RatingRow) -> UnitText:
    question = f"Q {row.item_id}?"
    a, b = (f"{_words(model)} to {row.item_id}." for model in (row.model_a, row.model_b))
    return UnitText(row.unit, "main", row.item_id, row.model_a, row.model_b, question, a, b, text_hash(question, a, b))


def _words(model: str) -> str:
    """What this model writes: nothing of its name."""
    return {BASE: "One reply", TRACE: "Another reply, longer", ANSWER: "A third"}[model]


def _happenings(rows: list[RatingRow]) -> tuple[Happening, ...]:
    return (Happening(AT, "made", payload={"by": "ana", "name": TRACE}),
            Happening(AT, "blind names", payload={"names": {TRACE: "X"}, "seed": 1}),
            Happening(AT, "served", "R00", rows[0].unit, "main", payload={"ordinal": 1}),
            Happening(AT, "change", "R00", rows[0].unit, "main", 1200, {"what": "fluency_left", "to": "4"}),
            Happening(AT, "unblinded", payload={"why": f"{TRACE} looks better"}))


def _people(rows: list[RatingRow]) -> tuple[Person, ...]:
    return tuple(Person(rater, "invited", "done", "en", AT, {"level": "native"}, {"answered": True, "remarks": "-fine"},
                        AT, AT, 1) for rater in sorted({row.rater for row in rows}))


def _votes(rows: list[RatingRow]) -> tuple[Vote, ...]:
    return tuple(Vote(row.unit, row.item_id, row.model_a, row.model_b, BASE, True, "b") for row in rows[:3])


def _measures(rows: list[RatingRow]) -> tuple[Measure, ...]:
    shown = {(row.item_id, model): words for row in rows
             for model, words in ((row.model_a, row.words_a), (row.model_b, row.words_b))}
    return tuple(Measure(item, model, name, float(words)) for (item, model), words in shown.items()
                 for name in ("words", f"perplexity:{BASE}"))
