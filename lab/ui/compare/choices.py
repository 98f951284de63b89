"""Which models Compare offers, which it starts with, and what the names in its address mean."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from lab.bases.cards import bases
from lab.bases.files import is_here
from lab.core.errors import LabError
from lab.core.types import ModelSource
from lab.ui.arms import ARMS, arm_of
from lab.ui.components.health import Healths, flag_words
from storage.database import Store
from storage.queries.endpoints import get_endpoint, list_endpoints
from storage.queries.studies import get_variant, health_of, list_variants, model_source

if TYPE_CHECKING:
    from storage.tables import Variant

MOST_COLUMNS = 4
REMOTE = "remote:"
MOST_OFFERED = 300


def offered(store: Store, also: Sequence[str] = ()) -> list[tuple[str, str]]:
    """(label, name) of the bases that are here, the newest variants, remote models, then the bases not on this machine.

    Names in `also` are offered whatever their age.
    """
    here = [name for name, card in bases().items() if is_here(card)]
    choices = [(f"{ARMS['base'].sign} {name} (base)", name) for name in here]
    absent = [(f"{ARMS['base'].sign} {name} (base, not on this machine)", name) for name in bases() if name not in here]
    with store.read() as session:
        variants, _ = list_variants(session, limit=MOST_OFFERED)
        listed = {variant.name for variant in variants}
        variants += [get_variant(session, name) for name in also if name not in listed and _may_be_variant(name)]
        remote = [(f"{ARMS['base'].sign} {found.name} (remote)", REMOTE + found.name)
                  for found in list_endpoints(session)]
    trained = [(f"{ARMS[arm_of(v.target)].sign} {v.name}{_warned(v)}", v.name) for v in variants]
    return choices + trained + remote + absent


def _may_be_variant(name: str) -> bool:
    return bool(name) and name not in bases() and not name.startswith(REMOTE)


def name_of(ref: str) -> str:
    """A model's name as the page offers it: a variant's without the 'variant:' of its reference."""
    return ref.removeprefix("variant:")


def _warned(variant: Variant) -> str:
    words = flag_words(variant.health)
    return f" ⚠ {words}" if words else ""


def healths(store: Store, names: Sequence[str]) -> Healths:
    """What is known of the health of each, by name."""
    with store.read() as session:
        return health_of(session, [name_of(name) for name in names])


def starting_models(store: Store) -> list[str]:
    """A base with its answer and trace arms, the newest pair that has both; without variants the bases themselves."""
    with store.read() as session:
        variants, _ = list_variants(session, limit=50)
    cells: dict[tuple, dict[str, str]] = {}  # newest cell first, each with its newest variant of every arm
    for variant in variants:
        cell = (variant.study_id, variant.base, variant.dataset, variant.seed)
        cells.setdefault(cell, {}).setdefault(variant.target, variant.name)
    if not cells:
        return [name for name, card in bases().items() if is_here(card)][:2]
    (_, base, _, _), arms = max(cells.items(), key=lambda item: len(item[1]) >= 2)  # the first of the best
    return [base, *(arms[target] for target in ARMS if target in arms)][:MOST_COLUMNS]


def known_names(store: Store, names: Sequence[str]) -> tuple[list[str], list[str]]:
    """(names that mean a model, one sentence for each that does not)."""
    good, faults = [], []
    for name in names:
        try:
            if name not in bases():
                with store.read() as session:
                    name = _known_name(session, name)
            good.append(name)
        except LabError as error:
            faults.append(str(error))
    return good[:MOST_COLUMNS], faults


def _known_name(session: Any, name: str) -> str:
    if name.startswith(REMOTE):
        return REMOTE + get_endpoint(session, name).name
    return get_variant(session, name).name


def sources(store: Store, names: Sequence[str]) -> list[ModelSource]:
    """Where the weights of each are. LabError for a name that means nothing."""
    with store.read() as session:
        return [model_source(session, store.home, f"variant:{name}" if _may_be_variant(name) else name)
                for name in names]
