"""A round on its way to another lab: design and units, blinded, and nothing of who rates here.

Ids of questions and names of models are opaque; uids and hashes of units bring the votes home.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from lab.core.errors import LabError
from lab.core.spec import load_spec
from lab.rating.design import RoundSpec
from lab.rating.files.blind import NAMES, Blinding, blind_design, blind_units
from lab.rating.files.bundle import Bundle
from lab.rating.files.contents import RoundFacts, UnitText
from lab.rating.files.design_file import software_versions
from lab.rating.files.lines import units_jsonl
from lab.rating.files.parsing import Uid, first_faults, parse_lines, parse_object
from lab.rating.round_texts import text_hash

TEXT_LIMIT, MOST_UNITS = 200_000, 20_000
NO_BANK = 1  # a design names a bank; the row of a round from elsewhere has none
Text = Field(max_length=TEXT_LIMIT)


class SentUnit(BaseModel):
    """One line of units.jsonl."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)
    uid: Uid
    role: Literal["main", "gold", "practice"]
    item_id: str = Field(min_length=1, max_length=200)
    model_a: Literal["", *NAMES]  # type: ignore[valid-type]
    model_b: Literal["", *NAMES]  # type: ignore[valid-type]
    question: str = Text
    text_a: str = Field(min_length=1, max_length=TEXT_LIMIT)
    text_b: str = Text
    sha256: str
    expected: dict[str, str | int | bool]
    explanation: str = Text
    shared: bool


@dataclass(frozen=True)
class SentRound:
    """A round as another lab takes it in."""

    uid: str
    design: RoundSpec
    units: tuple[UnitText, ...]


def round_bundle(facts: RoundFacts, units: Sequence[UnitText], blinding: Blinding) -> Bundle:
    """What another lab needs to rate this round, and no more."""
    design = {"round": facts.uid, "design": blind_design(facts.design, facts.uid, blinding),
              "software": software_versions()}
    files = {"design.json": json.dumps(design, ensure_ascii=False, indent=1),
             "units.jsonl": units_jsonl(blind_units(units, blinding))}
    return Bundle("round", facts.uid, files)


def read_round(bundle: Bundle) -> SentRound:
    """LabError, one sentence, when the bundle is no round, or one of its texts is not what its hash says."""
    if bundle.kind != "round":
        raise LabError(f"the bundle holds {bundle.kind}, not a round to rate.")
    design = _design(parse_object(bundle, "design.json"))
    units = [UnitText(**unit.model_dump()) for unit in parse_lines(bundle, "units.jsonl", SentUnit, MOST_UNITS)]
    for unit in units:
        if text_hash(unit.question, unit.text_a, unit.text_b) != unit.sha256:
            raise LabError(f"unit {unit.uid} of the bundle is not the text that its hash names: it was changed.")
    _check_units(design, units)
    return SentRound(bundle.round_uid, design, tuple(units))


def _design(found: dict[str, Any]) -> RoundSpec:
    values = found.get("design")
    if not isinstance(values, dict):
        raise LabError("design.json of the bundle holds no design.")
    try:
        design = load_spec(RoundSpec, {**values, "bank": NO_BANK}, "the bundle's design")
    except (LabError, ValidationError, TypeError) as error:
        raise LabError(f"the bundle's design cannot be used here: {first_faults(error)}") from None
    if any(model not in NAMES for model in design.models) or design.guess_target:
        raise LabError("the bundle's design names its models: only a blinded round can be taken in.")
    if not design.definition or not design.consent or len(design.anchors) != 5:
        raise LabError("the bundle's design lacks its wording: definition, anchors or consent.")
    return design


def _check_units(design: RoundSpec, units: Sequence[UnitText]) -> None:
    main = [unit for unit in units if unit.role == "main"]
    if not main:
        raise LabError("the bundle holds no unit to rate.")
    one = design.task == "fluency"
    for unit in units:
        models = (unit.model_a, unit.model_b) if unit.role == "main" else ()
        named = not models or (models[0] in design.models and (models[1] == "" if one else models[1] in design.models))
        if not named or bool(unit.text_b) == one or (unit.role != "main" and unit.model_a):
            raise LabError(f"unit {unit.uid} of the bundle does not fit its design ({design.task}, "
                           f"{', '.join(design.models)}).")
    keys = Counter((unit.role, unit.item_id, unit.model_a, unit.model_b) for unit in units)
    if len({unit.uid for unit in units}) < len(units) or max(keys.values()) > 1:
        raise LabError("the bundle holds a unit twice.")


def as_row(unit: UnitText) -> dict[str, Any]:
    """Columns of the unit's row."""
    return {**asdict(unit), "expected": dict(unit.expected)}
