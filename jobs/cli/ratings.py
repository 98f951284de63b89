"""`ratings …`: answer banks and blind rounds from the command line, as on the Ratings page."""

from __future__ import annotations

import argparse

from jobs.cli.text import aligned
from lab.core.settings import Settings
from storage.database import open_store
from storage.queries import rating_exports, ratings, rounds


def list_banks(options: argparse.Namespace) -> int:
    with open_store().read() as session:
        found = ratings.banks(session)
    rows = [[str(bank.id), bank.name, bank.benchmark, str(bank.n_questions),
             ", ".join(model.label for model in bank.models)] for bank in found]
    print(aligned(("id", "name", "benchmark", "questions", "models"), rows) if rows else
          "No answer bank. A study with n_bank_questions above 0 makes one for every pair of arms.")
    return 0


def list_rounds(options: argparse.Namespace) -> int:
    with open_store().read() as session:
        found = [ratings.progress(session, row.id) for row in ratings.list_rounds(session)]
    rows = [[str(one.round.id), one.round.state, one.round.name, str(one.n_units), f"{one.n_ratings} of {one.n_needed}",
             str(len(one.raters))] for one in found]
    print(aligned(("id", "state", "name", "pairs", "ratings", "raters"), rows) if rows else
          "No round. `python -m jobs ratings make` makes one from an answer bank.")
    return 0


def make(options: argparse.Namespace) -> int:
    plan = rounds.RoundPlan(
        bank_id=options.bank, model_a=options.first, model_b=options.second,
        name=options.name or f"{options.first} and {options.second}", quota=options.quota, seed=options.seed,
    )
    store = open_store()
    made = rounds.create_round(store, plan)
    with store.read() as session:
        counts = ratings.progress(session, made.id)
    print(f"round {made.id} is open: {counts.n_units} pairs, {made.n_excluded} left out, {made.quota} raters a pair")
    for warning in made.warnings:
        print(f"warning: {warning}")
    return 0


def invite(options: argparse.Namespace) -> int:
    """Print a link a rater. It is shown this once: only its hash is stored."""
    settings = Settings.from_env()
    for code, token in rounds.invite(open_store(), options.round, options.names):
        print(f"{code}\thttp://{settings.host}:{settings.port}/rate/{token}")
    return 0


def close(options: argparse.Namespace) -> int:
    rounds.close_round(open_store(), options.round)
    print(f"round {options.round} is closed; `python -m jobs ratings export {options.round} FOLDER` writes its files")
    return 0


def export(options: argparse.Namespace) -> int:
    for path in rating_exports.export_round(open_store(), options.round, options.folder, options.blinded):
        print(path)
    return 0
