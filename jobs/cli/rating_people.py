"""`ratings invite|link|revoke|delete-rater|trial`: the people of a round. A link is told once, and only hashed."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from jobs.cli.output import put
from lab.core.errors import Fault, LabError, SpecError
from lab.core.settings import Settings
from lab.rating.files.names import links_csv, rater_names
from storage.database import open_store
from storage.queries.raters import delete_rater, find_rater, invite, new_link, revoke, trial_link
from storage.queries.ratings import progress


def invite_raters(options: argparse.Namespace) -> int:
    """Print a link a rater, or write them as a table for mail merge."""
    if options.links and Path(options.links).exists():  # before anybody is invited: links are told only once
        raise LabError(f"'{options.links}' is there already; name another file.", "spec")
    base = address(options.url)
    names = [*options.names, *(_from_table(options.csv) if options.csv else ())]
    links = [(code, f"{base}{token}") for code, token in invite(open_store(), options.round, names)]
    if options.links:
        try:
            put(links_csv(links), options.links)
            return 0
        except LabError as problem:  # they cannot be read again: better here than nowhere
            print(problem, file=sys.stderr)
    for code, link_of in links:
        print(f"{code}\t{link_of}")
    return 0


def link(options: argparse.Namespace) -> int:
    base = address(options.url)
    print(f"{options.rater}\t{base}{new_link(open_store(), options.round, options.rater)}")
    return 0


def trial(options: argparse.Namespace) -> int:
    base = address(options.url)
    print(f"{base}{trial_link(open_store(), options.round)}")
    return 0


def revoke_rater(options: argparse.Namespace) -> int:
    rater = revoke(open_store(), options.round, options.rater)
    print(f"the link of {rater.code} has ended; what they rated stays and counts")
    return 0


def delete(options: argparse.Namespace) -> int:
    """Ask first: nothing brings it back."""
    store = open_store()
    with store.read() as session:
        code = find_rater(session, options.round, options.rater).code
        n_done = next(one.n_done for one in progress(session, options.round).raters if one.code == code)
    if not options.yes:
        if not sys.stdin.isatty():
            raise LabError(f"deleting {code} removes {n_done} ratings for good. Say --yes to do it.", "spec")
        if input(f"Delete {code} with {n_done} ratings and everything else, for good? Type the code: ").strip() != code:
            print("nothing was deleted")
            return 1
    print(f"{code} is deleted, with {delete_rater(store, options.round, code)} ratings and everything else of theirs")
    return 0


def address(url: str) -> str:
    """What comes before a token. SpecError for an address that no browser could open."""
    if not url:
        settings = Settings.from_env()
        url = f"http://{settings.host}:{settings.port}"
    if not url.startswith(("http://", "https://")):
        raise SpecError([Fault("url", f"should begin with http:// or https:// (got '{url}')", url)], "command line")
    return f"{url.rstrip('/')}/rate/"


def _from_table(file: str) -> list[str]:
    try:
        return rater_names(Path(file).read_bytes(), file)
    except OSError as error:
        raise LabError(f"'{file}' cannot be read: {error.strerror}.", "spec") from None
