"""datasheet.md: the evaluation in the questions of HEDS, the Human Evaluation Datasheet (Shimorina and Belz 2022).

What the lab knows is filled in from the design and the data; what only the researcher knows is left as a question.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from lab.rating.files.contents import Contents

ASK = "**To be filled in by the researcher.**"
TASKS = {
    "both": "Two answers to one question side by side; fluency of each from 1 to 5, then a preference.",
    "preference": "Two answers to one question side by side; a preference.",
    "fluency": "One answer at a time; its fluency from 1 to 5.",
}


def datasheet(contents: Contents, results: Mapping[str, Any]) -> str:
    """`results`: `RoundResults.as_dict()` of the same contents."""
    parts = (_head(contents), _texts(contents), _people(contents), _asked(contents), _assigned(contents),
             _counts(contents, results), _quality(results), _agreement(results), _limits(contents))
    return "\n\n".join(parts) + "\n"


def _head(contents: Contents) -> str:
    facts = contents.facts
    hidden = " The models are called by letters that were drawn by chance." if facts.blinded else ""
    lines = [f"# Datasheet of {facts.name}", "",
             f"Rated models: {', '.join(facts.models)}. Differences are measured against the first.{hidden}",
             f"Round {facts.uid}, made {facts.created_at}, {_end(contents)}.", "",
             "- Purpose and hypotheses of the study: " + ASK,
             "- Who ran and who paid for it, and ethical approval: " + ASK,
             "- Where it was registered beforehand, if it was: " + ASK]
    return "\n".join(lines)


def _end(contents: Contents) -> str:
    facts = contents.facts
    seen = f"; its results were opened early, {facts.unblinded_at}" if facts.unblinded_at else ""
    return (f"closed {facts.closed_at}" if facts.closed_at else "still open") + seen


def _texts(contents: Contents) -> str:
    facts, design = contents.facts, contents.facts.design
    main = [unit for unit in contents.units if unit.role == "main"]
    bank = f", from the answer bank '{facts.bank}'" if facts.bank else ""
    pairs = _listed(facts.excluded.get("pairs", {})) or "none"
    lines = ["## What was rated", "",
             f"- {len(main)} units of {len({unit.item_id for unit in main})} questions in '{design.get('language')}'"
             f"{bank}. Texts: units.jsonl.",
             f"- Left out before the round, by reason: {pairs}."]
    for model, reasons in facts.excluded.get("by_model", {}).items():
        lines.append(f"- Answers of {model} that could not be rated: {_listed(reasons) or 'none'}.")
    lines += [f"- Warning of the scan: {warning}" for warning in facts.warnings]
    lines.append(f"- Where the questions come from, and how they were chosen: {ASK}")
    return "\n".join(lines)


def _people(contents: Contents) -> str:
    rated = {said.row.rater for said in contents.said if said.version}
    states = Counter(person.state for person in contents.people)
    lines = ["## Who rated", "",
             f"- {len(contents.people)} people had a link; {len(rated)} rated. Kinds: "
             f"{_listed(Counter(person.kind for person in contents.people)) or 'none'}. States: "
             f"{_listed(states) or 'none'}.",
             f"- How they were recruited, paid and chosen, and what they knew of the study: {ASK}"]
    for question in sorted({name for person in contents.people for name in person.about}):
        answers = Counter(str(person.about[question]) for person in contents.people if person.about.get(question))
        lines.append(f"- {question}: {_listed(answers)} (as they said themselves; raters.csv).")
    lines.append(f"- Consent: version {contents.facts.design.get('consent_version')}, agreed to by "
                 f"{sum(bool(person.consent_at) for person in contents.people)}; the text is in design.json.")
    return "\n".join(lines)


def _asked(contents: Contents) -> str:
    design = contents.facts.design
    lines = ["## What they saw and were asked", "", f"- {TASKS.get(str(design.get('task')), '')}",
             f"- Definition: {design.get('definition')}"]
    if design.get("task") != "preference":
        lines += [f"- {score}: {words}" for score, words in enumerate(design.get("anchors", ()), start=1)]
    if design.get("task") != "fluency":
        ties = [words for words, name in (("'no difference'", "allow_tie"), ("'both are bad'", "allow_both_bad"))
                if design.get(name)]
        lines.append(f"- Preference: {design.get('preference_question')} {' and '.join(ties) or 'Nothing else'} could "
                     "be chosen beside left and right.")
    if design.get("criteria"):
        lines.append(f"- Further scales from 1 to 5: {', '.join(design['criteria'])}.")
    practice = "none"
    if design.get("practice"):
        practice = f"with feedback, {design.get('practice_pass'):.0%} right to pass, two tries"
    lines.append(f"- Practice: {practice}. Names of models, thinking and roles of units were never on the page.")
    return "\n".join(lines)


def _assigned(contents: Contents) -> str:
    design = contents.facts.design
    main = contents.main
    left = sum(row.a_left for row in main if row.model_b)
    shown = sum(bool(row.model_b) for row in main)
    first = contents.facts.models[0] if len(contents.facts.models) == 2 else "the earlier of two models"
    sides = f" {first} stood left in {left} of {shown}." if shown else ""
    return "\n".join([
        "## How units were given", "",
        f"- {design.get('quota')} ratings of each unit by as many raters; least rated first; sides balanced over units "
        f"and over raters, and stored.{sides}",
        f"- Shared by all raters: {design.get('shared_share', 0):.0%} of the questions. Known answers: "
        f"{'one in ' + str(design['gold_every']) if design.get('gold_every') else 'none'}. Shown again with sides "
        f"swapped: {design.get('repeat_share', 0):.0%} of a rater's units.",
        f"- A unit could be sent after {design.get('min_seconds')} seconds; the last rating could be corrected once, "
        "and both versions are kept.",
    ])


def _counts(contents: Contents, results: Mapping[str, Any]) -> str:
    counts = results["counts"]
    skips = Counter(said.skip_reason for said in contents.said if not said.version)
    corrected = sum(not said.current for said in contents.said)
    reports = sum(bool(said.report) for said in contents.said if said.current)
    times = [row.visible_ms / 1000 for row in contents.main if row.visible_ms is not None]
    spent = f"{median(times):.0f} s of visible time, the median of {len(times)} units" if times else "not measured"
    return "\n".join([
        "## Counts", "",
        f"- {counts['n_ratings']} ratings of {counts['n_units']} units and {counts['n_items']} questions by "
        f"{counts['n_raters']} raters count. Beside them: {counts['n_surplus']} beyond the quota, {counts['n_gold']} "
        f"of known answers, {counts['n_repeats']} repeats.",
        f"- Skipped: {_listed(skips) or 'none'}. Corrected: {corrected}. Reported to the researcher: {reports}.",
        f"- Time: {spent}.",
    ])


def _quality(results: Mapping[str, Any]) -> str:
    quality = results["quality"]
    flags = [f"- {flag['rater']}: {flag['text']}" for flag in quality["flags"]]
    return "\n".join([
        "## Signs of care", "",
        f"- Known answers given right: {_share(quality['gold_share'])} of {quality['n_gold']}. The same said again of "
        f"repeats: {_share(quality['repeats']['share'])} of {quality['repeats']['n']}.",
        f"- Left side chosen: {_share(quality['position']['share'])} of {quality['position']['n']} decided choices.",
        *(flags or ["- Nobody was flagged."]),
        "- Nobody was left out of the main analysis; results.json has it without flagged raters beside it.",
    ])


def _agreement(results: Mapping[str, Any]) -> str:
    found = results["agreement"]
    lines = ["## Agreement", ""]
    for name, what in (("scores", "fluency, ordinal"), ("choices", "preference, nominal")):
        alpha = found[name]
        if alpha is None:
            lines.append(f"- Krippendorff's alpha ({what}): not asked, or no ratings.")
        elif alpha["alpha"] is None:
            lines.append(f"- Krippendorff's alpha ({what}): none. {alpha['why']}")
        else:
            lines.append(f"- Krippendorff's alpha ({what}): {alpha['alpha']:.2f} {_interval(alpha)}, n = "
                         f"{alpha['n_units']} units, {alpha['n_ratings']} ratings.")
    return "\n".join([*lines, "- Kappas of two raters, exact agreement and all other figures: results.json."])


def _limits(contents: Contents) -> str:
    design = contents.facts.design
    asked = "which text reads better" if design.get("task") == "preference" else "the fluency"
    return "\n".join([
        "## Limits", "",
        f"- Raters judged {asked} on a screen; medical correctness was not the question unless a scale above asks for "
        "it.",
        "- Intervals are of these raters: questions are resampled, raters are few and are not.",
        "- Answers that were empty, cut off, unfinished or identical are no part of the figures; counts are above.",
        f"- What else limits the study: {ASK}",
    ])


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items())


def _share(value: float | None) -> str:
    return "none" if value is None else f"{value:.0%}"


def _interval(alpha: Mapping[str, Any]) -> str:
    known: Sequence[float | None] = (alpha["low"], alpha["high"])
    return "(no interval)" if None in known else f"[{known[0]:.2f}, {known[1]:.2f}]"
