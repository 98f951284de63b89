"""Making data: what the forms offer, what to watch out for before anything is asked, and the jobs that are at it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from lab.bases.cards import bases
from lab.core.errors import LabError
from lab.core.spec import load_spec
from lab.data.dataset import datasets
from lab.data.made import made_of
from lab.data.mixture import parse
from lab.data.texts import text_sets
from lab.synthesis.specs import EMBEDDED, RULE, InstructionsSpec, ProblemsSpec, ReasoningSpec
from lab.ui.compare.choices import offered
from lab.ui.components.html import ago, failure, link, note, progress_bar, state_badge
from lab.ui.components.markup import Html, join, tag
from lab.ui.data.funnel_view import funnel_html, read_funnel, spent_html
from lab.ui.data.shelf import read_shelf
from lab.ui.form import SpecForm
from lab.ui.runs.launch import reference
from storage.queries.jobs import find_job, list_jobs
from storage.tables import ENDED

if TYPE_CHECKING:
    from storage.database import Store
    from storage.tables import Job

FORMS = {spec.kind: SpecForm(spec) for spec in (ProblemsSpec, ReasoningSpec, InstructionsSpec)}
TITLES = {"problems": "Verifiable problems", "reasoning": "Complex reasoning", "instructions": "Graded instructions",
          "ratings": "From a rating round"}
ABOUT = {
    "problems": "Exam questions become open problems with one short answer: filtered, reformulated, kept clear of "
                "every benchmark, split into a half for supervised training and one for reinforcement learning.",
    "reasoning": "The teacher reasons about each problem, a verifier compares its conclusion with the true answer, and "
                 "it thinks again by another strategy until it is right. Only what was found is kept.",
    "instructions": "Each text becomes two instructions that are graded and sorted by department; complex ones get "
                    "long reasoning, and become pairs for preference training.",
    "ratings": "The votes of a closed rating round, where raters agree enough, become pairs for preference training.",
}
SOURCES = {"problems": "dataset", "reasoning": "problems", "instructions": "texts"}
MODELS = ("teacher", "verifier", "thinker", "judge", "solvers")  # fields that name models
ALSO = {"verifier": [("the teacher", ""), ("rule: the problem's own, no model", RULE)],
        "thinker": [("the teacher", "")], "judge": [("nobody: the long answer is preferred unread", "")], "solvers": []}
EMBEDDED_LABEL = f"✎ {EMBEDDED} (embedded and scripted; the demo data only)"
DEMO = "demo-"
SHOWN = 8
KINDS = tuple(FORMS)


def model_choices(store: Store, field: str) -> list[tuple[str, str]]:
    """(label, reference as a spec names it): the embedded teacher, bases, variants, endpoints."""
    found = [(label, reference(name)) for label, name in offered(store)]
    first = [(EMBEDDED_LABEL, EMBEDDED)] if field != "solvers" else []
    return [*ALSO.get(field, ()), *first, *found]


def source_choices(store: Store, kind: str) -> list[tuple[str, str]]:
    """What the data may be made of: registered, imported and made here, and problems that a job has left."""
    if kind == "instructions":
        return [(name, name) for name in sorted(text_sets())]
    own = [(f"{one.key} ({one.origin})", one.name) for one in read_shelf(store)
           if one.kind == "rows" and one.origin != "registered"]
    jobs = _problem_jobs(store) if kind == "reasoning" else []
    return [*((name, name) for name in sorted(datasets())), *jobs, *own]


def _problem_jobs(store: Store) -> list[tuple[str, str]]:
    with store.read() as session:
        found, _ = list_jobs(session, kinds=("problems",), limit=20)
    return [(f"job {job.id}: {job.name} ({job.state})", f"job:{job.uid}") for job in found
            if job.state not in ("failed", "cancelled")]


def look_over(store: Store, kind: str, values: Sequence[Any]) -> Html:
    """Every fault of what the form holds, or what to watch out for."""
    form = FORMS[kind]
    try:
        load_spec(form.cls, form.values(values))
    except LabError as problem:
        return failure(problem)
    return warnings_html(store, kind, form.values(values))


def warnings_html(store: Store, kind: str, values: Mapping[str, Any]) -> Html:
    told = []
    embedded = [name for name in MODELS if EMBEDDED in _listed(values.get(name))]
    source = str(values.get(SOURCES[kind]) or "")
    if embedded and not is_demo(store, source):
        told.append(f"The embedded teacher solves the lab's demo problems and nothing else: it will refuse the rows of "
                    f"'{source}'. Choose a base, a variant or an endpoint.")
    if values.get("show_label"):
        told.append("Rows whose true answer was shown are marked label_shown: they teach no search.")
    if any(ref.startswith("remote:") for name in MODELS for ref in _listed(values.get(name))) and not (
            values.get("budget_tokens") or values.get("budget_usd")):
        told.append("An endpoint is asked without a budget: set one under Budget, or it asks to the end.")
    if not told:
        return Html("")
    return tag("div", tag("ul", *(tag("li", f"⚠ {words}") for words in told)), cls="caution", role="status")


def _listed(value: Any) -> list[str]:
    return [str(each) for each in value] if isinstance(value, list | tuple) else [str(value or "")]


def is_demo(store: Store, source: str, depth: int = 0) -> bool:
    """Whether every part of a source is the lab's demo data, or was made of it here."""
    if source.startswith("job:"):
        with store.read() as session:
            job = find_job(session, source)
        return job is not None and is_demo(store, str(job.spec.get("dataset", "")), depth + 1)
    try:
        names = [part.name for part in parse(source)]
    except LabError:
        return False
    return bool(names) and all(_is_demo(store, name, depth) for name in names)


def _is_demo(store: Store, name: str, depth: int) -> bool:
    if name.startswith(DEMO) and "/" not in name:
        return True
    made = made_of(store.home.path / name) if name.endswith(".jsonl") and depth < 8 else None
    return bool(made and made.parents) and all(is_demo(store, one.name, depth + 1) for one in made.parents)  # type: ignore[union-attr]


def model_names() -> list[str]:
    return sorted(bases())


def running_html(store: Store) -> Html:
    """Synthesis jobs that wait or run, with their funnel and cost as they are now; then the last that ended."""
    with store.read() as session:
        found, _ = list_jobs(session, kinds=KINDS, limit=30)
    active = [job for job in found if job.state not in ENDED]
    ended = [job for job in found if job.state in ENDED][:3]
    parts = [_running(job) for job in active[:SHOWN]]
    more = len(active) - len(parts)
    return join([
        tag("h2", "At work now") if parts else None, *parts, note(f"{more} more wait.") if more > 0 else None,
        tag("h2", "Ended last") if ended else None, *(_ended(store, job) for job in ended),
    ])


def _running(job: Job) -> Html:
    now = progress_bar(job.progress_done, job.progress_total, job.progress_text, job.eta_s) \
        if job.state in ("starting", "running") else None
    funnel, spent = read_funnel(job.facts.get("funnel")), job.facts.get("spent")
    live = funnel_html(funnel, f"job-{job.id}", spent=spent) if funnel else spent_html(spent) if spent else None
    return tag("section", _title(job), now, live, cls="lab-card data-job")


def _title(job: Job) -> Html:
    return tag("div", link(f"/jobs?id={job.id}", f"job {job.id}"), " ", tag("b", job.name), " ",
               tag("small", TITLES.get(job.kind, job.kind)), " ", state_badge(job.state), cls="line")


def _ended(store: Store, job: Job) -> Html:
    left = [store.home.absolute(str(one.get("path", ""))).stem for one in job.facts.get("datasets") or ()]
    sets = [join([link(f"/data?data={key}", key), " "]) for key in left]
    why = tag("small", job.message, cls="bad") if job.state == "failed" else None
    return tag("div", _title(job), tag("span", "left ", *sets) if sets else None, why,
               tag("small", ago(job.finished_at)), cls="now-job")
