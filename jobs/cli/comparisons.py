"""`comparisons`: what was asked and saved on the Compare page, from the command line."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from jobs.cli.text import aligned, as_dict
from lab.core.errors import LabError
from lab.core.settings import Settings
from storage.database import open_store
from storage.queries import comparisons
from storage.tables import Comparison, ComparisonTurn

NONE = "No saved comparison. The Compare page saves one; --drafts lists those that were not saved, too."


def list_saved(options: argparse.Namespace) -> int:
    with open_store().read() as session:
        found, total = comparisons.list_comparisons(session, options.search, not options.drafts, options.limit)
    if options.json:
        print(json.dumps([as_dict(one) for one in found], ensure_ascii=False))
        return 0
    rows = [[one.uid, f"{one.updated_at:%Y-%m-%d %H:%M}", one.title or "(a draft)", _models(one)] for one in found]
    print(aligned(("uid", "changed", "title", "models"), rows) if rows else NONE)
    if total > len(found):
        print(f"{len(found)} of {total}; --limit shows more")
    return 0


def show(options: argparse.Namespace) -> int:
    with open_store().read() as session:
        one = comparisons.get_comparison(session, options.uid)
        asked = comparisons.turns(session, one)
    settings = Settings.from_env()
    print(f"{one.title or '(a draft)'} · {_models(one)}\n"
          f"http://{settings.host}:{settings.port}/compare?c={one.uid}")
    for turn in asked:
        print(f"\n# {turn.question.strip()}")
        for answer in turn.answers:
            print(f"\n## {_label(one, answer)}\n{_said(answer, options.thinking)}")
        if turn.vote:
            print(f"\nvote: {json.dumps(turn.vote, ensure_ascii=False)}")
    return 0


def export(options: argparse.Namespace) -> int:
    """Everything that is stored of it. A file that is there already is not written over."""
    with open_store().read() as session:
        one = comparisons.get_comparison(session, options.uid)
        asked = comparisons.turns(session, one)
    told = {**_without_ids(one), "turns": [_without_ids(turn) for turn in asked]}
    try:
        with Path(options.to).open("x", encoding="utf-8") as file:
            json.dump(told, file, ensure_ascii=False, indent=1)
    except FileExistsError:
        raise LabError(f"'{options.to}' is there already; name another file.", "spec") from None
    except OSError as error:
        raise LabError(f"'{options.to}' cannot be written: {error.strerror}. Choose another place.", "disk") from None
    print(options.to)
    return 0


def delete(options: argparse.Namespace) -> int:
    with open_store().write() as session:
        comparisons.delete_comparison(session, options.uid)
    print(f"comparison {options.uid} is deleted; banks frozen from it keep their copy")
    return 0


def bank(options: argparse.Namespace) -> int:
    with open_store().write() as session:
        made = comparisons.bank_from_comparisons(session, options.name, options.uids)
    n_questions, labels = made.settings["n_questions"], " ".join(made.settings["columns"])
    print(f"answer bank {made.id} holds {n_questions} question{'' if n_questions == 1 else 's'} answered by {labels}; "
          f"make a round: python -m jobs ratings make {made.id} FIRST SECOND")
    return 0


def _models(one: Comparison) -> str:
    return ", ".join(str(column["label"]) for column in one.columns)


def _label(one: Comparison, answer: dict[str, Any]) -> str:
    place = answer.get("column", -1)
    return str(one.columns[place]["label"]) if 0 <= place < len(one.columns) else f"column {place}"


def _said(answer: dict[str, Any], thinking: bool) -> str:
    if answer.get("error"):
        return f"failed: {answer['error']}"
    thought, text = str(answer.get("thought", "")).strip(), str(answer.get("answer", "")).strip()
    text = text or ("(stopped before an answer)" if answer.get("phase") == "stopped" else "(no answer)")
    return f"[thinking]\n{thought}\n[answer]\n{text}" if thinking and thought else text


def _without_ids(row: Comparison | ComparisonTurn) -> dict[str, Any]:
    return {name: value for name, value in as_dict(row).items() if name not in ("id", "comparison_id")}
