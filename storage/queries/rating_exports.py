"""The files of a round whose results are open, as texts, as a folder, or as one ZIP.

The blinded set calls the models X, Y … and can be given away: nothing in it tells which is which.
"""

from __future__ import annotations

from pathlib import Path

from lab.core.errors import LabError, UnknownName
from lab.rating.files.blind import blinded as without_names
from lab.rating.files.bundle import Bundle, pack
from lab.rating.files.writing import NAMES, Form, texts_of
from storage.database import Store
from storage.queries.rating_contents import blinding_for, contents_of
from storage.queries.ratings import get_round, require_results
from storage.tables.ratings import Round


def export_texts(
    store: Store, round_id: int, blinded: bool = False, form: Form | None = None, only: str = ""
) -> dict[str, str]:
    """File name → text; of one file `only`, which in a large round is much quicker for all but two of them. LabError
    while the results are not open."""
    form = form or Form()
    if only and only not in NAMES:
        raise UnknownName("file of a round", only, NAMES)
    form.check()
    with store.read() as session:
        require_results(get_round(session, round_id))
        contents = contents_of(session, round_id)
    if blinded:
        contents = without_names(contents, blinding_for(store, round_id))
    return texts_of(contents, form, (only,) if only else NAMES)


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
