"""`ratings pairs`: what raters preferred in a closed round, as a dataset for preference training."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict

from lab.rating.files.preferences import PairRule
from storage.database import open_store
from storage.queries.rating_pairs import RoundPairs, keep_pairs, preview_pairs


def pairs(options: argparse.Namespace) -> int:
    store = open_store()
    rule = PairRule(options.agreement, options.min_votes, options.keep_thinking)
    if options.dry_run:
        with store.read() as session:
            found = preview_pairs(session, options.round, rule)
        print(json.dumps(_told(found), indent=1, ensure_ascii=False) if options.json else "\n".join(found.sentences()))
        return 0
    kept = keep_pairs(store, options.round, rule, options.name)
    if options.json:
        print(json.dumps({"path": str(kept.path), **_told(kept.pairs)}, indent=1, ensure_ascii=False))
        return 0
    print("\n".join(kept.pairs.sentences()))
    print(f"{kept.path}\nA recipe trains on it with: kind: dpo, pairs: {kept.path}")
    return 0


def _told(found: RoundPairs) -> dict[str, object]:
    counts = found.found
    return {
        "round": found.round_id, "rule": asdict(found.rule), "n_pairs": len(counts.pairs), "n_units": counts.n_units,
        "n_votes": counts.n_votes, "outcomes": dict(counts.outcomes), "unreadable": dict(counts.unreadable),
        "n_flagged_raters": counts.n_flagged_raters, "n_flagged_votes": counts.n_flagged_votes,
        "lengths": asdict(counts.lengths), "alpha": counts.alpha and asdict(counts.alpha),
        "notes": found.facts["notes"],
    }
