"""Datasets in a store that tests share, kept through the lab's own ways: reasoning with every kind of note, pairs, the
jobs that left them, a map, and rows that nobody would wish for.

`python -m tests.ui.data_here FOLDER` fills a lab there, to look at its Data page.
"""

from __future__ import annotations

import json
import random
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab.core.types import Example, Pair
from lab.data.jsonl import write_rows
from lab.data.keeping import keep_made
from lab.data.made import FOLDER, Parent
from lab.data.noted import read_noted
from lab.data.pair_rows import write_pairs
from lab.synthesis.departments import DEPARTMENTS
from lab.synthesis.funnel import Dropped, Funnel, Solved, Stage
from storage.database import Store, open_store
from tests.ui.seed_store import Seed

HOSTILE = "<script>alert('row')</script> {{secret}} ${cost} `tick` <img src=x onerror=alert(1)>"
RTL = "ما هي فجوة الأنيونات عند هذا المريض؟"
EMBEDDED = {"ref": "demo-teacher", "label": "demo-teacher", "base": "demo-teacher"}
STAGES = ("problems", "reasoned", "solved", "naturalised", "answered")
SPENT = {"n_requests": 1840, "n_cached": 212, "n_prompt_tokens": 912_400, "n_completion_tokens": 402_113, "usd": 0.0,
         "seconds": 412.0, "by_role": {"teacher": {"n_requests": 1200, "n_prompt_tokens": 600_000,
                                                   "n_completion_tokens": 400_000}}}


@dataclass(frozen=True)
class Here:
    """The keys of what is there, as the address names them."""

    complex: str
    pairs: str
    running: int  # id of the synthesis that runs


def funnel(n: int = 60, n_open: int = 0) -> Funnel:
    kept = n - n_open - 9
    return Funnel(
        stages=tuple(Stage(name=name, n=max(kept, n - 4 * place)) for place, name in enumerate(STAGES)),
        dropped=(Dropped(stage="reasoned", outcome="unsolved", n=7, items=("demo-1", "demo-2")),
                 Dropped(stage="solved", outcome="unreadable", n=2, items=("demo-3",))),
        solved=(Solved(attempt=1, depth=0, n=kept - 12), Solved(attempt=1, depth=1, n=7),
                Solved(attempt=2, depth=0, n=3), Solved(attempt=2, depth=2, n=2)),
        n_open=n_open,
    )


def rows(n: int = 60) -> tuple[list[Example], list[dict[str, Any]]]:
    """Rows of which each says everything that can be noted, and three that try to break the page."""
    chance, made, notes = random.Random(5), [], []
    places = [(first, second) for first, inner in DEPARTMENTS.items() for second in inner[:2]]
    for index in range(n):
        value, first = 10 + index % 13, places[index % len(places)]
        question = f"Sodium is {130 + index}, chloride 96 and bicarbonate {34 + index - value}. What is the anion gap?"
        trace = f"The anion gap is sodium less chloride less bicarbonate. {'Let me check that again. ' * (index % 9)}"
        if index == 1:
            question, trace = f"{HOSTILE} What is the gap?", f"{HOSTILE}\n</div></section>"
        elif index == 2:
            question, trace = RTL, f"{RTL} فكر"
        elif index == 3:
            trace = "A word that goes on. " * 900 + "x" * 4000
        made.append(Example(id=f"demo-{index}", question=question, trace=trace,
                            answer=f"The answer is {value}.", gold=str(value), verifier="numeric",
                            subject="anion gap", source="demo-medical"))
        depth = chance.choice((0, 0, 0, 1, 2))
        notes.append({
            "provenance": "label_shown" if index == 5 else "found", "attempt": 1 + (index % 7 == 0), "depth": depth,
            "strategies": ["verification", "new path"][:depth], "quality": chance.randint(4, 10),
            "complexity": chance.randint(1, 10), "relevance": chance.randint(3, 6), "department": first[0],
            "subdepartment": first[1], "style": "complex" if index % 2 else "common", "n_asked": 4 + depth * 2,
            "teacher": "demo-teacher"})
    return made, notes


def pairs(n: int = 24) -> list[Pair]:
    return [Pair(id=f"pair-{index}", question=f"What lowers potassium in case {index}?", chosen="Insulin with glucose.",
                 chosen_trace="It moves potassium into cells.", rejected="Nothing does. <b>Wait.</b>", source="demo")
            for index in range(n)]


def seed_data(store: Store) -> Here:
    """A reasoning job that left two datasets, a synthesis that runs, a map of the first dataset."""
    with store.write() as session:
        seed = Seed(store, session, random.Random(1852), -30)
        done = seed.job("reasoning", "reasoning of demo-medical", "succeeded", 7, spec={"problems": "demo-medical"})
        running = seed.job("reasoning", "reasoning of demo-exam", "running", spec={"problems": "demo-exam"},
                           progress_done=70, progress_total=200, progress_text="70 of 200 ended", eta_s=140,
                           facts={"funnel": funnel(200, 120).model_dump(), "spent": SPENT})
        complex_, preferred = _keep(store, done.uid)
        done.facts = {"datasets": [{"name": path.stem, "path": f"{FOLDER}/{path.name}"}
                                   for path in (complex_, preferred)]}
        map_job = seed.job("map", f"map of {complex_.stem}", "succeeded", 1, spec={"dataset": str(complex_),
                                                                                  "embedder": "tfidf"})
        numbers, uids = running.id or 0, (done.uid, map_job.uid)
    _leave(store, *uids, complex_)
    return Here(complex_.stem, preferred.stem, numbers)


def _keep(store: Store, uid: str) -> tuple[Path, Path]:
    folder = store.home.job(uid).artifacts
    folder.mkdir(parents=True, exist_ok=True)
    write_rows(folder / "complex.jsonl", *rows())
    write_pairs(folder / "pairs.jsonl", pairs())
    parent = Parent(name="demo-medical", sha256="9b1f" * 16, rows=800)
    facts = {"name": "complex-demo", "title": "Complex reasoning of demo-medical", "kind": "rows", "by": "reasoning",
             "job": uid, "spec": {"problems": "demo-medical"}, "parents": (parent,), "teachers": {"teacher": EMBEDDED},
             "prompts": {"think": "0" * 12}, "funnel": funnel().model_dump(), "spent": SPENT,
             "notes": ("Written by the embedded teacher.",)}
    home = store.home.path / FOLDER
    kept = keep_made(home, folder / "complex.jsonl", facts)
    other = facts | {"name": "preferred-demo", "title": "Pairs of demo-medical", "kind": "pairs", "funnel": None}
    return kept, keep_made(home, folder / "pairs.jsonl", other)


def _leave(store: Store, done: str, drawn: str, path: Path) -> None:
    """What the jobs' folders hold: dropped rows, and a map."""
    lines = [{"id": f"demo-{index}", "stage": "reasoned", "outcome": "unsolved", "why": "no attempt was right",
              "question": f"{HOSTILE if index == 1 else 'What is the gap?'} ({index})"} for index in range(7)]
    text = "".join(json.dumps(line) + "\n" for line in lines) + "{broken\n"
    (store.home.job(done).artifacts / "dropped.jsonl").write_text(text, encoding="utf-8")
    folder = store.home.job(drawn).artifacts
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "map.json").write_text(json.dumps(map_of(path)), encoding="utf-8")


def map_of(path: Path, seed: int = 1) -> dict[str, Any]:
    """Each group around a place of its own; the shape is that of a map job's file."""
    found, chance = read_noted(str(path)), random.Random(seed)
    names = sorted({row.notes["department"] for row in found.rows})
    home = {name: (chance.uniform(-8, 8), chance.uniform(-6, 6)) for name in names}

    def point(row: Any) -> dict[str, Any]:
        x, y = home[row.notes["department"]]
        return {"id": row.id, "group": row.notes["department"], "x": round(x + chance.gauss(0, 0.8), 3),
                "y": round(y + chance.gauss(0, 0.8), 3)}

    counts = {name: sum(row.notes["department"] == name for row in found.rows) for name in names}
    return {
        "dataset": str(path), "fingerprint": found.fingerprint, "n_rows": len(found.rows), "n_read": len(found.rows),
        "seed": 0, "embedder": {"asked": "tfidf", "used": "tfidf", "identity": "", "why": ""},
        "groups": [{"name": name, "n": counts[name], "n_all": counts[name]}
                   for name in sorted(names, key=counts.__getitem__, reverse=True)],
        "grouped_by": "department",
        "points": {"pca": [point(row) for row in found.rows], "tsne": [point(row) for row in found.rows]},
        "texts": {row.id: row.row.question[:120] for row in found.rows},
        "method": {"pca": {"explained": [0.31, 0.12], "components": 50},
                   "tsne": {"perplexity": 10, "asked_perplexity": 25, "steps": 1000, "kl": 0.4, "on": "the first 50"}},
        "trust": {name: {"trustworthiness": 0.91, "same_group": 0.64, "chance": 0.17, "n": 60}
                  for name in ("pca", "tsne")},
        "notes": ["perplexity lowered from 25 to 10: there are 60 rows"],
    }


if __name__ == "__main__":
    print(seed_data(open_store(home=Path(sys.argv[1]))))
