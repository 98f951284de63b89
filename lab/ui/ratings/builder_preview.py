"""What a round would be, before it is made: its units, what is left out and why, how much work it is, and whether
raters might tell the models apart."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING

from lab.core.spec import to_yaml
from lab.rating.design import RoundSpec
from lab.rating.verdicts import minutes
from lab.ui.components.html import card, fact_list
from lab.ui.components.markup import Html, join, tag
from lab.ui.ratings.figures import plural
from lab.ui.ratings.head import changed
from lab.ui.ratings.sample_size import sample_size_html
from lab.ui.ratings.warnings import excluded_words, risk_words, warning_words

if TYPE_CHECKING:
    from lab.rating.blinding import Material
    from lab.ui.ratings.sample_size import Wanted


@dataclass(frozen=True)
class Work:
    """What a round asks of so many raters."""

    n_units: int
    n_ratings: int  # needed in all
    each: int  # of one rater
    n_golds: int  # that one rater meets beside them
    n_repeats: int
    minutes: int
    cautions: tuple[str, ...]


def work_of(material: Material, spec: RoundSpec, people: int) -> Work:
    """For `people` raters who all finish. Shared questions are rated by everybody, the others by as many as the
    quota."""
    n, people = len(material.units), max(1, people)
    n_shared = round(n * round(spec.shared_share * len(material.items)) / len(material.items)) if n else 0
    total = n_shared * people + (n - n_shared) * min(spec.quota, people)
    each = ceil(total / people)
    cautions = []
    if people < spec.quota:
        cautions.append(f"{plural(spec.quota, 'rating')} of each unit need as many raters; {people} leave every unit "
                        "incomplete.")
    if spec.most_units and each > spec.most_units:
        room = spec.most_units - n_shared
        need = ceil((n - n_shared) * spec.quota / room) if room > 0 else 0
        cautions.append(f"Each would have to rate {each} units, and {spec.most_units} is the most: " + (
            f"invite at least {need}." if need else "the questions for everybody alone are more."))
        each = spec.most_units
    n_golds = round(each / spec.gold_every) if spec.gold_every else 0
    n_repeats = round(spec.repeat_share * each)
    return Work(n, n_shared * people + (n - n_shared) * spec.quota, each, n_golds, n_repeats,
                minutes(each + n_golds + n_repeats, spec.task) if each else 0, tuple(cautions))


def preview_html(material: Material, spec: RoundSpec, people: int, wanted: Wanted) -> Html:
    """The right-hand side of the form."""
    if not material.units:
        return card("What it would be", join([
            tag("p", tag("b", "Nothing can be rated: "), "no question has answers of these models that can be shown."),
            excluded_words(material.excluded, material.by_model)]))
    return tag("div", card("What it would be", _units(material, spec, people)),
               card("Can raters tell the models apart?", join([warning_words(material.warnings),
                                                              risk_words(material.risks)])),
               card("What it can show", sample_size_html(len(material.items), spec, wanted)), cls="round-preview")


def _units(material: Material, spec: RoundSpec, people: int) -> Html:
    work = work_of(material, spec, people)
    extras = [words for words, n in ((plural(work.n_golds, "known answer"), work.n_golds),
                                     (plural(work.n_repeats, "repeat"), work.n_repeats)) if n]
    beside = f" (with {' and '.join(extras)})" if extras else ""
    facts = fact_list([
        ("Units", f"{work.n_units} of {plural(len(material.items), 'question')}"), ("Ratings to collect",
                                                                                    work.n_ratings),
        (f"Each of {plural(people, 'rater')}", f"{plural(work.each, 'unit')}{beside}"),
        ("Takes each", f"about {work.minutes} min" if work.each else "–"),
    ])
    cautions = tag("ul", *(tag("li", words) for words in work.cautions)) if work.cautions else None
    return join([facts, tag("div", cautions, cls="caution") if cautions else None,
                 excluded_words(material.excluded, material.by_model)])


def recipe(spec: RoundSpec) -> str:
    """What `python -m jobs ratings make design.yaml` takes: what differs from the declaration."""
    return to_yaml(RoundSpec.kind, changed(spec))
