"""The datasheet of a dataset, in the questions of Datasheets for Datasets (Gebru et al. 2018, arXiv 1803.09010).

What the lab knows is filled in from the rows, the lineage and what its jobs have counted; what only the researcher
knows is left as a question. Every number is counted from the rows when the sheet is written.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab.core.errors import LabError
from lab.data.dataset import Dataset
from lab.data.histograms import Branch, Histogram, Profile, profile
from lab.data.lineage import Link, lineage
from lab.data.made import Made, embedded_roles, find_made
from lab.data.noted import NotedSet, read_noted, resolve_any
from lab.data.pairs import PairSet

ASK = "**To be filled in by the researcher.**"
MOST_LISTED = 12
PURPOSE = {
    "problems": "Exam questions restated as open problems with one short true answer, so that reasoning is checkable.",
    "reasoning": "Chains of thought found by a search against a true answer, for supervised training on reasoning.",
    "instructions": "Instructions made from texts, graded and classified, with answers and preference pairs.",
    "ratings": "Preferences of human raters from a closed blind round, for preference training.",
    "review": "A version of another dataset that people have read: rejected rows left out, edited ones as edited.",
}


@dataclass(frozen=True)
class _Known:
    """All that a sheet is written from."""

    name: str
    card: Dataset | PairSet
    links: Sequence[Link]
    found: NotedSet | None  # None: its rows are not on this machine
    why_not: str = ""

    @property
    def made(self) -> Made | None:
        return self.links[0].made

    @property
    def title(self) -> str:
        return self.made.title if self.made else self.card.title


def datasheet(name: str, home: str | Path) -> str:
    """The sheet of any dataset or pair set, as Markdown. Raises LabError where the name means none."""
    path = find_made(home, name)
    name = str(path) if path else name
    found, why = None, ""
    card = resolve_any(name)
    try:
        found = read_noted(name)
    except LabError as problem:
        if card.hub is None and not name.startswith("hub:"):
            raise
        why = str(problem)
    known = _Known(name, card, lineage(name, home), found, why)
    parts = (_head, _motivation, _composition, _collection, _preprocessing, _uses, _distribution, _maintenance)
    return "\n\n".join("\n".join(part(known)) for part in parts) + "\n"


def _head(known: _Known) -> list[str]:
    name = Path(known.name).name if known.found and known.found.file else known.name
    lines = [f"# Datasheet: {known.title}", "", f"`{name}`"
             " · in the questions of Datasheets for Datasets (Gebru et al. 2018)."]
    made = known.made
    roles = embedded_roles(made) if made else []
    if made and roles:
        lines += ["", "> **Written by the embedded teacher, which is a script and no model** (as "
                  f"{', '.join(roles)}). It solves the lab's own demo problems and errs at a set rate. This dataset "
                  "shows how the lab works; it says nothing about any model and nothing about medicine."]
    return lines


def _motivation(known: _Known) -> list[str]:
    made = known.made
    what = PURPOSE[made.by] if made else known.card.description
    return ["## Motivation", "", f"- Purpose: {what}",
            f"- Made by: {_maker(known)}", f"- Who asked for it and who paid: {ASK}"]


def _maker(known: _Known) -> str:
    link = known.links[0]
    if link.made:
        job = f", job `{link.made.job}`" if link.made.job else ""
        return f"this lab ({link.made.by}{job}), {link.made.created}."
    if link.imported:
        return f"an import of `{link.imported.source_file}`."
    return f"{known.card.source}." + (f" {known.card.citation}." if known.card.citation else "")


def _composition(known: _Known) -> list[str]:
    lines = ["## Composition", ""]
    if known.found is None:
        published = f"; {known.card.n_rows:,} were published" if known.card.n_rows else ""
        return [*lines, f"Its rows are not counted here{published}. {known.why_not}"]
    found, counted = known.found, profile(known.found.rows)
    what = ("pair" if found.kind == "pairs" else "row") + ("" if counted.n == 1 else "s")
    lines += [f"- {counted.n:,} {what}, language '{known.card.language}'; "
              f"fingerprint `{found.fingerprint}`.",
              *([f"- sha256 of the file: `{found.key}`."] if found.file else [])]
    if found.kind == "rows":
        examples: Sequence[Any] = [noted.row for noted in found.rows]
        lines += [f"- {counted.trace_words.n:,} with a reasoning trace, "
                  f"{sum(bool(row.options) for row in examples):,} with options, "
                  f"{len({row.question_hash() for row in examples}):,} different questions.",
                  f"- Checked by: {_listed(_count(row.verifier for row in examples))}."]
    lines += _lengths(counted) + _grades(counted) + _groups(counted) + _teachers(known.made)
    return [*lines, f"- Personal or confidential data, offensive content: {ASK}"]


def _lengths(counted: Profile) -> list[str]:
    rows = [_spread(name, histogram) for name, histogram in
            (("question", counted.question_words), ("trace", counted.trace_words), ("answer", counted.answer_words))]
    return ["", "| words of the | rows | mean | median |", "|---|---:|---:|---:|", *rows, ""]


def _spread(name: str, histogram: Histogram) -> str:
    if histogram.mean is None or histogram.median is None:
        return f"| {name} | 0 | – | – |"
    return f"| {name} | {histogram.n:,} | {histogram.mean:.1f} | {histogram.median:g} |"


def _grades(counted: Profile) -> list[str]:
    graded = [(name, each) for name, each in (("quality", counted.quality), ("complexity", counted.complexity),
                                              ("relevance", counted.relevance)) if each.n]
    if not graded:
        return []
    lines = ["| grade | rows | without | mean | median | how many of each |", "|---|---:|---:|---:|---:|---|"]
    for name, each in graded:
        said = ", ".join(f"{part.low}: {part.n:,}" for part in each.bins if part.n)
        lines.append(f"| {name} | {each.n:,} | {each.n_without:,} | {each.mean:.2f} | {each.median:g} | {said} |")
    return [*lines, "", "Grades are a model's, not a person's.", ""]


def _groups(counted: Profile) -> list[str]:
    named = (("Provenance", counted.provenance), ("Depth of the search", counted.depth),
             ("Strategies", counted.strategies), ("Style", counted.style), ("Subjects", counted.subject))
    lines = [f"- {title}: {_listed(counts)}." for title, counts in named if set(counts) - {"none"}]
    return lines + [f"- Departments: {_tree(counted.departments)}."] * bool(counted.departments)


def _tree(branches: Iterable[Branch]) -> str:
    return "; ".join(f"{branch.name} {branch.n:,} ("
                     + ", ".join(f"{part.name} {part.n:,}" for part in branch.children) + ")" for branch in branches)


def _teachers(made: Made | None) -> list[str]:
    if made is None or not made.teachers:
        return []
    named = (f"{role}: {model.get('label') or '?'} (`{model.get('ref', '?')}`)"
             for role, model in made.teachers.items())
    return [f"- Teachers: {'; '.join(named)}."]


def _collection(known: _Known) -> list[str]:
    lines = ["## Collection process", "", "| made of | kind | rows | fingerprint | |", "|---|---|---:|---|---|"]
    for link in known.links:
        said = "; ".join(part for part in (link.by, f"job {link.job}" if link.job else "", link.remark) if part)
        lines.append(f"| {'↳ ' * link.depth}`{Path(link.name).name if link.path else link.name}` | {link.kind} | "
                     f"{f'{link.rows:,}' if link.rows is not None else '–'} | {link.sha256[:12] or '–'} | "
                     f"{said.replace('|', chr(92) + '|')} |")
    made = known.made
    if made is None:
        return lines
    if made.prompts:
        lines += ["", "- Prompts, by template and sha256: "
                  + ", ".join(f"{name} `{sha}`" for name, sha in sorted(made.prompts.items())) + "."]
    if made.spent:
        lines.append(f"- Asked of the teachers: {_spent(made.spent)}.")
    return lines + _funnel(made.funnel)


def _spent(spent: Mapping[str, Any]) -> str:
    tokens = spent.get("n_prompt_tokens", 0) + spent.get("n_completion_tokens", 0)
    usd = f", {spent['usd']:.2f} USD" if spent.get("usd") else ""
    return (f"{spent.get('n_requests', 0):,} requests paid for and {spent.get('n_cached', 0):,} taken from the cache, "
            f"{tokens:,} tokens{usd}")


def _funnel(funnel: Mapping[str, Any] | None) -> list[str]:
    if not funnel:
        return []
    lines = ["", "| got as far as | items |", "|---|---:|",
             *(f"| {stage['name']} | {stage['n']:,} |" for stage in funnel.get("stages", ()))]
    solved = funnel.get("solved") or ()
    if solved:
        lines += ["", "- Solved: " + ", ".join(f"attempt {each['attempt']} depth {each['depth']}: {each['n']:,}"
                                               for each in solved) + "."]
    if funnel.get("n_open"):
        lines.append(f"- Not ended, or not reached when the budget was spent: {funnel['n_open']:,}.")
    return lines


def _preprocessing(known: _Known) -> list[str]:
    lines = ["## Preprocessing", ""]
    link = known.links[0]
    dropped = (link.made.funnel or {}).get("dropped", ()) if link.made else ()
    lines += [f"- {each['n']:,} left out after '{each['stage']}': {each['outcome']}." for each in dropped]
    skipped = {**(link.imported.skipped if link.imported else {}), **(known.found.skipped if known.found else {})}
    lines += [f"- {count:,} left out on reading: {reason}." for reason, count in skipped.items()]
    if link.imported:
        lines.append("- Columns: " + ", ".join(f"{field} = {column}" for field, column in link.imported.mapping.items())
                     + ".")
    lines += [f"- {note}" for note in (*(link.made.notes if link.made else ()),
                                       *(known.found.remarks if known.found else ()))]
    return lines if len(lines) > 2 else [*lines, "- Nothing was left out."]


def _uses(known: _Known) -> list[str]:
    wanted = "preference training" if isinstance(known.card, PairSet) else "supervised training" if (
        known.card.has_traces) else "supervised training on answers, and reinforcement learning"
    return ["## Uses", "", f"- Meant for: {wanted}, and research on it.",
            f"- **{known.card.clinical_use.capitalize()}.** Nobody has checked it for the care of patients.",
            f"- What it was used for already, and what it should not be used for: {ASK}"]


def _distribution(known: _Known) -> list[str]:
    own = known.made.license if known.made else known.card.license
    parents = [f"- `{Path(link.name).name if link.path else link.name}`: {link.license}" for link in known.links[1:]
               if link.license]
    above = ["- What it was made of:", *(f"  {line}" for line in parents)] if parents else []
    return ["## Distribution", "", f"- Licence: {own}.", *above]


def _maintenance(known: _Known) -> list[str]:
    note = getattr(known.card, "revision_note", "")
    kept = "Its file is never written again: a changed dataset is another one, with this as its parent." if (
        known.made) else "It is kept by its owner." + (f" Revision: {note}." if note else "")
    return ["## Maintenance", "", f"- {kept}", f"- Who answers for it, and how mistakes are reported: {ASK}"]


def _count(values: Iterable[str]) -> dict[str, int]:
    counted: dict[str, int] = {}
    for value in values:
        counted[value] = counted.get(value, 0) + 1
    return counted


def _listed(counts: Mapping[str, int]) -> str:
    """'a: 12; b: 3' with the rest of many counted."""
    first = [f"{name}: {count:,}" for name, count in list(counts.items())[:MOST_LISTED]]
    rest = list(counts.values())[MOST_LISTED:]
    return "; ".join(first) + (f"; and {len(rest)} more: {sum(rest):,}" if rest else "")
