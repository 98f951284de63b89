"""An answer bank frozen from comparisons: the same rows as a job of kind `answers` leaves, without a job.

Every model is to be asked alike in all of them, or the raters' verdict would be on a mixture.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

from sqlmodel import Session, select

from lab.bases.cards import bases
from lab.benchmarks.benchmark import benchmarks
from lab.benchmarks.shown import shown_text
from lab.core.errors import Fault, SpecError
from lab.core.types import Example, Generation, StyleName
from lab.data.chat import question_text
from lab.data.targets import THINKING_STYLES
from storage.tables import Answer, AnswerBank, Comparison, ComparisonTurn, Variant

NAME_LIMIT = 80
SOURCE = "comparisons"  # the bank's benchmark where the questions do not all come from one


@dataclass(frozen=True)
class FirstTurn:
    """A comparison with its first turn."""

    comparison: Comparison
    turn: ComparisonTurn

    @cached_property
    def example(self) -> Example | None:
        """The benchmark question that was asked; None when its text was edited or it is not there (any more)."""
        found = _questions(self.turn.benchmark).get(self.turn.item)
        return found if found and question_text(found).split() == self.turn.question.split() else None

    @cached_property
    def item_id(self) -> str:
        """The benchmark's id of its own question; of any other text a name made from it."""
        if self.example:
            return f"{self.turn.benchmark}/{self.turn.item}"
        return f"asked-{hashlib.sha256(' '.join(self.turn.question.split()).encode()).hexdigest()[:12]}"


@cache
def _questions(benchmark: str) -> dict[str, Example]:
    """By id; empty for a name that is no benchmark's."""
    return {example.id: example for example in benchmarks()[benchmark].load()} if benchmark in benchmarks() else {}


def bank_of(session: Session, name: str, first: Sequence[FirstTurn]) -> AnswerBank:
    """Freeze these turns. SpecError with all faults."""
    faults = _faults(name, first)
    if faults:
        raise SpecError(faults, "answer bank")
    asked = {one.turn.benchmark if one.example else SOURCE for one in first}
    bank = AnswerBank(
        name=name.strip(), benchmark=asked.pop() if len(asked) == 1 else SOURCE,
        settings={
            "comparisons": [one.comparison.uid for one in first], "n_questions": len(first),
            "columns": {column["label"]: column.get("settings", {}) for column in first[0].comparison.columns},
        },
    )
    session.add(bank)
    session.flush()
    for one in first:
        session.add_all(_answers(session, bank, one))
    session.flush()
    return bank


def _faults(name: str, first: Sequence[FirstTurn]) -> list[Fault]:
    faults = []
    if not 1 <= len(name.strip()) <= NAME_LIMIT:
        faults.append(Fault("name", f"should have 1 to {NAME_LIMIT} characters", name))
    if not first:
        return [*faults, Fault("comparisons", "name at least one")]
    models = _models(first[0].comparison)
    items: dict[str, str] = {}
    for one in first:
        uid, found = one.comparison.uid, _models(one.comparison)
        if len(one.comparison.columns) != len(found):
            faults.append(Fault(uid, "asks the same model twice; a bank holds each model once"))
        if len(found) < 2:
            faults.append(Fault(uid, "has one model; raters compare two or more"))
        elif found.keys() != models.keys():
            faults.append(Fault(uid, f"compares {', '.join(sorted(found))} instead of {', '.join(sorted(models))}; "
                                     "freeze comparisons of the same models together"))
        else:
            faults += [Fault(uid, f"asks {label} with other settings ({_difference(settings, models[label])}); a "
                                  "bank needs every model asked alike")
                       for label, settings in found.items() if settings != models[label]]
        if (other := items.setdefault(one.item_id, uid)) != uid:
            faults.append(Fault(uid, f"asks the same question as {other}; leave one of them out"))
    return faults


def _models(comparison: Comparison) -> dict[str, dict[str, Any]]:
    """Label → settings, one level deep, seeds apart: they may differ between questions."""
    return {column["label"]: _flat(column.get("settings", {})) for column in comparison.columns}


def _flat(settings: dict[str, Any], before: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in settings.items():
        if isinstance(value, dict):
            found |= _flat(value, f"{before}{name}.")
        elif name != "seed":
            found[f"{before}{name}"] = value
    return found


def _difference(settings: dict[str, Any], wanted: dict[str, Any]) -> str:
    names = [name for name in {**settings, **wanted} if settings.get(name) != wanted.get(name)]
    return ", ".join(f"{name} {settings.get(name)} instead of {wanted.get(name)}" for name in names)


def _answers(session: Session, bank: AnswerBank, one: FirstTurn) -> list[Answer]:
    by_column = {answer["column"]: answer for answer in one.turn.answers}
    common = {
        "bank_id": bank.id, "item_id": one.item_id, "question": one.turn.question,
        "subject": one.example.subject if one.example else "", "gold": one.example.gold if one.example else "",
    }
    return [Answer(**common, **_said(session, column, by_column.get(place, {})))
            for place, column in enumerate(one.comparison.columns)]


def _said(session: Session, column: dict[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
    """The columns of an answer that depend on the model."""
    variant = _variant(session, column["ref"])
    style = THINKING_STYLES[_style(column, variant)]
    generation = _generation(answer, style)
    shown = shown_text(generation, style)
    return dict(
        model_label=column["label"], arm=column.get("arm", "base"), base=column.get("base", ""),
        variant_id=variant.id if variant else None,
        raw_text=generation.raw_text, think_text=generation.think_text, shown_text=shown,
        think_state=generation.think_state, finish_reason=generation.finish_reason,
        n_tokens=generation.n_think_tokens + generation.n_answer_tokens,
        sha256=hashlib.sha256(shown.encode()).hexdigest(),  # proves that what was rated is what was frozen
    )


def _generation(answer: dict[str, Any], style: Any) -> Generation:
    """What a column said. One that failed or was stopped stays in the bank, and a round counts why it leaves it out."""
    stats = answer.get("stats") or {
        "think_text": answer.get("thought", ""), "final_text": answer.get("answer", ""), "think_state": "none",
        "finish_reason": "cancelled" if answer.get("phase") == "stopped" else "error",
    }
    thought, final = stats["think_text"], stats["final_text"]
    numbers = {name: stats.get(name, 0) for name in ("n_prompt_tokens", "n_think_tokens", "n_answer_tokens", "seconds")}
    return Generation(
        raw_text=style.wrap(thought, final) if thought else final, think_text=thought, final_text=final,
        think_state=stats["think_state"], finish_reason=stats["finish_reason"], **numbers,
    )


def _variant(session: Session, ref: str) -> Variant | None:
    if not ref.startswith("variant:"):
        return None
    return session.exec(select(Variant).where(Variant.name == ref.removeprefix("variant:"))).first()


def _style(column: dict[str, Any], variant: Variant | None) -> StyleName:
    """A remote model's thinking arrives apart from its answer; the marks only matter where they were left in."""
    if variant is not None and variant.thinking_style:
        return variant.thinking_style  # type: ignore[return-value]
    card = bases().get(column.get("base", ""))
    return card.thinking_style if card else "tags"
