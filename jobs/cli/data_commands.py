"""The commands of `data …`."""

from __future__ import annotations

import argparse

from jobs.cli.options import add_json, command

NAME = "a name, NAME@FOLDER, a file, hub:ORG/NAME, 'a + b[:100]', or the file name of a dataset that was made here"
FIELDS = ("department, subdepartment, subject, provenance, style, strategy, review, trace (with, without), words, or a "
          "number such as quality=7..10: quality, complexity, relevance, depth, trace_words, answer_words")


def add_data(commands: argparse._SubParsersAction) -> None:
    text = "Datasets and preference pairs: list, look at, check, import, browse, review, export."
    group = commands.add_parser("data", help=text, description=text)
    actions = group.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _add_looking(actions)
    _add_browsing(actions)
    _add_history(actions)
    _add_reviewing(actions)
    _add_export(actions)


def _add_looking(actions: argparse._SubParsersAction) -> None:
    listing = command(actions, "list", "jobs.cli.data:list_data", "Every dataset and pair set, with its licence.")
    add_json(listing)
    show = command(actions, "show", "jobs.cli.data:show", "One dataset's card and its first rows.")
    show.add_argument("--rows", type=int, default=2, metavar="N", help="rows shown (default 2)")
    show.add_argument("--width", type=int, default=300, metavar="N", help="characters of a field shown (default 300)")
    check = command(actions, "check", "jobs.cli.data:check", "Read every row; count what is left out, and why.")
    for action in (show, check):
        _add_name(action)
        add_json(action)
    bring = command(actions, "import", "jobs.cli.data:import_data", "Keep a table of any columns as a dataset.")
    bring.add_argument("file", metavar="FILE", help="JSONL, JSON, CSV or Parquet")
    bring.add_argument("--map", action="append", default=[], metavar="FIELD=COLUMN",
                       help="which column holds what (repeatable): question, trace, answer, gold, options, …")
    bring.add_argument("--name", default="", metavar="NAME", help="name of the dataset (default: the file's)")
    bring.add_argument("--dry-run", action="store_true", help="show what would be kept, keep nothing")


def _add_browsing(actions: argparse._SubParsersAction) -> None:
    rows = command(actions, "rows", "jobs.cli.data_rows:browse_rows", "Browse, search and filter rows, page by page.")
    _add_name(rows)
    rows.add_argument("words", nargs="*", metavar="WORD", help="rows that have all of these; 'a phrase' in quotes")
    _add_choice(rows)
    rows.add_argument("--sort", default="position", metavar="FIELD",
                      help="quality, complexity, depth, trace_words, …; --sort=-quality: largest first")
    rows.add_argument("--page", type=int, default=1, metavar="N", help="which page (default 1)")
    rows.add_argument("--per-page", type=int, default=20, metavar="N", help="rows of a page (default 20)")
    rows.add_argument("--full", action="store_true", help="every field of each row instead of a table")
    grades = command(actions, "grades", "jobs.cli.data_rows:grades",
                     "Grades, lengths, provenance, depth and departments, as histograms and counts.")
    _add_name(grades)
    grades.add_argument("--by", default="", metavar="FIELD", help="grades for each department, subject, style, …")
    for action in (rows, grades):
        add_json(action)


def _add_history(actions: argparse._SubParsersAction) -> None:
    sheet = command(actions, "sheet", "jobs.cli.data_made:sheet", "The datasheet, as Markdown.")
    sheet.add_argument("--to", default="", metavar="FILE.md", help="write it there")
    chain = command(actions, "lineage", "jobs.cli.data_made:show_lineage", "What a dataset was made of, and so on.")
    funnel = command(actions, "funnel", "jobs.cli.data_made:show_funnel",
                     "The yield of a synthesis: how far its items got, and why the others were dropped.")
    for action in (sheet, chain):
        _add_name(action)
    funnel.add_argument("name", metavar="JOB | NAME", help="the job's number or uid, or a dataset that was made here")
    for action in (chain, funnel):
        add_json(action)


def _add_reviewing(actions: argparse._SubParsersAction) -> None:
    review = command(actions, "review", "jobs.cli.data_reviews:review", "Approve, reject or edit rows.")
    _add_name(review)
    review.add_argument("verdict", choices=["approve", "reject", "edit", "open"], help="open: take the last word back")
    review.add_argument("rows", nargs="+", metavar="ROW", help="ids, as `data rows` shows them")
    review.add_argument("--set", action="append", default=[], metavar="FIELD=TEXT",
                        help="a new text (repeatable); FIELD=@FILE reads it from a file; empty: no trace, no steps")
    review.add_argument("--note", default="", metavar="TEXT", help="why; of a rejected row it becomes the reason")
    review.add_argument("--as", dest="reviewer", required=True, metavar="NAME", help="who says so")
    reviews = command(actions, "reviews", "jobs.cli.data_reviews:list_reviews", "What was said of a dataset's rows.")
    version = command(actions, "version", "jobs.cli.data_reviews:version",
                      "Keep the reviewed rows as a new dataset: rejected left out, edited as edited.")
    version.add_argument("--only-approved", action="store_true", help="leave out what nobody has approved or edited")
    for action in (reviews, version):
        _add_name(action)
    add_json(reviews)


def _add_export(actions: argparse._SubParsersAction) -> None:
    export = command(actions, "export", "jobs.cli.data_made:export_data", "Write rows in the form of a public dataset.")
    _add_name(export)
    export.add_argument("target", metavar="FOLDER | FILE", help="a folder as the form's reader takes it, with its "
                        "datasheet, or one .jsonl, .json or .csv file")
    export.add_argument("--schema", default="lab", metavar="NAME", help="lab, medical-o1-sft, medical-o1-verifiable, "
                        "finemed-sft, finemed-dpo, messages (default lab)")
    export.add_argument("--reviewed", action="store_true", help="rejected rows left out, edited ones as edited")
    export.add_argument("--only-approved", action="store_true", help="only rows that somebody approved or edited")
    _add_choice(export)
    add_json(export)


def _add_name(added: argparse.ArgumentParser) -> None:
    added.add_argument("name", metavar="NAME", help=NAME)


def _add_choice(added: argparse.ArgumentParser) -> None:
    added.add_argument("--only", action="append", default=[], metavar="FIELD=VALUE",
                       help=f"rows with this (repeatable; one field twice: either). {FIELDS}")
    added.add_argument("--except", action="append", default=[], dest="excluded", metavar="FIELD=VALUE",
                       help="leave out the rows with this (repeatable: with any of them)")
