"""The options of commands that talk to models: `ask`, `serve`, `endpoints`, `comparisons`. No work is done here."""

from __future__ import annotations

import argparse

from jobs.cli.options import add_json, command

MODEL = "a base's name, variant:NAME, job:UID of a training, or remote:NAME"


def add_models(commands: argparse._SubParsersAction) -> None:
    _add_ask(commands)
    _add_serve(commands)
    _add_endpoints(commands)
    _add_comparisons(commands)


def _add_ask(commands: argparse._SubParsersAction) -> None:
    ask = command(commands, "ask", "jobs.cli.asking:ask", "The same question to several models at once.")
    ask.add_argument("question", metavar="QUESTION")
    ask.add_argument("models", nargs="+", metavar="MODEL", help=MODEL)
    ask.add_argument("--system", default="", metavar="TEXT", help="a system message before the question")
    ask.add_argument("--max-new-tokens", type=int, default=128, metavar="N", help="budget with thinking (default 128)")
    ask.add_argument("--temperature", type=float, default=0.0, metavar="T", help="0 is greedy (default)")
    ask.add_argument("--top-p", type=float, default=1.0, metavar="P", help="sample from the likeliest tokens that hold "
                     "this probability (default 1)")
    ask.add_argument("--seed", type=int, default=0, metavar="N", help="seed of sampling")
    ask.add_argument("--stop", action="append", default=[], metavar="TEXT", help="ends the answer (repeatable)")
    ask.add_argument("--thinking", action="store_true", help="print the thinking too")
    _add_budget(ask)
    _add_adapt(ask)
    add_json(ask)


def _add_budget(ask: argparse.ArgumentParser) -> None:
    group = ask.add_argument_group("thinking budget")
    group.add_argument("--min-think", dest="min_think_tokens", type=int, default=0, metavar="N",
                       help="least thinking in tokens: an earlier end goes on with 'Wait'")
    group.add_argument("--max-think", dest="max_think_tokens", type=int, default=-1, metavar="N",
                       help="most thinking in tokens: the thought is then closed by force")
    group.add_argument("--answer-prefix", default="", metavar="TEXT", help="what an answer begins with after that")


def _add_adapt(ask: argparse.ArgumentParser) -> None:
    group = ask.add_argument_group("test-time training")
    group.add_argument("--adapt", default="none", metavar="MODE", help="nearest: train on the nearest examples first; "
                       "controls: random, or context (shown instead of trained on)")
    group.add_argument("--adapt-dataset", default="", metavar="NAME", help="where the examples come from")
    group.add_argument("--adapt-neighbours", type=int, default=1, metavar="N", help="examples (default 1)")
    group.add_argument("--adapt-steps", type=int, default=1, metavar="N", help="optimiser steps (default 1)")
    group.add_argument("--adapt-learning-rate", type=float, default=1e-3, metavar="X", help="of Adam (default 1e-3)")
    group.add_argument("--adapt-scope", default="lora", metavar="SCOPE", help="lora (default), or full as in the paper")


def _add_serve(commands: argparse._SubParsersAction) -> None:
    serve = command(commands, "serve", "jobs.cli.engine_serving:serve",
                    "An OpenAI-compatible server of a base and its variants; prints its address.")
    serve.add_argument("base", metavar="BASE", help="a card's name, a folder, or a hub id")
    serve.add_argument("models", nargs="*", metavar="MODEL", help="variant:NAME, job:UID, or an adapter's folder")
    serve.add_argument("--precision", metavar="HOW", help="auto (default), bf16, fp32 or 4bit")
    serve.add_argument("--backend", metavar="NAME", help="lab (default), or vllm where it is installed")
    serve.add_argument("--idle", type=float, metavar="S", help="ends after so many seconds without a question")
    serve.add_argument("--here", action="store_true", help="in this terminal, without the queue, until Ctrl-C")
    serve.add_argument("--port", type=int, metavar="N", help="with --here (default: any free port)")
    add_json(serve)


def _add_endpoints(commands: argparse._SubParsersAction) -> None:
    group = command(commands, "endpoints", "jobs.cli.endpoints:list_all",
                    "Remote models: OpenAI-compatible endpoints, asked as remote:NAME.")
    add_json(group)
    actions = group.add_subparsers(title="commands", metavar="COMMAND")
    add = command(actions, "add", "jobs.cli.endpoints:add", "Give a remote model a name.")
    add.add_argument("name", metavar="NAME", help="letters, digits, '.', '_' and '-'; the model is then remote:NAME")
    add.add_argument("url", metavar="URL", help="as a rule up to and with /v1")
    add.add_argument("--model", required=True, metavar="M", help="the name under which the endpoint serves it")
    add.add_argument("--key-env", default="", metavar="VAR",
                     help="the environment variable that holds the key; the key itself is never stored")
    add.add_argument("--notes", default="", metavar="TEXT", help="what a reader should know of it")
    remove = command(actions, "remove", "jobs.cli.endpoints:remove", "Forget an endpoint; what it answered stays.")
    check = command(actions, "check", "jobs.cli.endpoints:check", "Ask an endpoint which models it serves.")
    for action in (remove, check):
        action.add_argument("name", metavar="NAME", help="as `endpoints` lists it")


def _add_comparisons(commands: argparse._SubParsersAction) -> None:
    group = command(commands, "comparisons", "jobs.cli.comparisons:list_saved", "What was saved on the Compare page.")
    group.add_argument("--search", default="", metavar="TEXT", help="only those with this in title or questions")
    group.add_argument("--limit", type=int, default=20, metavar="N", help="rows (default 20)")
    group.add_argument("--drafts", action="store_true", help="those that were not saved, too")
    add_json(group)
    actions = group.add_subparsers(title="commands", metavar="COMMAND")
    show = command(actions, "show", "jobs.cli.comparisons:show", "One comparison, question by question.")
    show.add_argument("--thinking", action="store_true", help="print the thinking too")
    export = command(actions, "export", "jobs.cli.comparisons:export", "One comparison as a JSON file.")
    export.add_argument("--to", required=True, metavar="FILE.json", help="where to; it must not be there yet")
    delete = command(actions, "delete", "jobs.cli.comparisons:delete", "Delete a comparison for good.")
    for action in (show, export, delete):
        action.add_argument("uid", metavar="UID", help="as `comparisons` lists it, and at the end of its link")
    bank = command(actions, "bank", "jobs.cli.comparisons:bank",
                   "Freeze the first questions of comparisons as an answer bank for raters.")
    bank.add_argument("name", metavar="NAME", help="name of the bank")
    bank.add_argument("uids", nargs="+", metavar="UID", help="comparisons of the same models")
