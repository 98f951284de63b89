"""`ratings export|send|receive|votes`: the files of a round, and what goes between labs."""

from __future__ import annotations

import argparse
from pathlib import Path

from lab.core.errors import LabError
from storage.database import open_store
from storage.queries.rating_exports import Form, bundle, bundle_name, write_files, write_out
from storage.queries.rating_imports import Imported, receive
from storage.queries.rating_sending import to_send, votes
from storage.queries.ratings import get_round


def export(options: argparse.Namespace) -> int:
    """Into a folder, each file by itself or all in one ZIP."""
    store, form = open_store(), Form(options.bom, options.agreement)
    if not options.zip:
        for path in write_files(store, options.round, options.folder, options.blinded, form):
            print(path)
        return 0
    data = bundle(store, options.round, options.blinded, form)
    with store.read() as session:
        name = bundle_name(get_round(session, options.round), options.blinded)
    target = Path(options.folder)
    print(write_out(target if target.suffix == ".zip" else target / name, data))
    return 0


def send(options: argparse.Namespace) -> int:
    print(write_out(Path(options.file), to_send(open_store(), options.round)))
    print("The other lab takes it in with `python -m jobs ratings receive`, and sends its votes back.")
    return 0


def write_votes(options: argparse.Namespace) -> int:
    print(write_out(Path(options.file), votes(open_store(), options.round)))
    return 0


def take(options: argparse.Namespace) -> int:
    try:
        data = Path(options.file).read_bytes()
    except OSError as error:
        raise LabError(f"'{options.file}' cannot be read: {error.strerror}.", "spec") from None
    found = receive(open_store(), data)
    if isinstance(found, Imported):
        print(found.sentence)
    else:
        print(f"round {found.id} is here; `python -m jobs ratings invite {found.id} NAMES…` invites people to it")
    return 0
