"""`ratings quality|results|power`: what raters did, what a closed round says, what a round can find."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from typing import Any

from jobs.cli.text import aligned
from lab.core.errors import Fault, SpecError
from lab.rating import sample_size
from storage.database import open_store
from storage.queries.ratings import get_round
from storage.queries.round_results import round_quality, round_results

NOTHING = "–"


def quality(options: argparse.Namespace) -> int:
    with open_store().read() as session:
        get_round(session, options.round)
        found = round_quality(session, options.round)
    if options.json:
        print(json.dumps(asdict(found), indent=1, ensure_ascii=False))
        return 0
    rows = [[one.rater, one.kind, str(one.n), _seconds(one.seconds), f"{_share(one.gold_share)} of {one.n_gold}",
             f"{_share(one.repeats.share)} of {one.repeats.n}", f"{_share(one.position.share)} of {one.position.n}",
             ", ".join(one.flags)] for one in found.raters]
    print(aligned(("rater", "kind", "rated", "seconds", "known answers", "repeats", "left", "flags"), rows) if rows else
          "Nothing is rated yet.")
    for flag in found.flags:
        print(f"{flag.rater}: {flag.text}")
    return 0


def results(options: argparse.Namespace) -> int:
    with open_store().read() as session:
        the_round = get_round(session, options.round)
        found = round_results(session, options.round).as_dict()
    if options.json:
        print(json.dumps(found, indent=1, ensure_ascii=False))
        return 0
    if the_round.state == "open":
        print(f"This round is still open; {the_round.unblinded_by or 'somebody'} opened its results early.")
    print(_results(found))
    return 0


def power(options: argparse.Namespace) -> int:
    """Which difference is found four times in five, and how many questions one needs."""
    given = {"raters": options.raters, "rho": options.rho}
    try:
        win = sample_size.detectable_win_rate(options.prompts, **given)
        points = sample_size.detectable_fluency(options.prompts, options.sd, **given)
        print(f"{options.prompts} questions with {options.raters} ratings each find, in 80 % of rounds:")
        print(f"  a win rate {100 * win:.1f} points from 50 %")
        print(f"  a difference of {points:.2f} points of fluency")
        if options.difference is not None:
            n = sample_size.prompts_for_win_rate(options.difference / 100, **given)
            print(f"a win rate {options.difference:g} points from 50 % needs {n} questions")
    except ValueError as error:
        raise SpecError([Fault("power", str(error))], "power") from None
    return 0


def _results(found: dict[str, Any]) -> str:
    counts = found["counts"]
    lines = [f"{counts['n_ratings']} ratings of {counts['n_units']} units and {counts['n_items']} questions by "
             f"{counts['n_raters']} raters; {counts['n_surplus']} beyond the quota, {counts['n_gold']} of known "
             f"answers, {counts['n_repeats']} repeats"]
    for one in found["scores"]:
        if one["mean"]:
            lines.append(f"fluency of {one['model']}: {_interval(one['mean'])} n = {one['n']} scores")
    for view in found["views"]:
        if view["same_as"]:
            lines += ["", f"{view['name']}: the same ratings"]
            continue
        out = f", without {', '.join(view['left_out'])}" if view["left_out"] else ""
        lines += ["", f"{view['name']}: n = {view['n_ratings']} ratings{out}"]
        for contrast in view["contrasts"]:
            lines += _contrast(contrast)
        lines += _ranking(view["ranking"])
    lines += ["", *_agreement(found["agreement"]), *_blinding(found["blinding"])]
    lines += [f"flagged, {flag['rater']}: {flag['text']}" for flag in found["quality"]["flags"]]
    return "\n".join([*lines, "Everything else: --json, or `ratings export`."])


def _contrast(one: dict[str, Any]) -> list[str]:
    lines = [f"{one['b']} against {one['a']}: n = {one['n_items']} questions, {one['n_ratings']} ratings, "
             f"{one['n_raters']} raters"]
    if one["fluency"]:
        fluency = one["fluency"]
        lines.append(f"  fluency: {_interval(fluency['difference'], '+.2f')} p = {_p(fluency['p_value'])}")
    if one["win"]:
        win = one["win"]
        lines.append(f"  preferred in {_interval(win['rate'], '.1%')} p = {_p(win['p_value'])} ({win['n_a']} lost, "
                     f"{win['n_tie'] + win['n_both_bad']} ties, {win['n_b']} won)")
    for name, what in (("choice", "log odds of being preferred"), ("score_model", "log odds of a higher score")):
        model = one[name]
        effect = model["effect"]
        lines.append(f"  {what}: {_interval(effect, '+.2f')} p = {_p(effect['p_value'])}" if effect else
                     f"  {what}: {NOTHING} {model['why']}")
    position = one["choice"]["position"]
    if position:
        lines.append(f"  right side favoured by: {_interval(position, '+.2f')}")
    return lines


def _ranking(ranking: dict[str, Any] | None) -> list[str]:
    if not ranking:
        return []
    if not ranking["strengths"]:
        return [f"ranking: {NOTHING} {ranking['why']}"]
    return ["ranking by strength (log odds, their sum is 0):",
            *(f"  {one['model']}: {_interval(one['strength'], '+.2f')}" for one in ranking["strengths"])]


def _agreement(found: dict[str, Any]) -> list[str]:
    lines = []
    for name, what in (("scores", "fluency"), ("choices", "preference")):
        alpha = found[name]
        if alpha and alpha["alpha"] is not None:
            n = f"n = {alpha['n_units']} units"
            lines.append(f"Krippendorff's alpha, {what}: {_interval({**alpha, 'estimate': alpha['alpha']})} {n}")
        elif alpha:
            lines.append(f"Krippendorff's alpha, {what}: {NOTHING} {alpha['why']}")
    return lines


def _blinding(found: list[dict[str, Any]]) -> list[str]:
    return [f"blinding index of {one['face']}: {_interval({**one, 'estimate': one['index']})} (1 all know, 0 guessing; "
            f"n = {one['n']} guesses)" for one in found if one["index"] is not None]


def _interval(one: dict[str, Any], form: str = ".2f") -> str:
    if one["low"] is None or one["high"] is None:
        return f"{one['estimate']:{form}} (no interval)"
    return f"{one['estimate']:{form}} [{one['low']:{form}}, {one['high']:{form}}]"


def _p(value: float | None) -> str:
    if value is None:
        return NOTHING
    return "< .001" if value < 0.001 else f"{value:.3f}"


def _share(value: float | None) -> str:
    return NOTHING if value is None else f"{value:.0%}"


def _seconds(value: float | None) -> str:
    return NOTHING if value is None else f"{value:.0f}"
