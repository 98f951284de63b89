"""design.json: what was decided before the first rating, with every text that raters read; and results.json."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from lab.core.installed import versions_of
from lab.rating.files.contents import Contents
from lab.rating.results import round_results

PACKAGES = ("numpy", "scipy", "pydantic", "sqlmodel", "gradio")
LEFT_OUT = ("In the blinded files the model that raters were to guess, judges, and figures that name a base model are "
            "left out: they would tell which model is which.")


def design_json(contents: Contents) -> str:
    facts = contents.facts
    about: dict[str, Any] = {
        "round": facts.name, "uid": facts.uid, "blinded": facts.blinded, "bank": facts.bank, "origin": facts.origin,
        "models": list(facts.models), "design": dict(facts.design), "design_sha": facts.design_sha,
        "state": facts.state, "created_at": facts.created_at, "closed_at": facts.closed_at,
        "unblinded_at": facts.unblinded_at, "unblinded_by": facts.unblinded_by, "excluded": dict(facts.excluded),
        "leak_warnings": list(facts.warnings), "style_risk": dict(facts.risk),
        "blind_names": {name: model for model, name in facts.blind_names.items()},
        "software": software_versions(),
    }
    if facts.blinded:
        about = {name: value for name, value in about.items() if name not in
                 ("bank", "design_sha", "unblinded_by", "leak_warnings", "style_risk", "blind_names")}
        about["left_out"] = ("Names, bank, seed, scans and failures of each model; 'seed' is one that was drawn for "
                             "these files.")
    return json.dumps(about, ensure_ascii=False, indent=1)


def results(contents: Contents) -> dict[str, Any]:
    """The whole analysis, worked out from these very contents."""
    facts = contents.facts
    found = round_results(contents.rows, facts.models, contents.guesses, contents.votes, contents.measures,
                          seed=facts.design.get("seed") or 0)
    return found.as_dict() | ({"left_out": LEFT_OUT} if facts.blinded else {})


def results_json(found: Mapping[str, Any]) -> str:
    return json.dumps(dict(found), ensure_ascii=False, indent=1)


def software_versions() -> dict[str, str]:
    return versions_of(PACKAGES)
