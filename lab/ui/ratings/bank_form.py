"""Answers to rate: a new answer bank as a job, or frozen from saved comparisons; and the banks and jobs there are."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from jobs.queue import submit
from lab.benchmarks.specs import AnswersSpec
from lab.core.errors import Fault, LabError, SpecError
from lab.core.spec import load_spec
from lab.data.dataset import datasets
from lab.ui.components.html import ago, card, chip, empty, failure, link, state_badge
from lab.ui.components.markup import Html, join, tag
from lab.ui.components.table import Column, table
from lab.ui.form import FormField, SpecForm
from lab.ui.jobs.listing import job_title, outcome
from lab.ui.ratings.figures import plural
from lab.ui.ratings.permission import check_allowed
from lab.ui.runs.launch import reference
from lab.ui.train.own_data import kept_uploads
from storage.queries.comparisons import bank_from_comparisons, list_comparisons
from storage.queries.jobs import list_jobs
from storage.queries.ratings import banks
from storage.tables import ENDED

if TYPE_CHECKING:
    from lab.ui.app_state import LabApp
    from storage.database import Store
    from storage.queries.ratings import BankSummary
    from storage.tables import Job

FIELDS: dict[str, FormField] = {field.name: field for field in SpecForm(AnswersSpec).fields}
SOURCES = {"benchmark": "A benchmark", "dataset": "A dataset", "prompts": "Questions of your own",
           "comparisons": "Saved comparisons"}
SETTINGS = ("max_new_tokens", "temperature", "seed", "batch_size", "min_think_tokens", "max_think_tokens",
            "answer_prefix")
LABELS = {"name": "Name", "models": "Models", "n_questions": "Questions", "max_new_tokens": "Budget",
          "temperature": "Temperature", "seed": "Seed", "batch_size": "Rows together",
          "min_think_tokens": "Least thinking",
          "max_think_tokens": "Most thinking", "answer_prefix": "Answer prefix", "benchmark": "Benchmark",
          "dataset": "Dataset", "prompts": "Your questions"}
BANKS = [Column("Answer bank", wide=True), Column("Questions", number=True), Column("Models")]
SHOWN, MOST_COMPARISONS, MODELS_SHOWN = 20, 200, 4
NO_BANK = empty("No answer bank yet", "Choose models and questions, and collect their answers. What is frozen then is "
                                      "what raters read.")


def prompts_of(text: str) -> list[str]:
    """Questions of one's own: one in each line, or, where an empty line stands between them, one in each block."""
    text = (text or "").strip()
    if re.search(r"\n[ \t]*\n", text):
        return [block.strip() for block in re.split(r"\n[ \t]*\n", text) if block.strip()]
    return [line.strip() for line in text.splitlines() if line.strip()]


def values_of(given: Mapping[str, Any]) -> dict[str, Any]:
    """Values of an `AnswersSpec` from the form; a field left empty takes its default."""
    found: dict[str, Any] = {"models": [reference(name) for name in given.get("models") or []]}
    source = given.get("source")
    if source in ("benchmark", "dataset") and given.get(source):
        found[source] = given[source]
    if source == "prompts":
        found["prompts"] = prompts_of(given.get("prompts") or "")
    for name in ("name", "n_questions", *SETTINGS):
        if given.get(name) not in (None, "") and not (name == "n_questions" and source == "prompts"):
            found[name] = FIELDS[name].read(given[name])
    return found


def collect(app: LabApp, given: Mapping[str, Any]) -> Html:
    """Queue the job, or freeze comparisons; says what was made, or every fault."""
    try:
        check_allowed(app)
        if given.get("source") == "comparisons":
            return _frozen(app.store, given.get("name") or "", given.get("comparisons") or [])
        values = values_of(given)
        if given.get("source") in ("benchmark", "dataset") and not given.get(given["source"]):
            raise SpecError([Fault(given["source"], "choose one"), *_others(values)], "answer bank")
        job = submit(app.store, AnswersSpec.kind, values).jobs[0]
    except SpecError as problem:
        return _faults(problem.faults)
    except LabError as problem:
        return failure(problem)
    return tag("div", tag("p", "Queued: ", tag("a", f"job {job.id}", href=f"/jobs?id={job.id}"),
                          ". The bank is listed below when it is done."), cls="good-news", role="status")


def _others(values: Mapping[str, Any]) -> list[Fault]:
    """The faults of everything but where the questions come from."""
    try:
        load_spec(AnswersSpec, {**values, "prompts": ["?"]})
    except SpecError as problem:
        return list(problem.faults)
    return []


def _frozen(store: Store, name: str, uids: Sequence[str]) -> Html:
    with store.write() as session:
        bank = bank_from_comparisons(session, name, uids)
        said, number = bank.name, bank.id
    words = f"The answer bank '{said}' holds the first answers of {plural(len(uids), 'comparison')}. "
    return tag("div", join([words, link(f"/ratings?view=new&bank={number}", "Make a round of it")]), cls="good-news",
               role="status")


def _faults(faults: Sequence[Fault]) -> Html:
    title = f"{len(faults)} thing{'' if len(faults) == 1 else 's'} to correct"
    rows = (tag("li", tag("b", LABELS.get(fault.field.partition(".")[0], "")), " ", tag("code", fault.field), " ",
                fault.message) for fault in faults)
    return tag("div", tag("b", title), tag("ul", *rows), cls="lab-error", role="alert")


def dataset_choices(app: LabApp) -> list[tuple[str, str]]:
    uploads = [(f"{path.name} (your own)", str(path)) for path in kept_uploads(app.store.home)]
    return [*((name, name) for name in sorted(datasets())), *uploads]


def comparison_choices(store: Store) -> list[tuple[str, str]]:
    """(title and models, uid) of saved comparisons, newest first."""
    with store.read() as session:
        found, _ = list_comparisons(session, limit=MOST_COMPARISONS)
    return [(f"{row.title or row.uid} · {', '.join(column['label'] for column in row.columns)}",
             row.uid) for row in found]


def banks_html(store: Store) -> Html:
    """Jobs that collect answers first, then the banks there are."""
    with store.read() as session:
        running, _ = list_jobs(session, kinds=("answers",), limit=SHOWN)
        found = banks(session)
        active = [job for job in running if job.state not in ENDED]
        failed = [job for job in running if job.state == "failed"][:3]
    parts: list[object] = [card("Being collected", join(map(_job, active)))] if active else []
    parts += [card("Failed lately", join(map(_job, failed)))] if failed else []
    if not found:
        return join([*parts, NO_BANK if not active else None])
    more = len(found) - SHOWN
    parts.append(table(BANKS, [_row(bank) for bank in found[:SHOWN]], caption="Answer banks"))
    parts.append(tag("p", f"{more} older banks are not listed; the form of a new round offers them all.", cls="note")
                 if more > 0 else None)
    return join(parts)


def _job(job: Job) -> Html:
    name = tag("a", job_title(job, None), href=f"/jobs?id={job.id}", cls="row-link line")
    return tag("div", name, state_badge(job.state), " ", outcome(job), " ", tag("small", ago(job.created_at)),
               cls="now-job")


def _row(bank: BankSummary) -> list[object]:
    about = f"no. {bank.id} · {bank.benchmark}{', frozen from comparisons' if bank.by_hand else ''}"
    use = tag("a", "New round of it", href=f"/ratings?view=new&bank={bank.id}", aria_label=f"New round of {bank.name}")
    name = tag("span", tag("b", bank.name), tag("small", about), use)
    more = len(bank.models) - MODELS_SHOWN
    chips = [chip(model.label, model.arm) for model in bank.models[:MODELS_SHOWN]]
    models = tag("div", *chips, tag("small", f"and {more} more") if more > 0 else None, cls="lab-chips")
    return [name, bank.n_questions, models]
