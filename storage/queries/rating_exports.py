"""The files of a round whose results are open, as texts, as a folder, or as one ZIP.

The blinded set calls the models X, Y … and can be given away: nothing in it tells which is which.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from lab.core.errors import Fault, LabError, SpecError
from lab.rating.files.blind import blinded as without_names
from lab.rating.files.bundle import Bundle, pack
from lab.rating.files.clmm import clmm_csv, clmm_script
from lab.rating.files.contents import Contents
from lab.rating.files.datasheet import datasheet
from lab.rating.files.design_file import design_json, results, results_json
from lab.rating.files.lines import events_jsonl, units_jsonl
from lab.rating.files.preferences import preferences_jsonl
from lab.rating.files.ratings_csv import raters_csv, ratings_csv
from lab.rating.files.tables import BOM
from storage.database import Store
from storage.queries.rating_contents import blinding_for, contents_of
from storage.queries.ratings import get_round, require_results
from storage.tables.ratings import Round


@dataclass(frozen=True)
class Form:
    """How files are written. `bom`: CSV begins with the mark by which spreadsheets know UTF-8. `least_agreement`: the
    share of votes for one answer that a line of preferences.jsonl needs, .5 to 1."""

    bom: bool = False
    least_agreement: float = 0.5


def export_texts(store: Store, round_id: int, blinded: bool = False, form: Form | None = None) -> dict[str, str]:
    """File name → text. LabError while the results are not open."""
    form = form or Form()
    if not 0.5 <= form.least_agreement <= 1:
        raise SpecError([Fault("least_agreement", f"should be from 0.5 to 1 (got {form.least_agreement})")], "export")
    with store.read() as session:
        require_results(get_round(session, round_id))
        contents = contents_of(session, round_id)
    if blinded:
        contents = without_names(contents, blinding_for(store, round_id))
    return texts_of(contents, form)


def bundle(store: Store, round_id: int, blinded: bool = False, form: Form | None = None) -> bytes:
    """The same files as one ZIP with a manifest of their hashes."""
    texts = export_texts(store, round_id, blinded, form)
    with store.read() as session:
        uid = get_round(session, round_id).uid
    return pack(Bundle("files", uid, texts, blinded))


def bundle_name(the_round: Round, blinded: bool = False) -> str:
    return f"round-{the_round.id}-blinded.zip" if blinded else f"round-{the_round.id}.zip"


def write_files(
    store: Store, round_id: int, folder: Path | str, blinded: bool = False, form: Form | None = None
) -> list[Path]:
    """Write them into a folder and return their paths. LabError while the results are not open, or without room."""
    texts = export_texts(store, round_id, blinded, form)
    return [write_out(Path(folder) / name, text.encode()) for name, text in texts.items()]


def write_out(path: Path, data: bytes) -> Path:
    """Write a file, its folder made where it is not there. LabError when the disk says no."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    except OSError as error:
        raise LabError(f"'{path}' cannot be written: {error.strerror}. Choose another place.", "disk") from error
    return path


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
