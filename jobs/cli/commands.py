"""Which commands there are, and how their outcome becomes an exit code.

0: done. 1: the work failed. 2: what was asked is wrong (all faults are listed). Commands are imported when they are
called, so that `--help` answers at once.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence

from jobs.cli.benchmark_commands import add_benchmarks
from jobs.cli.data_commands import add_data
from jobs.cli.model_commands import add_models
from jobs.cli.options import add_id, add_json, add_wait, command
from jobs.cli.rating_commands import add_ratings
from jobs.cli.run_commands import add_runs
from lab.core.errors import LabError

FAILED, WRONG, INTERRUPTED = 1, 2, 130


def main(argv: Sequence[str] | None = None) -> int:
    """Parse, call, and turn a LabError into one sentence on stderr."""
    options = parser().parse_args(argv)
    module, _, name = options.call.partition(":")
    try:
        return getattr(importlib.import_module(module), name)(options)
    except LabError as error:
        print(error, file=sys.stderr)
        return WRONG if error.reason == "spec" else FAILED
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # `… list | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(
        prog="python -m jobs", description="Submit work to the lab's queue and look after it. Same specs as the page.",
        epilog="Exit codes: 0 done, 1 the work failed, 2 the spec or the command is wrong.",
    )
    commands = top.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _add_submit(commands)
    _add_check(commands)
    _add_looking(commands)
    _add_changing(commands)
    _add_line(commands)
    add_models(commands)
    add_benchmarks(commands)
    add_runs(commands)
    add_ratings(commands)
    _add_export(commands)
    add_data(commands)
    _add_slurm(commands)
    _add_machine(commands)
    _add_users(commands)
    return top


def _add_submit(commands: argparse._SubParsersAction) -> None:
    submit = command(commands, "submit", "jobs.cli.submitting:submit_recipe", "Queue a recipe: one job, or a study.")
    submit.add_argument("recipe", metavar="RECIPE.yaml", help="for example lab/recipes/demo/study.yaml")
    submit.add_argument("overrides", nargs="*", metavar="key=value", help="fields to change; dots reach into groups")
    submit.add_argument("--priority", type=int, default=0, metavar="N", help="higher starts first (default 0)")
    submit.add_argument("--on", default="", metavar="PLACE", help="slurm:PROFILE; default: a worker's own machine")
    add_wait(submit)
    add_json(submit)


def _add_check(commands: argparse._SubParsersAction) -> None:
    check = command(commands, "check", "jobs.cli.checking:check_recipe",
                     "What a recipe would train on and cost: faults, rows token by token, estimates. Queues nothing.")
    check.add_argument("recipe", metavar="RECIPE.yaml", help="for example lab/recipes/demo/study.yaml")
    check.add_argument("overrides", nargs="*", metavar="key=value", help="fields to change; dots reach into groups")
    check.add_argument("--rows", type=int, default=1, metavar="N", help="rows to show of each job (default 1)")
    check.add_argument("--tokens", action="store_true", help="show where each token ends")
    add_json(check)


def _add_looking(commands: argparse._SubParsersAction) -> None:
    listing = command(commands, "list", "jobs.cli.looking:list_rows", "The jobs, newest first.")
    listing.add_argument("--state", action="append", metavar="STATE", help="only jobs in this state (repeatable)")
    listing.add_argument("--study", type=int, metavar="ID", help="only jobs of this study")
    listing.add_argument("--search", default="", metavar="TEXT", help="only jobs with this in name, kind or uid")
    listing.add_argument("--limit", type=int, default=20, metavar="N", help="rows (default 20)")
    add_json(listing)
    show = command(commands, "show", "jobs.cli.looking:show", "All about one job, or study:ID for a study's results.")
    add_id(show)
    add_json(show)
    logs = command(commands, "logs", "jobs.cli.looking:logs", "The log of one job.")
    add_id(logs)
    logs.add_argument("-f", "--follow", action="store_true", help="go on until the job ends")
    logs.add_argument("-n", "--lines", type=int, metavar="N", help="only the last N lines")


def _add_changing(commands: argparse._SubParsersAction) -> None:
    cancel = command(commands, "cancel", "jobs.cli.changing:cancel", "End a job, or study:ID for all jobs of a study.")
    add_id(cancel)
    again = command(commands, "retry", "jobs.cli.changing:retry_job",
                     "Queue a failed or cancelled job again; it goes on from its last checkpoint if it has one.")
    add_id(again)
    again.add_argument("--from-start", action="store_true", help="delete its checkpoints and start over")
    add_wait(again)
    rerun = command(commands, "rerun", "jobs.cli.changing:rerun_job", "Run a job's spec once more, as a new job.")
    add_id(rerun)
    add_wait(rerun)


def _add_line(commands: argparse._SubParsersAction) -> None:
    queue = command(commands, "queue", "jobs.cli.lining:queue", "Who waits, and for how long; pause the queue.")
    queue.add_argument("action", nargs="?", choices=["pause", "resume"], help="start nothing new, or go on")
    add_json(queue)
    move = command(commands, "move", "jobs.cli.lining:move_job", "Change a waiting job's place in the line.")
    add_id(move)
    move.add_argument("to", choices=["first", "up", "down", "last"])
    held = command(commands, "devices", "jobs.cli.lining:list_devices", "GPUs and CPU slots, and who holds them.")
    add_json(held)
    forget = command(commands, "forget", "jobs.cli.lining:forget",
                      "Give up a machine that does not come back: its jobs go back to the line.")
    forget.add_argument("machine", metavar="MACHINE", help="as `devices` names it")


def _add_export(commands: argparse._SubParsersAction) -> None:
    export = command(commands, "export", "jobs.cli.exporting:export",
                      "A variant as a folder that plain transformers loads, with its model card.")
    export.add_argument("variant", metavar="VARIANT", help="its name, or its number")
    export.add_argument("folder", metavar="FOLDER", help="where to; it must not hold anything yet")
    export.add_argument("--merged", action="store_true", help="whole weights: the adapter put into a copy of its base")
    export.add_argument("--push", default="", metavar="ORG/NAME", help="upload it there too; the token is in HF_TOKEN")
    export.add_argument("--private", action="store_true", help="make the pushed repository private")
    add_json(export)


def _add_slurm(commands: argparse._SubParsersAction) -> None:
    slurm = command(commands, "slurm", "jobs.cli.clusters:list_profiles", "Profiles of Slurm clusters; a dry run.")
    add_json(slurm)
    actions = slurm.add_subparsers(title="commands", metavar="COMMAND")
    check = command(actions, "check", "jobs.cli.clusters:check_profile", "Ask the cluster whether a profile is right.")
    show = command(actions, "show", "jobs.cli.clusters:show_files", "The batch files of a recipe; nothing is sent.")
    for action in (check, show):
        action.add_argument("name", metavar="PROFILE", help="as `slurm` lists it")
    show.add_argument("recipe", metavar="RECIPE.yaml", help="for example lab/recipes/demo/study.yaml")
    show.add_argument("overrides", nargs="*", metavar="key=value", help="fields to change; dots reach into groups")
    add = command(actions, "add", "jobs.cli.clusters:add_profile", "Take in a profile, or replace it.")
    add.add_argument("file", metavar="FILE.yaml", help="its fields; the file's name is the profile's")
    remove = command(actions, "remove", "jobs.cli.clusters:remove_one", "Remove a profile that no job needs.")
    remove.add_argument("name", metavar="PROFILE", help="as `slurm` lists it")


def _add_machine(commands: argparse._SubParsersAction) -> None:
    worker = command(commands, "worker", "jobs.cli.serving:work", "Serve the queue until told to end (Ctrl-C).")
    worker.add_argument("--slots", type=int, metavar="N",
                        help="jobs at the same time on a machine without GPUs (default LAB_SLOTS, or 2)")
    worker.add_argument("--label", default="main", metavar="NAME", help="tells workers of one machine apart")
    worker.add_argument("--kept", action="store_true",
                        help="end when nothing is queued or running and no process that asked for a worker lives")
    known = command(commands, "bases", "jobs.cli.bases:show_bases", "The base models, or all about one of them.")
    known.add_argument("name", nargs="?", default="", metavar="NAME", help="a card's name, a folder, or a hub id")
    known.add_argument("--length", type=int, default=4096, metavar="N", help="tokens of a row, for the memory")
    add_json(known)
    doctor = command(commands, "doctor", "jobs.cli.doctor:examine", "What this machine has, and what is missing.")
    add_json(doctor)


def _add_users(commands: argparse._SubParsersAction) -> None:
    text = "Who may log in to the researcher's pages, where the lab has a login (LAB_LOGIN)."
    group = commands.add_parser("users", help=text, description=text)
    actions = group.add_subparsers(title="commands", required=True, metavar="COMMAND")
    add_json(command(actions, "list", "jobs.cli.users:list_users", "The accounts, and when each logged in last."))
    add = command(actions, "add", "jobs.cli.users:add", "Make an account; the password is asked for twice.")
    change = command(actions, "password", "jobs.cli.users:change", "A new password; ends the account's sessions.")
    off = command(actions, "disable", "jobs.cli.users:disable", "Let nobody in under this name; ends its sessions.")
    on = command(actions, "enable", "jobs.cli.users:enable", "Undo `disable`; the password is the old one.")
    remove = command(actions, "remove", "jobs.cli.users:remove", "Delete an account and its sessions.")
    for action in (add, change, off, on, remove):
        action.add_argument("name", metavar="NAME", help="in any case: Ana and ana are one")
    for action in (add, change):
        action.add_argument("--stdin", action="store_true", help="read the password from the first line of stdin")
