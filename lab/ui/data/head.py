"""The head of a dataset: how many rows, its fingerprint and licence, where it comes from step by step, who wrote it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.ui.components.html import ago, error, fact_list, link, number
from lab.ui.components.markup import Html, join, tag
from lab.ui.data.shelf import EMBEDDED_NOTE, Listed, short
from storage.queries.jobs import find_job

if TYPE_CHECKING:
    from lab.data.lineage import Link
    from lab.ui.data.reading import Opened
    from storage.database import Store
    from storage.queries.row_reviews import ReviewCounts

MOST_LINKS = 12


def head_html(store: Store, opened: Opened, counts: ReviewCounts, keys: frozenset[str]) -> Html:
    """`keys`: what the page can open."""
    one, found = opened.listed, opened.found
    facts: list[tuple[str, object]] = [
        ("pairs" if found.kind == "pairs" else "rows", number(len(found.rows))),
        ("fingerprint", tag("code", found.fingerprint[:12], title=found.fingerprint)),
        ("licence", one.license or found.license or "–"),
    ]
    if one.made:
        facts += [("made", ago(one.created)), ("by job", _job(store, one.made.job))]
        facts += [(role, label) for role, label in one.teachers.items()]
    facts.append(("reviewed", _reviewed(counts)))
    cautions = list(one.made.notes if one.made else ())
    if one.is_embedded and not any("embedded" in words for words in cautions):
        cautions.insert(0, f"{EMBEDDED_NOTE[:1].upper()}{EMBEDDED_NOTE[1:]}.")
    return tag("section", _title(one), fact_list(facts), _cautions(cautions), _remarks(opened),
               lineage_html(_lineage(store, one), keys), cls="lab-card data-head")


def missing_html(one: Listed, problem: Exception) -> Html:
    """A registered set whose rows are not here, or a file that cannot be read."""
    facts = [("rows, as published", number(one.rows)), ("licence", one.license or "–"), ("from", one.source)]
    return tag("section", _title(one), fact_list(facts), error("Its rows cannot be shown", str(problem)),
               cls="lab-card data-head")


def _title(one: Listed) -> Html:
    return tag("h2", one.key, tag("small", one.title) if one.title != one.key else None,
               tag("small", "✎ embedded teacher", cls="embedded", title=EMBEDDED_NOTE) if one.is_embedded else None)


def _job(store: Store, uid: str) -> Html | str:
    if not uid:
        return "–"
    with store.read() as session:
        job = find_job(session, uid)
    return link(f"/jobs?id={job.id}", f"job {job.id}") if job else tag("code", uid)


def _reviewed(counts: ReviewCounts) -> str:
    told = [f"{n} {words}" for n, words in (
        (counts.n_approved, "approved"), (counts.n_rejected, "rejected"), (counts.n_edited, "edited"),
        (counts.n_contested, "contested")) if n]
    people = f" by {counts.n_reviewers}" if told and counts.n_reviewers > 1 else ""
    return (", ".join(told) or "nobody yet") + people


def _cautions(told: list[str]) -> Html | None:
    return tag("div", tag("ul", *(tag("li", f"⚠ {words}") for words in told)), cls="caution") if told else None


def _remarks(opened: Opened) -> Html | None:
    """Nothing is left out silently."""
    left_out = [f"{n} left out: {reason}" for reason, n in opened.found.skipped.items()]
    told = [*left_out, *opened.found.remarks]
    return tag("ul", *(tag("li", words) for words in told), cls="cautions") if told else None


def _lineage(store: Store, one: Listed) -> list[Link]:
    from lab.data.lineage import lineage

    return lineage(one.name, store.home.path)


def lineage_html(links: list[Link], keys: frozenset[str]) -> Html | None:
    """What it was made of, and what that was made of; each step that the page can open is a link."""
    if len(links) < 2:
        return None
    steps = [_step(one, keys) for one in links[1:MOST_LINKS + 1]]
    more = len(links) - 1 - len(steps)
    return join([tag("h3", "Made from"), tag("ul", *steps, cls="data-lineage"),
                 tag("p", f"and {more} more, in the datasheet", cls="note") if more > 0 else None])


def _step(one: Link, keys: frozenset[str]) -> Html:
    key = one.path.stem if one.path is not None else one.name
    name = tag("a", key, href=f"/data?data={key}") if key in keys else tag("b", short(one.name))
    rows = f"{one.rows} rows" if one.rows else ""
    about = " · ".join(filter(None, (one.kind, rows, f"sha256 {one.sha256[:8]}" if one.sha256 else "", one.remark)))
    return tag("li", name, tag("small", f" {about}"), style=f"margin-left:{18 * (one.depth - 1)}px")
