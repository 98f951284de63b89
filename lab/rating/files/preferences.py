"""preferences.jsonl: chosen and rejected answers for preference training, as `lab.data.pair_rows` reads them."""

from __future__ import annotations

from collections import Counter

from lab.rating.files.contents import Contents
from lab.rating.files.lines import jsonl


def preferences_jsonl(contents: Contents, least_agreement: float = 0.5) -> str:
    """One line a unit whose preference has a majority.

    `share` is that of the chosen answer among the votes that chose one; ties are counted beside it. Units with a
    smaller share than `least_agreement`, with as many votes either way, or with ties alone are left out.
    """
    votes: dict[str, Counter[str]] = {}
    for row in contents.main:
        votes.setdefault(row.unit, Counter())[row.preferred] += 1
    lines = []
    for unit in contents.units:
        count = votes.get(unit.uid, Counter())
        a, b = count["a"], count["b"]
        if a == b or max(a, b) / (a + b) < least_agreement:
            continue
        chosen, rejected = ((unit.text_a, unit.model_a), (unit.text_b, unit.model_b))[:: 1 if a > b else -1]
        lines.append({
            "id": unit.uid, "prompt": unit.question, "chosen": chosen[0], "rejected": rejected[0],
            "item": unit.item_id, "chosen_model": chosen[1], "rejected_model": rejected[1],
            "votes_chosen": max(a, b), "votes_rejected": min(a, b), "votes_tie": count["tie"] + count["both_bad"],
            "share": round(max(a, b) / (a + b), 4),
        })
    return jsonl(lines)
