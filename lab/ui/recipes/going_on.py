"""Going on from a variant: what an address with `start` asks for, put into each recipe that is chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jobs.catalog import specs
from lab.core.errors import LabError
from lab.core.spec import parse_recipe
from lab.ui.arms import ARMS, arm_of
from lab.ui.components.html import chip, failure, link
from lab.ui.components.markup import Html, tag
from lab.ui.recipes.text import with_values
from lab.ui.train.own_data import kept_uploads
from storage.queries.studies import get_variant, list_variants

if TYPE_CHECKING:
    from lab.ui.form import Choices
    from storage.database import Store

MOST_OFFERED = 200


def started(store: Store, text: str, start: str) -> str:
    """The recipe beginning from this variant and its base; as it is where its kind begins from nothing."""
    if not start:
        return text
    kind, values = parse_recipe(text, "recipe")
    if kind not in specs() or "start" not in specs()[kind].model_fields:
        return text
    with store.read() as session:
        variant = get_variant(session, start)
    return with_values(text, kind, {**values, "base": variant.base, "start": f"variant:{variant.name}"})


def start_banner(store: Store, start: str) -> Html:
    """Which variant is gone on from; a name that is not there is told."""
    if not start:
        return Html("")
    try:
        with store.read() as session:
            variant = get_variant(session, start)
    except LabError as problem:
        return failure(problem)
    words = " A recipe for training that you choose below begins from it. "
    return tag("p", "Going on from ", chip(variant.name, variant.target), ".", words,
               link("/recipes", "Begin from a base instead"), cls="lab-banner")


def offered(store: Store) -> Choices:
    """What the lab's home adds to a form's choices: variants to begin from or to use, files that were uploaded."""
    with store.read() as session:
        variants, _ = list_variants(session, limit=MOST_OFFERED)
    named = [(f"{ARMS[arm_of(each.target)].sign} {each.name}", f"variant:{each.name}") for each in variants]
    files = [(file.name, str(file)) for file in kept_uploads(store.home)]
    return {"start": [("from the base", ""), *named], "model": named, "models": named, "dataset": files,
            "datasets": files}
