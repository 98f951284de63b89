"""Parts that commands of the command line share: how one is added, and options that mean the same everywhere."""

from __future__ import annotations

import argparse


def command(commands: argparse._SubParsersAction, name: str, call: str, text: str) -> argparse.ArgumentParser:
    """A command whose work is done by `call` ('module:function'), imported when it is called."""
    added = commands.add_parser(name, help=text, description=text)
    added.set_defaults(call=call)
    return added


def add_id(added: argparse.ArgumentParser) -> None:
    added.add_argument("id", metavar="ID", help="the job's number or uid")


def add_wait(added: argparse.ArgumentParser) -> None:
    added.add_argument("--wait", action="store_true", help="stay until it ends (starts a worker when none serves)")


def add_json(added: argparse.ArgumentParser) -> None:
    added.add_argument("--json", action="store_true", help="machine-readable output on stdout")
