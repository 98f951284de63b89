"""`data sheet`, `data lineage`, `data funnel`, `data export`: what a dataset is, was made of, and becomes."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jobs.cli.data_choice import excluded_of, filter_of, reviews_in_store, scores
from jobs.cli.data_names import home, in_full
from jobs.cli.output import put
from jobs.cli.text import aligned
from lab.core.errors import LabError
from lab.data.datasheet import datasheet
from lab.data.exporting import Choice, Exported, export
from lab.data.lineage import Link, lineage
from lab.data.made import find_made, made_of
from lab.data.noted import read_noted
from lab.data.reviewing import Review
from storage.database import open_store
from storage.queries.jobs import get_job

SHEET = "README.md"  # what the hub shows of a folder


def sheet(options: argparse.Namespace) -> int:
    put(datasheet(in_full(options.name), home()), options.to)
    return 0


def show_lineage(options: argparse.Namespace) -> int:
    links = lineage(in_full(options.name), home())
    if options.json:
        print(json.dumps([_as_json(link) for link in links], ensure_ascii=False, indent=2))
        return 0
    for link in links:
        print("  " * link.depth + _told(link))
    return 0


def _told(link: Link) -> str:
    rows = f", {link.rows:,} rows" if link.rows is not None else ""
    by = f" by {link.by}" if link.by else ""
    job = f" (job {link.job})" if link.job else ""
    sha = f", fingerprint {link.sha256[:12]}" if link.sha256 else ""
    name = link.path.name if link.path else link.name
    return f"{name}: {link.kind}{by}{job}{rows}{sha}" + (f"; {link.remark}" if link.remark else "")


def _as_json(link: Link) -> dict[str, Any]:
    return {"depth": link.depth, "name": link.name, "kind": link.kind, "rows": link.rows, "sha256": link.sha256,
            "path": str(link.path) if link.path else None, "by": link.by, "job": link.job, "license": link.license,
            "remark": link.remark}


def show_funnel(options: argparse.Namespace) -> int:
    """Of a made dataset, or of a job: while it runs, as far as it is."""
    funnel = _funnel(options.name)
    if options.json:
        print(json.dumps(funnel, ensure_ascii=False, indent=2))
        return 0
    stages = funnel.get("stages") or ()
    first = stages[0]["n"] if stages else 0
    print(aligned(("got as far as", "items", "share"), [
        [stage["name"], f"{stage['n']:,}", f"{100 * stage['n'] / first:.1f} %" if first else "–"] for stage in stages]))
    if funnel.get("solved"):
        print("\nsolved\n\n" + aligned(("attempt", "depth", "problems"), [
            [str(each["attempt"]), str(each["depth"]), f"{each['n']:,}"] for each in funnel["solved"]]))
    if funnel.get("dropped"):
        print("\nleft out\n\n" + aligned(("after", "why", "items", "for example"), [
            [each["stage"], each["outcome"], f"{each['n']:,}", ", ".join(each["items"][:2])]
            for each in funnel["dropped"]]))
    if funnel.get("n_open"):
        print(f"\n{funnel['n_open']:,} not ended, or not reached")
    return 0


def _funnel(name: str) -> Mapping[str, Any]:
    path = find_made(home(), name) or Path(name).expanduser()
    made = made_of(path)
    if made:
        if made.funnel:
            return made.funnel
        raise LabError(f"'{name}' was made by {made.by} and has no funnel", "data")
    with open_store().read() as session:
        job = get_job(session, name)
    funnel = (job.result or {}).get("funnel") or (job.facts or {}).get("funnel")
    if not funnel:
        raise LabError(f"job {job.id} is of kind {job.kind} and has no funnel, or none yet: jobs of kind problems, "
                       "reasoning and instructions have one.", "data")
    return funnel


def export_data(options: argparse.Namespace) -> int:
    """Rows in a schema; into a folder with the datasheet beside them."""
    name = in_full(options.name)
    reviews: Mapping[str, Review] = {}
    wanted = filter_of(options.only)
    if options.reviewed or options.only_approved or wanted.reviews or any("review=" in one for one in options.excluded):
        reviews = reviews_in_store(read_noted(name).key)
    applied = options.reviewed or options.only_approved
    choice = Choice(wanted, excluded_of(options.excluded), reviews, options.only_approved, scores, applied)
    done = export(name, options.schema, options.target, choice)
    folder = Path(options.target).expanduser()
    if folder.is_dir() and not (folder / SHEET).exists():
        (folder / SHEET).write_text(_sheet_of(name, options.schema, done), encoding="utf-8")
    if options.json:
        print(json.dumps(_counts(done), ensure_ascii=False, indent=2))
        return 0
    _print_export(done)
    return 0


def _sheet_of(name: str, schema: str, done: Exported) -> str:
    rendered = done.rendered
    left_out = "".join(f"- {count:,} left out: {why}.\n" for why, count in rendered.left_out.items())
    lost = "".join(f"- {count:,} rows have something in `{field}`, for which the form has no place.\n"
                   for field, count in rendered.lost.items())
    return f"{datasheet(name, home())}\n## This export\n\n- {rendered.n:,} rows in the form {schema}.\n{left_out}{lost}"


def _counts(done: Exported) -> dict[str, Any]:
    rendered = done.rendered
    return {"paths": [str(path) for path in done.paths], "rows": rendered.n, "left_out": rendered.left_out,
            "lost": rendered.lost, "guarded_cells": rendered.guarded}


def _print_export(done: Exported) -> None:
    rendered = done.rendered
    print(f"{rendered.n:,} row{'' if rendered.n == 1 else 's'} in " + ", ".join(map(str, done.paths)))
    for why, count in rendered.left_out.items():
        print(f"  {count:,} left out: {why}")
    for field, count in rendered.lost.items():
        print(f"  {count:,} have something in '{field}', for which the form has no place")
    if rendered.guarded:
        print(f"  {rendered.guarded:,} cells begin with an apostrophe, so that no spreadsheet runs them as a formula")
