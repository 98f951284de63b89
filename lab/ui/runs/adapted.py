"""What a question's model was adapted to before it answered, behind a fold: which examples, how near, the loss on them.

The examples' texts are not stored with a sample: their ids name rows of the dataset. Compare shows them whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lab.ui.components.folds import fold
from lab.ui.components.markup import Html, tag

PROOFS = {"sha256": "seen by the sha256 of all weights", "checksum": "seen by a checksum of all weights"}


def adapted_fold(name: str, found: Mapping[str, Any] | None) -> Html | None:
    """Nothing for a question that was answered as it is."""
    if not found:
        return None
    neighbours = found.get("neighbours") or []
    lines = [tag("p", tag("code", one.get("id", "")), f" of {one.get('dataset', '')} · similarity ",
                 _figure(one.get("similarity"), 3)) for one in neighbours]
    left_out = found.get("n_excluded") or 0
    notes = [f"{left_out} near-duplicate{'' if left_out == 1 else 's'} of the question itself left out" if left_out
             else "", _changed(found)]
    foot = " · ".join(filter(None, notes))
    body = tag("div", *lines, tag("p", tag("small", foot)) if foot else None)
    return fold(name, tag("span", _title(found, len(neighbours)), _restored(found)), body, cls="thought adapted")


def _title(found: Mapping[str, Any], n: int) -> str:
    """'Adapted to 1 nearest example · loss 0.040 → 0.031 · 0.6 s'."""
    mode = str(found.get("mode", ""))
    did, which = ("Shown", "nearest") if mode == "context" else ("Adapted to", mode)
    words = [f"{did} {n} {which} example{'' if n == 1 else 's'}"]
    if found.get("loss_before") is not None and found.get("loss_after") is not None:
        words.append(f"loss {_figure(found['loss_before'], 3)} → {_figure(found['loss_after'], 3)}")
    words.append(f"{_figure(found.get('seconds'), 1)}\u202fs")
    return " · ".join(words)


def _restored(found: Mapping[str, Any]) -> Html | None:
    """Only where the weights were seen to be what they were."""
    if not found.get("weights_sha256") or not found.get("proof"):
        return None
    how = PROOFS.get(str(found["proof"]), str(found["proof"]))
    title = f"the weights are what they were, {how}: {found['weights_sha256']}"
    return tag("span", " · restored ✓", cls="proven", title=title)


def _changed(found: Mapping[str, Any]) -> str:
    share = found.get("changed_frac")
    return "" if share is None else f"the step changed {share:.1%} of the weights"


def _figure(value: object, digits: int) -> str:
    return f"{value:.{digits}f}" if isinstance(value, (int, float)) else "–"
