"""The licence an export may be given out under: the strictest of its base and its data.

A licence that is not known here, or that a dataset's page leaves open, makes the whole `other`: whoever passes the
weights on has to look. So does a meeting of two that each bind derived work in their own way, such as llama3.1 and
gpl-3.0. This sorts names; it is no legal advice, and the card says so.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

# The hub's identifiers, from those that ask for little to those that ask for much.
PERMISSIVE = ("cc0-1.0", "unlicense", "mit", "bsd-2-clause", "bsd-3-clause", "apache-2.0", "odc-by", "cc-by-4.0")
BINDING = ("cc-by-sa-3.0", "cc-by-sa-4.0", "lgpl-3.0", "gpl-3.0", "agpl-3.0", "llama2", "llama3", "llama3.1",
           "llama3.2", "llama3.3", "gemma", "cc-by-nc-4.0", "cc-by-nc-sa-4.0", "cc-by-nc-nd-4.0")
OTHER = "other"


@dataclass(frozen=True)
class Licence:
    """`id` as the hub's header wants it; `why` in one sentence."""

    id: str
    why: str


def strictest(given: Iterable[tuple[str, str]]) -> Licence:
    """From (whose, licence) of the base and of each part of the data."""
    pairs = [(whose, text) for whose, text in given]
    listed = "; ".join(f"{whose}: {text}" for whose, text in dict.fromkeys(pairs))
    known = {_id(text) for _, text in pairs}
    if None in known:
        open_ = ", ".join(dict.fromkeys(whose for whose, text in pairs if _id(text) is None))
        return Licence(OTHER, f"the lab does not know the licence of {open_}: look before passing this on ({listed})")
    binding = sorted(known & set(BINDING), key=BINDING.index)
    if len(binding) > 1:
        return Licence(OTHER, f"{' and '.join(binding)} each bind what is derived, so both hold ({listed})")
    found = binding[0] if binding else max(known, key=PERMISSIVE.index)
    return Licence(found, f"the strictest of base and data ({listed})")


def _id(text: str) -> str | None:
    """The identifier a text begins with; None when it is not known, or the text itself leaves it open."""
    word = text.strip().lower().split(" ", 1)[0].rstrip(",;")
    return word if word in PERMISSIVE or word in BINDING else None
