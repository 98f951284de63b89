"""The form of a new round at work: its preview follows every setting, all its faults stand in their sections."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import gradio as gr

from lab.core.errors import Fault, LabError, SpecError
from lab.core.spec import load_spec
from lab.rating.design import RoundSpec
from lab.ui.components.html import failure
from lab.ui.components.markup import Html, tag
from lab.ui.components.wiring import quiet
from lab.ui.ratings.builder_fields import (
    LABELS,
    NAMES,
    NOBODY,
    SECTIONS,
    TEXTS,
    criterion_choices,
    faults_by_section,
    refilled,
    values_of,
)
from lab.ui.ratings.builder_preview import preview_html, recipe
from lab.ui.ratings.choices import bank_choices, model_choices, read_banks
from lab.ui.ratings.listing import NO_BANK
from lab.ui.ratings.permission import check_allowed, who_asks
from lab.ui.ratings.sample_size import Wanted
from storage.queries.ratings import list_rounds
from storage.queries.rounds import create_round

if TYPE_CHECKING:
    from lab.ui.app_state import LabApp
    from lab.ui.ratings.builder_layout import Builder
    from lab.ui.ratings.reading import Reading

UNNAMED = "Round"  # stands in for a name while a preview is drawn


@dataclass(frozen=True)
class Told:
    """What the form says of its values, in the order of `Builder.told`."""

    preview: Html
    recipe: str
    faults: list[Fault]

    def updates(self) -> list[Any]:
        """A section with faults opens; one without stays as it is."""
        by_section = faults_by_section(self.faults)
        blocks = [_fault_block(faults) for faults in by_section.values()]
        folds = [gr.update(open=True) if by_section[section] else gr.skip() for section in list(SECTIONS)[1:]]
        return [self.preview, self.recipe, *blocks, *folds]


def read_form(given: Sequence[Any]) -> tuple[dict[str, Any], int, Wanted]:
    """(values of the design, raters expected, what is wanted) from `Builder.inputs`."""
    *settings, people, percent, points, sd = given
    wanted = Wanted(*(value if isinstance(value, int | float) else 0 for value in (percent, points, sd)))
    return values_of(dict(zip(NAMES, settings, strict=True))), int(people or 0), wanted


def tell(reading: Reading, given: Sequence[Any]) -> Told:
    """The preview of these values; a name that is still missing is no fault yet."""
    values, people, wanted = read_form(given)
    if not values.get("bank") or len(values.get("models") or ()) < 2:
        words = "Choose an answer bank and two models or more: what the round would be is shown here."
        return Told(tag("p", words, cls="note"), "", [])
    try:
        spec = load_spec(RoundSpec, {"name": UNNAMED, **values})
        html = preview_html(reading.material(spec), spec, max(1, people), wanted)
    except SpecError as problem:
        return Told(tag("p", "Correct what is marked: then what the round would be is shown here.", cls="note"), "",
                    list(problem.faults))
    except LabError as problem:
        return Told(failure(problem), "", [])
    return Told(html, recipe(spec), [])


def _fault_block(faults: Sequence[Fault]) -> Html:
    if not faults:
        return Html("")
    rows = (tag("li", tag("b", _label(fault.field)), " ", tag("code", fault.field), " ", fault.message)
            for fault in faults)
    return tag("div", tag("ul", *rows), cls="lab-error", role="alert")


def _label(field: str) -> str:
    return LABELS.get(field.partition(".")[0], "")


def offered(app: LabApp, asked_bank: str, bank_before: str | None = None) -> list[Any]:
    """[bank, models, guess target, name, form shown, nothing to rate] as the page opens."""
    found = read_banks(app.store)
    known = [str(bank.id) for bank in found]
    chosen = next((bank for bank in (asked_bank, bank_before) if bank in known), next(iter(known), None))
    with app.store.read() as session:
        name = f"Fluency, round {len(list_rounds(session)) + 1}"
    return [gr.update(choices=bank_choices(found), value=chosen), *_models(app, chosen), name,
            gr.update(visible=bool(found)), Html("") if found else NO_BANK]


def _models(app: LabApp, bank: str | None) -> list[Any]:
    """[models, guess target] of a bank."""
    summary = next((one for one in read_banks(app.store) if str(one.id) == bank), None)
    choices, first = model_choices(app.store, summary)
    return [gr.update(choices=choices, value=first), _targets(first)]


def _targets(models: Sequence[str] | None) -> Any:
    return gr.update(choices=[(NOBODY, ""), *((model, model) for model in models or ())], value="")


def wire_builder(app: LabApp, builder: Builder, reading: Reading) -> None:
    """Everything but the button, which the page wires to open what was made."""
    w, told = builder.widgets, [*builder.told, builder.message]

    def show(*given: Any) -> list[Any]:
        """What was said of the last press of the button is about other values than these."""
        return [*tell(reading, given).updates(), Html("") if app.may_launch else gr.skip()]

    settings = [widget for name, widget in w.items() if name not in ("bank", "models", "language")]
    gr.on([widget.input for widget in (*settings, builder.people, *builder.wanted)], show, builder.inputs, told,
          show_progress="hidden", trigger_mode="always_last", concurrency_limit=None)
    quiet(w["bank"].input, lambda bank: _models(app, bank), [w["bank"]], [w["models"], w["guess_target"]]).then(
        show, builder.inputs, told, show_progress="hidden")
    quiet(w["models"].input, _targets, [w["models"]], [w["guess_target"]], trigger_mode="always_last").then(
        show, builder.inputs, told, show_progress="hidden")
    texts = [w[name] for name in SECTIONS[TEXTS]]

    def translate(language: str, about: bool, chosen: list[str], *written: str) -> list[Any]:
        known = dict(zip(SECTIONS[TEXTS], written, strict=True))
        return [gr.update(choices=criterion_choices(language), value=chosen), *refilled(known, language, about)]

    for widget in (w["language"], w["about"]):
        quiet(widget.input, translate, [w["language"], w["about"], w["criteria"], *texts], [w["criteria"], *texts],
              trigger_mode="always_last").then(show, builder.inputs, told, show_progress="hidden")


def read_design(values: dict[str, Any]) -> RoundSpec:
    """The design. SpecError with all faults: a missing name hides none of the others."""
    faults: dict[tuple[str, str], Fault] = {}
    for these in (values, {"name": UNNAMED, **values}):
        try:
            spec = load_spec(RoundSpec, these)
        except SpecError as problem:
            faults |= {(fault.field, fault.message): fault for fault in problem.faults}
    if faults:
        raise SpecError(list(faults.values()), RoundSpec.kind)
    return spec


def make(app: LabApp, request: gr.Request | None, given: Sequence[Any]) -> tuple[Any, Told | None, Html]:
    """(the round, or None; what the form says then; a message). All faults are told together."""
    try:
        check_allowed(app)
        made = create_round(app.store, read_design(read_form(given)[0]), who_asks(request))
    except SpecError as problem:
        words = f"{len(problem.faults)} thing{'' if len(problem.faults) == 1 else 's'} to correct, marked above."
        return None, Told(gr.skip(), gr.skip(), list(problem.faults)), failure(LabError(words))
    except LabError as problem:
        return None, None, failure(problem)
    return made, None, Html("")
