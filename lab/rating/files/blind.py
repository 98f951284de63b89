"""One place where the files of a round lose the names of its models.

Not only the names: the first model of a design is the one that others are measured against, so the order of names, of
the texts within a unit and of the units would tell as much. Names are drawn by chance, once a round, and stored with
it; nothing that stands in a blinded file is an input of that draw.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from lab.rating.files.contents import Contents, Happening, RoundFacts, Said, UnitText
from lab.rating.measures_correlation import Measure
from lab.rating.round_texts import text_hash
from lab.rating.rows import RatingRow

NAMES = tuple("XYZWVUTS")
SEED_BITS = 32


@dataclass(frozen=True)
class Blinding:
    """`names`: model → its name in blinded files. `seed` stands in for the round's own, from which sides were drawn."""

    names: Mapping[str, str]
    seed: int

    @property
    def models(self) -> tuple[str, ...]:
        """The names in their fixed order, whatever order the design has."""
        return tuple(name for name in NAMES if name in self.names.values())

    def turns(self, model_a: str, model_b: str) -> bool:
        """Whether a unit's two texts change places, so that their order says nothing."""
        return bool(model_b) and NAMES.index(self.names[model_a]) > NAMES.index(self.names[model_b])


def draw_blinding(models: Sequence[str], random: Random) -> Blinding:
    """`random`: one that nobody can repeat (`random.SystemRandom`) wherever it matters."""
    names = list(NAMES[:len(models)])
    random.shuffle(names)
    return Blinding(dict(zip(models, names, strict=True)), random.getrandbits(SEED_BITS))


def blinded(contents: Contents, blinding: Blinding) -> Contents:
    """The same round with X, Y … for its models, in an order that says nothing."""
    items = item_names(contents.units)
    turned = {unit.uid for unit in contents.units if unit.model_a and blinding.turns(unit.model_a, unit.model_b)}
    plain = tuple(Measure(items[one.item_id], blinding.names[one.model], one.name, one.value)
                  for one in contents.measures if ":" not in one.name and one.item_id in items)
    return Contents(
        facts=blind_facts(contents.facts, blinding),
        units=blind_units(contents.units, blinding),
        said=tuple(_said(one, blinding, items, one.row.unit in turned) for one in contents.said),
        happenings=tuple(_quiet(one) for one in contents.happenings if one.kind != "blind names"),
        people=contents.people, measures=plain,
    )


def blind_units(units: Sequence[UnitText], blinding: Blinding) -> tuple[UnitText, ...]:
    """In the order of their random uids; each with a hash of its texts as they stand here."""
    items = item_names(units)
    return tuple(_unit(unit, blinding, items) for unit in sorted(units, key=lambda unit: unit.uid))


def item_names(units: Iterable[UnitText]) -> dict[str, str]:
    """Question → q001 …: ids of questions may name a dataset, a model or an arm. Practice keeps its own."""
    ordered = sorted(units, key=lambda unit: unit.uid)
    items = dict.fromkeys(unit.item_id for unit in ordered if unit.role != "practice")
    named = {item: f"q{number:03}" for number, item in enumerate(items, start=1)}
    return {unit.item_id: unit.item_id for unit in ordered if unit.role == "practice"} | named


def blind_facts(facts: RoundFacts, blinding: Blinding) -> RoundFacts:
    """Without name, bank, scans and who failed how often: how often thoughts stay unclosed tells who thinks."""
    return replace(
        facts, name=f"round {facts.uid}", bank="", models=blinding.models, design_sha="", warnings=(), risk={},
        design=blind_design(facts.design, facts.uid, blinding), blind_names={}, unblinded_by="", blinded=True,
        excluded={"pairs": dict(facts.excluded.get("pairs", {}))},
    )


def blind_design(design: Mapping[str, Any], uid: str, blinding: Blinding) -> dict[str, Any]:
    """The design without name, bank, the order of the models, the seed, and whom raters are to guess."""
    return {**design, "name": f"round {uid}", "bank": None, "models": list(blinding.models), "guess_target": "",
            "seed": blinding.seed}


def _unit(unit: UnitText, blinding: Blinding, items: Mapping[str, str]) -> UnitText:
    a, b = (blinding.names.get(model, "") for model in (unit.model_a, unit.model_b))
    named = replace(unit, item_id=items[unit.item_id], model_a=a, model_b=b)
    if unit.model_a and blinding.turns(unit.model_a, unit.model_b):
        named = replace(named, model_a=b, model_b=a, text_a=unit.text_b, text_b=unit.text_a)
    return replace(named, sha256=text_hash(named.question, named.text_a, named.text_b))


def _said(said: Said, blinding: Blinding, items: Mapping[str, str], turned: bool) -> Said:
    row = said.row.turned() if turned else said.row
    return replace(said, row=_row(row, blinding.names, items))


def _row(row: RatingRow, names: Mapping[str, str], items: Mapping[str, str]) -> RatingRow:
    return replace(row, item_id=items[row.item_id], model_a=names.get(row.model_a, ""),
                   model_b=names.get(row.model_b, ""))


def _quiet(one: Happening) -> Happening:
    """What the researcher wrote about the round (who made it, why it was unblinded) may name a model."""
    return one if one.rater else replace(one, payload={})
