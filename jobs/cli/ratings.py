"""`ratings …`: answer banks and blind rounds from the command line, as on the Ratings page."""

from __future__ import annotations

import argparse
import getpass
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from jobs.cli.text import aligned
from lab.core.errors import Fault, LabError, SpecError
from lab.core.spec import load_spec, parse_overrides, read_recipe
from lab.rating.blinding import Material
from lab.rating.design import RoundSpec
from lab.rating.verdicts import minutes
from storage.database import open_store
from storage.queries import ratings, rounds
from storage.queries.ratings import RoundProgress


def list_banks(options: argparse.Namespace) -> int:
    with open_store().read() as session:
        found = ratings.banks(session)
    if options.json:
        print(json.dumps([asdict(bank) for bank in found], indent=1))
        return 0
    rows = [[str(bank.id), bank.name, bank.benchmark, str(bank.n_questions),
             ", ".join(model.label for model in bank.models)] for bank in found]
    print(aligned(("id", "name", "benchmark", "questions", "models"), rows) if rows else
          "No answer bank. A study with n_bank_questions above 0 makes one for every pair of arms.")
    return 0


def list_rounds(options: argparse.Namespace) -> int:
    with open_store().read() as session:
        found = [ratings.progress(session, row.id) for row in ratings.list_rounds(session)]
    if options.json:
        print(json.dumps([_counts(one) for one in found], indent=1))
        return 0
    rows = [[str(one.round.id), one.round.state, one.round.name, str(one.n_units), f"{one.n_ratings} of {one.n_needed}",
             str(len(one.raters))] for one in found]
    print(aligned(("id", "state", "name", "units", "ratings", "raters"), rows) if rows else
          "No round. `python -m jobs ratings make` makes one from an answer bank.")
    return 0


def make(options: argparse.Namespace) -> int:
    spec, store = design_of(options), open_store()
    made = rounds.create_round(store, spec, who=_who())
    with store.read() as session:
        counts = ratings.progress(session, made.id)
    print(f"round {made.id} is open: {counts.n_units} units, {made.n_excluded} left out, {spec.quota} ratings a unit")
    for warning in made.warnings:
        print(f"warning: {warning}")
    return 0


def preview(options: argparse.Namespace) -> int:
    """Makes nothing."""
    spec = design_of(options)
    with open_store().read() as session:
        print(_material(rounds.preview_round(session, spec), spec))
    return 0


def show(options: argparse.Namespace) -> int:
    with open_store().read() as session:
        counts = ratings.progress(session, options.round)
    print(json.dumps(_counts(counts), indent=1, ensure_ascii=False) if options.json else _round(counts))
    return 0


def close(options: argparse.Namespace) -> int:
    rounds.close_round(open_store(), options.round, who=_who())
    print(f"round {options.round} is closed; `python -m jobs ratings export {options.round} FOLDER` writes its files")
    return 0


def unblind(options: argparse.Namespace) -> int:
    store = open_store()
    with store.read() as session:
        the_round = ratings.get_round(session, options.round)
    if the_round.origin:
        raise LabError(f"round '{the_round.name}' came from another lab and stays blind here.")
    if the_round.state == "closed":
        print(f"round {options.round} is closed: its results are open to everybody")
        return 0
    rounds.unblind_round(store, options.round, _who(), options.why)
    print(f"the results of round {options.round} are open from now on; who opened them, when and why is kept")
    return 0


def design_of(options: argparse.Namespace) -> RoundSpec:
    """A file of settings with changes, or a bank, its models and changes. SpecError with all faults."""
    models = [part for part in options.rest if "=" not in part]
    changes = parse_overrides([part for part in options.rest if "=" in part])
    changes |= {name: value for name, value in (("name", options.name or None), ("quota", options.quota),
                                                ("seed", options.seed)) if value is not None}
    if options.design.isdigit() and not Path(options.design).exists():
        values: dict[str, Any] = {"bank": int(options.design), "models": models,
                                  "name": " and ".join(models)[:80] or "round", **changes}
        return load_spec(RoundSpec, values, "round")
    if models:
        raise SpecError([Fault(name, "a design names its models itself; change them with models=[…]", name)
                         for name in models], "command line")
    kind, values = read_recipe(options.design, changes)
    if kind != RoundSpec.kind:
        raise SpecError([Fault("kind", f"should be {RoundSpec.kind} (got {kind!r})", kind)], "round")
    return load_spec(RoundSpec, values, "round")


def _who() -> str:
    """Whoever types; the store keeps it with what was done."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "command line"


def _material(material: Material, spec: RoundSpec) -> str:
    n = len(material.units)
    lines = [f"{n} units of {len(material.items)} questions; {spec.quota} ratings each, {n * spec.quota} in all, about "
             f"{minutes(n * spec.quota, spec.task)} minutes of rating"]
    lines += [f"left out, {reason}: {count}" for reason, count in material.excluded.items()]
    for model, reasons in material.by_model.items():
        lines += [f"answers of {model}, {reason}: {count}" for reason, count in reasons.items()]
    for pair, risk in material.risks.items():
        told = "too little to tell" if risk.auc is None else f"{risk.auc:.0%} (50 % is guessing; n = {risk.n})"
        lines.append(f"style alone tells {pair}: {told}")
    lines += [f"warning: {warning}" for warning in material.warnings]
    return "\n".join(lines)


def _counts(counts: RoundProgress) -> dict[str, Any]:
    found = asdict(counts)
    del found["round"], found["design"]
    the_round = counts.round
    about = {"id": the_round.id, "uid": the_round.uid, "name": the_round.name, "state": the_round.state,
             "origin": the_round.origin, "models": the_round.models, "n_excluded": the_round.n_excluded,
             "warnings": the_round.warnings, "design": the_round.design}
    return json.loads(json.dumps(about | found, default=str))


def _round(counts: RoundProgress) -> str:
    the_round, design = counts.round, counts.design
    early = f"; results were opened early by {the_round.unblinded_by}" if the_round.unblinded_at else ""
    source = f"bank {counts.bank_name}" if counts.bank_name else "from another lab"
    lines = [
        f"round {the_round.id} ({the_round.name}): {the_round.state}{early}",
        f"{' / '.join(the_round.models)}; {source}; task {design.task}, quota {design.quota}",
        f"{counts.n_ratings} of {counts.n_needed} ratings; {counts.n_complete} of {counts.n_units} units complete; "
        f"{counts.n_skipped} skipped, {counts.n_surplus} beyond the quota, {the_round.n_excluded} left out when made",
    ]
    lines += [f"skipped, {reason}: {count}" for reason, count in counts.skip_reasons.items()]
    lines += [f"reported by {rater}: {text}" for rater, _, text in counts.flags]
    lines += [f"warning: {warning}" for warning in the_round.warnings]
    rows = [[rater.code, rater.kind, rater.state, str(rater.n_done), str(rater.n_skipped), str(rater.n_flagged)]
            for rater in counts.raters]
    if rows:
        lines += ["", aligned(("rater", "kind", "state", "rated", "skipped", "reported"), rows)]
    return "\n".join(lines)
