"""The commands of `ratings …`."""

from __future__ import annotations

import argparse

from jobs.cli.options import add_json, command


def add_ratings(commands: argparse._SubParsersAction) -> None:
    text = "Answer banks, blind rating rounds, their raters, results and files."
    group = commands.add_parser("ratings", help=text, description=text)
    actions = group.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _add_making(actions)
    _add_people(actions)
    _add_reading(actions)
    _add_files(actions)


def _add_making(actions: argparse._SubParsersAction) -> None:
    add_json(command(actions, "banks", "jobs.cli.ratings:list_banks", "The answer banks, newest first."))
    add_json(command(actions, "rounds", "jobs.cli.ratings:list_rounds", "The rounds and how far they are."))
    make = command(actions, "make", "jobs.cli.ratings:make", "Make a round from a design, or from a bank's models.")
    preview = command(actions, "preview", "jobs.cli.ratings:preview",
                      "What a round would hold, what is left out and why, and what may give the models away.")
    for action in (make, preview):
        action.add_argument("design", metavar="DESIGN.yaml | BANK",
                            help="a file of settings (see docs/guide/round.yaml), or the number of an answer bank")
        action.add_argument("rest", nargs="*", metavar="MODEL | key=value",
                            help="with a bank: its models, the first being what others are measured against")
        action.add_argument("--name", default="", help="name of the round")
        action.add_argument("--quota", type=int, metavar="N", help="ratings a unit, by as many raters (default 3)")
        action.add_argument("--seed", type=int, metavar="N", help="seed of order and sides (default 0)")
    show = command(actions, "show", "jobs.cli.ratings:show", "A round: its design, counts, and who is how far.")
    _add_round(show)
    add_json(show)
    power = command(actions, "power", "jobs.cli.rating_results:power",
                    "What so many questions and raters can find, before anybody rates.")
    power.add_argument("prompts", type=int, metavar="PROMPTS", help="number of questions")
    power.add_argument("raters", type=int, metavar="RATERS", help="ratings of each question")
    power.add_argument("--rho", type=float, default=0.3, help="how alike ratings of a question are (default 0.3)")
    power.add_argument("--sd", type=float, default=1.0,
                       help="standard deviation of a rater's difference in fluency on one question (default 1)")
    power.add_argument("--difference", type=float, metavar="POINTS",
                       help="a win rate's distance from 50 %% that should be found; says how many questions it needs")


def _add_people(actions: argparse._SubParsersAction) -> None:
    invite = command(actions, "invite", "jobs.cli.rating_people:invite_raters",
                     "Invite raters; prints one link each, once.")
    _add_round(invite)
    invite.add_argument("names", nargs="*", metavar="NAME", help="a code for the rater, for example R1")
    invite.add_argument("--csv", default="", metavar="FILE", help="names from a table: its column name, code or rater")
    invite.add_argument("--links", default="", metavar="FILE.csv", help="write the links there, print none")
    link = command(actions, "link", "jobs.cli.rating_people:link", "A new link for a rater; the old one ends.")
    revoke = command(actions, "revoke", "jobs.cli.rating_people:revoke_rater", "End a rater's link; ratings stay.")
    delete = command(actions, "delete-rater", "jobs.cli.rating_people:delete",
                     "Delete a rater with everything that came from them, for good.")
    for action in (link, revoke, delete):
        _add_round(action)
        action.add_argument("rater", metavar="CODE", help="as `show` lists it")
    delete.add_argument("--yes", action="store_true", help="do not ask")
    trial = command(actions, "trial", "jobs.cli.rating_people:trial",
                    "A link for your own look at the rater's page; it counts nowhere.")
    _add_round(trial)
    for action in (invite, link, trial):
        action.add_argument("--url", default="", metavar="ADDRESS",
                            help="where raters reach this lab (default: from LAB_HOST and LAB_PORT)")


def _add_reading(actions: argparse._SubParsersAction) -> None:
    quality = command(actions, "quality", "jobs.cli.rating_results:quality",
                      "Signs of how raters work; names no model, and may be read while the round is open.")
    _add_round(quality)
    add_json(quality)
    _add_round(command(actions, "close", "jobs.cli.ratings:close", "Close a round for good; results and export open."))
    unblind = command(actions, "unblind", "jobs.cli.ratings:unblind",
                      "Open the results of a round that still takes ratings; it is logged for good.")
    _add_round(unblind)
    unblind.add_argument("--why", required=True, metavar="TEXT", help="the reason; it is kept with the round")
    results = command(actions, "results", "jobs.cli.rating_results:results", "What a closed round says.")
    _add_round(results)
    add_json(results)


def _add_files(actions: argparse._SubParsersAction) -> None:
    export = command(actions, "export", "jobs.cli.rating_files:export", "Write the files of a closed round.")
    _add_round(export)
    export.add_argument("folder", metavar="FOLDER", help="where the files go, or the ZIP")
    export.add_argument("--blinded", action="store_true", help="X and Y instead of the models; may be given away")
    export.add_argument("--zip", action="store_true", help="one ZIP with a manifest instead of single files")
    export.add_argument("--bom", action="store_true", help="CSV files begin with the mark of UTF-8, for spreadsheets")
    export.add_argument("--agreement", type=float, default=0.5, metavar="SHARE",
                        help="least share of the votes for a line of preferences.jsonl (default 0.5)")
    _add_pairs(actions)
    send = command(actions, "send", "jobs.cli.rating_files:send", "Write a round without names, for another lab.")
    votes = command(actions, "votes", "jobs.cli.rating_files:write_votes",
                    "Write what was rated here of another lab's round, to send it home.")
    for action in (send, votes):
        _add_round(action)
        action.add_argument("file", metavar="FILE.zip", help="where to")
    receive = command(actions, "receive", "jobs.cli.rating_files:take",
                      "Take in what another lab sent: a round to rate, or votes that come home.")
    receive.add_argument("file", metavar="FILE.zip", help="its manifest tells which")


def _add_pairs(actions: argparse._SubParsersAction) -> None:
    pairs = command(actions, "pairs", "jobs.cli.rating_pairs:pairs",
                    "Keep what raters of a closed round preferred as a dataset of pairs.")
    _add_round(pairs)
    pairs.add_argument("--agreement", type=float, default=0.7, metavar="SHARE",
                       help="least share of all votes on a unit for the chosen answer; ties are votes for neither "
                            "(default 0.7)")
    pairs.add_argument("--min-votes", type=int, default=2, metavar="N", help="least votes on a unit (default 2)")
    pairs.add_argument("--keep-thinking", action="store_true",
                       help="put the thinking back that raters did not see, where the bank has it")
    pairs.add_argument("--name", default="", help="name of the dataset (default: of the round's number)")
    pairs.add_argument("--dry-run", action="store_true", help="show what would be kept, keep nothing")
    add_json(pairs)


def _add_round(added: argparse.ArgumentParser) -> None:
    added.add_argument("round", type=int, metavar="ROUND", help="number of the round")
