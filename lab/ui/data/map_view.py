"""The map of a dataset's questions: each row a point, its department or subject a colour; and the job that draws it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lab.reports.rows import csv_text
from lab.ui.components.folds import fold
from lab.ui.components.html import ago, empty, error, fact_list, link, progress_bar, state_badge
from lab.ui.components.markup import Html, join, tag
from lab.ui.components.scatter import Group, scatter
from lab.ui.components.table import Column, table
from storage.queries.jobs import list_jobs
from storage.tables import ENDED

if TYPE_CHECKING:
    from storage.database import Store
    from storage.tables import Job

MAP_FILE, NEWEST = "map.json", 50
METHODS = {"pca": "PCA", "tsne": "t-SNE"}
ABOUT = {
    "pca": "distances and directions mean something; groups may lie over each other",
    "tsne": "neighbours are neighbours; distances between groups and their sizes mean nothing",
}
NO_MAP = empty("No map yet", "Each question becomes a point; those that say similar things lie close. TF-IDF needs no "
                             "download; a sentence encoder reads meaning, not words alone.")


def map_jobs(store: Store, name: str) -> tuple[Job | None, Job | None]:
    """(the newest map of a dataset, what is being drawn or failed since)."""
    with store.read() as session:
        found, _ = list_jobs(session, kinds=("map",), limit=NEWEST)
    mine = [job for job in found if job.spec.get("dataset") == name]
    drawn = next((job for job in mine if job.state == "succeeded"), None)
    other = next((job for job in mine if job.state not in ("succeeded", "cancelled")), None)
    newer = other if other is not None and (drawn is None or (other.id or 0) > (drawn.id or 0)) else None
    return drawn, newer


def map_path(store: Store, job: Job) -> Path:
    return store.home.absolute(job.folder) / "artifacts" / MAP_FILE


def job_html(job: Job | None) -> Html:
    """The drawing that is on its way, or why the last one failed."""
    if job is None:
        return Html("")
    where = link(f"/jobs?id={job.id}", f"job {job.id}")
    if job.state == "failed":
        return error("The last map could not be drawn", job.message or "", join(["Its log: ", where]))
    bar = progress_bar(job.progress_done, job.progress_total, job.progress_text, job.eta_s) \
        if job.state in ("starting", "running") else None
    return tag("div", state_badge(job.state), " ", where, " draws a map ", bar, cls="data-running")


def is_running(job: Job | None) -> bool:
    return job is not None and job.state not in ENDED


def map_html(found: Mapping[str, Any], job: Job, fingerprint: str) -> Html:
    """Both pictures beside each other, what they rest on, and how far they can be trusted."""
    points, numbers = found.get("points") or {}, {row: place for place, row in enumerate(found.get("texts") or {})}
    names = [group["name"] for group in found.get("groups") or ()]
    pictures = [scatter(_groups(points[method], names, numbers), f"{words}", ABOUT[method])
                for method, words in METHODS.items() if points.get(method)]
    stale = tag("div", "⚠ This map is of another state of these rows: draw it again.", cls="caution") \
        if found.get("fingerprint") not in (None, fingerprint) else None
    notes = [tag("li", words) for words in found.get("notes") or ()]
    return join([stale, tag("div", *(tag("section", picture, cls="lab-card") for picture in pictures), cls="data-maps"),
                 tag("p", "A click opens the nearest row; a name lifts its group out of the others.", cls="note"),
                 tag("section", fact_list(_facts(found, job)), tag("ul", *notes, cls="cautions") if notes else None,
                     fold("map-groups", "The groups as a table", _table(found)), cls="lab-card")])


def _groups(points: list[Mapping[str, Any]], names: list[str], numbers: Mapping[str, int]) -> list[Group]:
    held: dict[str, tuple[list[tuple[float, float]], list[int]]] = {name: ([], []) for name in names}
    for point in points:
        places, rows = held.setdefault(str(point["group"]), ([], []))
        places.append((float(point["x"]), float(point["y"])))
        rows.append(numbers.get(point["id"], -1))
    return [Group(name, places, rows) for name, (places, rows) in held.items() if places]


def _facts(found: Mapping[str, Any], job: Job) -> list[tuple[str, object]]:
    embedder, method, trust = (found.get(name) or {} for name in ("embedder", "method", "trust"))
    why = tag("small", f" ⚠ {embedder['why']}") if embedder.get("why") else None
    facts: list[tuple[str, object]] = [
        ("read by", tag("span", embedder.get("used", "–"), why)),
        ("points", f"{found.get('n_rows')} of {found.get('n_read')} rows"),
        ("coloured by", found.get("grouped_by", "–")), ("drawn", join([ago(job.finished_at), " by ",
                                                                       link(f"/jobs?id={job.id}", f"job {job.id}")])),
    ]
    if explained := (method.get("pca") or {}).get("explained"):
        facts.append(("PCA explains", " + ".join(f"{100 * share:.0f}\u202f%" for share in explained)))
    if tsne := method.get("tsne"):
        facts.append(("t-SNE", f"perplexity {tsne.get('perplexity'):g}, {tsne.get('steps')} steps"))
    for name, words in METHODS.items():
        if one := trust.get(name):
            facts.append((f"trust in {words}", _trust(one)))
    return facts


def _trust(one: Mapping[str, Any]) -> Html:
    """Neighbours on the map against neighbours indeed, and groups against a shuffled map."""
    kept, same, chance = (one.get(name) for name in ("trustworthiness", "same_group", "chance"))
    words = [f"{kept:.2f} (0.5 is chance)" if kept is not None else "",
             f"of ten neighbours {10 * same:.1f} are of its group, by chance {10 * (chance or 0):.1f}"
             if same is not None else ""]
    return tag("span", "; ".join(filter(None, words)), title=f"n {one.get('n')}")


def _table(found: Mapping[str, Any]) -> Html:
    rows = [[group.get("name"), group.get("n"), group.get("n_all")] for group in found.get("groups") or ()]
    return table([Column("Group", wide=True), Column("Points", number=True), Column("Rows in all", number=True)], rows,
                 "Groups of the map")


def row_at(found: Mapping[str, Any], number: int) -> str:
    """The id of the row whose point was clicked; "" for none."""
    rows = list(found.get("texts") or {})
    return rows[number] if 0 <= number < len(rows) else ""


def map_csv(found: Mapping[str, Any]) -> str:
    """One line a row: its group and its place on each map."""
    rows: dict[str, dict[str, Any]] = {}
    methods = [name for name in METHODS if (found.get("points") or {}).get(name)]
    for name in methods:
        for point in found["points"][name]:
            row = rows.setdefault(point["id"], {"row": point["id"], "group": point["group"]})
            row |= {f"{name}_x": point["x"], f"{name}_y": point["y"]}
    empty_row = {f"{name}_{axis}": "" for name in methods for axis in "xy"}
    return csv_text([{"row": row["row"], "group": row["group"], **empty_row, **row} for row in rows.values()])
