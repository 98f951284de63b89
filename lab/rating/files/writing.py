"""Every file of a round, from its contents."""

from __future__ import annotations

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


def texts_of(contents: Contents, form: Form) -> dict[str, str]:
    """Every file of these contents, blinded or not."""
    found, mark = results(contents), BOM if form.bom else ""
    return {
        "ratings.csv": mark + ratings_csv(contents),
        "events.jsonl": events_jsonl(contents),
        "units.jsonl": units_jsonl(contents.units),
        "raters.csv": mark + raters_csv(contents),
        "design.json": design_json(contents),
        "datasheet.md": datasheet(contents, found),
        "preferences.jsonl": preferences_jsonl(contents, form.least_agreement),
        "clmm.csv": clmm_csv(contents),
        "clmm.R": clmm_script(contents),
        "results.json": results_json(found),
    }
