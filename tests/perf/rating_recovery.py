"""Simulated raters with known ways, by hand: `python -m tests.perf.rating_recovery [simulations]`; minutes.

Prints how often each 95 % interval holds what was put in (asked: at least 90 % of 200 simulations) and how often each
test finds a difference that is not there (asked: 3 to 7 %), with and without what hangs together.
"""

from __future__ import annotations

import sys
import time

from tests.rating.recovered import coverage, false_positives, ranking_coverage, truths
from tests.rating.simulated_raters import Panel

NULL_TIMES = 5  # false positives are rare: so many more simulations, for a standard error of 0.7 points


def main(n: int = 200) -> None:
    started = time.monotonic()
    panels = {
        "200 questions, 3 raters, effect .6, position .25, tie .5": Panel(questions=200),
        "the same, effect differs between questions (sd 1)": Panel(questions=200, prompt_sd=1.0),
        "50 questions, 3 raters, effect differs (sd 1)": Panel(questions=50, prompt_sd=1.0),
        "100 questions, 8 raters, effect differs (sd 1)": Panel(raters=8, prompt_sd=1.0),
    }
    for name, panel in panels.items():
        truth = truths(panel)
        _table(f"Coverage of {n}: {name}", coverage(panel, truth, n), truth)
    three = Panel(models=("x", "y", "z"), effects=(-0.4, 0.1, 0.3))
    _table(f"Coverage of {n}: three models, 100 questions, 3 raters", ranking_coverage(three, n),
           dict(zip(three.models, three.effects, strict=True)))
    many = NULL_TIMES * n
    for name, panel in {
        "ratings of a question hang together (sd 1.5, 5 raters)": Panel(effects=(0.0, 0.0), prompt_sd=1.5, raters=5),
        "nothing hangs together (3 raters)": Panel(effects=(0.0, 0.0)),
    }.items():
        _table(f"False positives of {many}: {name}", false_positives(panel, many))
    print(f"\n{time.monotonic() - started:.0f} s")


def _table(title: str, shares: dict[str, float], truth: dict[str, float] | None = None) -> None:
    print(f"\n{title}")
    for name, share in shares.items():
        print(f"  {name:<36} {share:>7.1%}" + (f"   truth {truth[name]:+.3f}" if truth else ""), flush=True)


if __name__ == "__main__":
    main(*(int(word) for word in sys.argv[1:]))
