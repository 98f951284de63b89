"""Every file of a round, from its contents."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lab.core.errors import Fault, SpecError
from lab.rating.files.clmm import clmm_csv, clmm_script
from lab.rating.files.contents import Contents
from lab.rating.files.datasheet import datasheet
from lab.rating.files.design_file import design_json, results, results_json
from lab.rating.files.lines import events_jsonl, units_jsonl
from lab.rating.files.preferences import preferences_jsonl
from lab.rating.files.ratings_csv import raters_csv, ratings_csv
from lab.rating.files.tables import BOM


@dataclass(frozen=True)
class Form:
    """How files are written. `bom`: CSV begins with the mark by which spreadsheets know UTF-8. `least_agreement`: the
    share of votes for one answer that a line of preferences.jsonl needs, .5 to 1."""

    bom: bool = False
    least_agreement: float = 0.5

    def check(self) -> None:
        """Raise SpecError for a share that no majority can have."""
        if not 0.5 <= self.least_agreement <= 1:
            words = f"should be from 0.5 to 1 (got {self.least_agreement})"
            raise SpecError([Fault("least_agreement", words, self.least_agreement)], "export")


NAMES = ("ratings.csv", "events.jsonl", "units.jsonl", "raters.csv", "design.json", "datasheet.md", "preferences.jsonl",
         "clmm.csv", "clmm.R", "results.json")
ANALYSED = ("datasheet.md", "results.json")  # need the whole analysis, which takes its time in a large round


def texts_of(contents: Contents, form: Form, names: Sequence[str] = NAMES) -> dict[str, str]:
    """File name → text of these contents, blinded or not."""
    found = results(contents) if set(names) & set(ANALYSED) else {}
    mark = BOM if form.bom else ""
    makers: dict[str, Callable[[], str]] = {
        "ratings.csv": lambda: mark + ratings_csv(contents),
        "events.jsonl": lambda: events_jsonl(contents),
        "units.jsonl": lambda: units_jsonl(contents.units),
        "raters.csv": lambda: mark + raters_csv(contents),
        "design.json": lambda: design_json(contents),
        "datasheet.md": lambda: datasheet(contents, found),
        "preferences.jsonl": lambda: preferences_jsonl(contents, form.least_agreement),
        "clmm.csv": lambda: clmm_csv(contents),
        "clmm.R": lambda: clmm_script(contents),
        "results.json": lambda: results_json(found),
    }
    return {name: makers[name]() for name in names}
