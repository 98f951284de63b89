"""The events of the forms that make data: faults and warnings as they are filled, the recipe, the launch, the jobs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import gradio as gr

from lab.core.errors import LabError
from lab.ui.components.html import empty, failure
from lab.ui.components.markup import Html, join, tag
from lab.ui.components.wiring import quiet
from lab.ui.data.making import FORMS, TITLES, look_over, model_choices, running_html, source_choices, warnings_html
from lab.ui.ratings.permission import check_allowed, number_of
from lab.ui.train.launching import launch
from storage.queries.ratings import list_rounds

if TYPE_CHECKING:
    from lab.ui.app_state import LabApp
    from lab.ui.data.make_layout import FromRound, Make, MakeForm
    from storage.database import Store

FIRST_KIND = "problems"
NO_ROUND = empty("No closed round yet", "When a rating round is closed, the answers that its raters agree on become "
                                        "pairs here.", "/ratings", "See the rounds")


def wire_make(app: LabApp, make: Make) -> None:
    for form in make.forms.values():
        _wire_form(app, form, make.running)
    _wire_round(app, make.from_round)


def _wire_form(app: LabApp, form: MakeForm, running: gr.HTML) -> None:
    spec = FORMS[form.kind]

    def look(*values: Any) -> list[Any]:
        # Looking reads files by their names: not for visitors, who cannot launch either.
        return [look_over(app.store, form.kind, values) if app.may_launch else Html(""), spec.recipe(values)]

    def go(*values: Any) -> list[Any]:
        told = launch(app, form.kind, spec.values(values))
        warned = warnings_html(app.store, form.kind, spec.values(values)) if "good-news" in told else Html("")
        return [join([told, warned]), running_html(app.store)]

    gr.on([widget.input for widget in form.widgets], look, form.widgets, [form.told, form.recipe],
          show_progress="hidden", trigger_mode="always_last", concurrency_limit=None)
    quiet(form.launch.click, go, form.widgets, [form.message, running], trigger_mode="once")


def offers(app: LabApp, make: Make) -> list[Any]:
    """Choices of every form, as the page opens: in the order of `offered`."""
    found: list[Any] = []
    for form in make.forms.values():
        found.append(gr.update(choices=source_choices(app.store, form.kind)))
        found += [gr.update(choices=model_choices(app.store, name)) for name in form.models]
        spec = FORMS[form.kind]
        found.append(spec.recipe([field.shown(spec.default(field)) for field in spec.fields]))
    rounds = round_choices(app.store)
    first = rounds[0][1] if rounds else None
    rule = (first, 0.7, 2, False)
    return [*found, gr.update(choices=rounds, value=first), preview(app.store, *rule), running_html(app.store)]


def offered(make: Make) -> list[Any]:
    """What `offers` fills."""
    found: list[Any] = []
    for form in make.forms.values():
        found += [form.source, *form.models.values(), form.recipe]
    return [*found, make.from_round.round, make.from_round.preview, make.running]


def follow_forms(app: LabApp, make: Make, opened: Any) -> None:
    """Who comes back finds the recipes and the preview of what the forms hold, not of how they began."""
    for form in make.forms.values():
        quiet(opened.then, lambda *values, kind=form.kind: FORMS[kind].recipe(values), form.widgets, [form.recipe])
    rule = make.from_round
    quiet(opened.then, lambda *given: preview(app.store, *given), rule.rule, [rule.preview])


def round_choices(store: Store) -> list[tuple[str, str]]:
    with store.read() as session:
        return [(f"{row.name} (no. {row.id})", str(row.id)) for row in list_rounds(session) if row.state == "closed"]


def preview(store: Store, chosen: str | None, agreement: float, votes: float, thinking: bool) -> Html:
    """How many pairs the rule leaves, and what it leaves out."""
    if not chosen:
        return NO_ROUND
    from storage.queries.rating_pairs import preview_pairs

    try:
        with store.read() as session:
            found = preview_pairs(session, number_of(chosen), _rule(agreement, votes, thinking))
    except LabError as problem:
        return failure(problem)
    return tag("ul", *(tag("li", words) for words in found.sentences()), cls="cautions")


def _rule(agreement: float, votes: float, thinking: bool) -> Any:
    from lab.rating.files.preferences import PairRule

    return PairRule(least_agreement=float(agreement or 0), least_votes=int(votes or 1), keep_thinking=bool(thinking))


def keep_from_round(app: LabApp, chosen: str | None, rule: tuple[float, float, bool], name: str) -> Html:
    """The pairs as a dataset, and the way to it. `rule`: least agreement, least votes, whether thinking is kept."""
    from storage.queries.rating_pairs import keep_pairs

    try:
        check_allowed(app)
        kept = keep_pairs(app.store, number_of(chosen or ""), _rule(*rule), name.strip())
    except LabError as problem:
        return failure(problem)
    key = kept.path.stem
    return tag("p", "Kept as ", tag("a", key, href=f"/data?data={key}"), ".", cls="good-news", role="status")


def _wire_round(app: LabApp, form: FromRound) -> None:
    def keep(chosen: str | None, agreement: float, votes: float, thinking: bool, name: str) -> Html:
        return keep_from_round(app, chosen, (agreement, votes, thinking), name)

    gr.on([widget.input for widget in form.rule], lambda *given: preview(app.store, *given), form.rule, [form.preview],
          show_progress="hidden", trigger_mode="always_last", concurrency_limit=None)
    quiet(form.make.click, keep, [*form.rule, form.name], [form.message], trigger_mode="once")


def kind_opened(app: LabApp, name: str) -> Callable[..., list[Any]]:
    """A tab that was chosen goes into the address; a tab says that it was chosen when the page opens, too."""
    def go(kind: str) -> list[Any]:
        if kind == name or name not in TITLES:
            return [None, name]
        return [{"view": "make", "kind": name}, name]

    return go
