"""The settings of a new round as widgets, and widgets as a design: what they are called, in which section they stand,
and which texts are the lab's own. Help, bounds and defaults are read from `RoundSpec`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import gradio as gr

from lab.core.errors import Fault
from lab.rating.criteria import criteria
from lab.rating.design import RoundSpec
from lab.rating.wording import languages, wording
from lab.ui.form import FormField, SpecForm

FORM = SpecForm(RoundSpec)
FIELDS: dict[str, FormField] = {field.name: field for field in FORM.fields}
SUBJECT, SCALES, WHO, CHECKS, SESSION, TEXTS = (
    "What is rated", "Further scales", "Who rates what", "Checks of the raters", "The session", "What raters read")
SECTIONS: dict[str, tuple[str, ...]] = {
    SUBJECT: ("bank", "models", "name", "task", "quota", "language"),
    SCALES: ("criteria",),
    WHO: ("pairing", "allow_tie", "allow_both_bad", "shared_share", "most_units", "seed"),
    CHECKS: ("gold_every", "repeat_share", "practice", "practice_pass", "min_seconds"),
    SESSION: ("rest_after_units", "rest_after_min", "about", "guesses", "guess_target", "guess_question"),
    TEXTS: ("definition", "anchors", "preference_question", "consent", "consent_version"),
}
NAMES = tuple(name for names in SECTIONS.values() for name in names)
LABELS = {
    "bank": "Answer bank", "models": "Models", "name": "Name of the round", "task": "On the screen",
    "quota": "Ratings of each unit", "language": "Language", "criteria": "Further scales", "pairing": "Pairs",
    "allow_tie": "A tie may be chosen", "allow_both_bad": "'Both are bad' may be chosen",
    "shared_share": "Share for everybody", "most_units": "Most units a rater", "seed": "Seed",
    "gold_every": "One known answer in", "repeat_share": "Share that comes again", "practice": "Practice first",
    "practice_pass": "Right to go on", "min_seconds": "Least seconds", "rest_after_units": "Pause after units",
    "rest_after_min": "Pause after minutes", "about": "Ask about the rater", "guesses": "Guesses at the end",
    "guess_target": "Guess which is", "guess_question": "Question of the guess", "definition": "What fluency means",
    "anchors": "The scale, one line each from 1 to 5", "preference_question": "Question of the preference",
    "consent": "Consent", "consent_version": "Version of the consent",
}
WORDS = {
    "task": {"both": "Two answers: fluency of each, and which reads better",
             "preference": "Two answers: which reads better", "fluency": "One answer: its fluency"},
    "pairing": {"all": "Every two models", "first": "Each against the first"},
}
HELP = {  # where the declaration speaks to a recipe's writer
    "bank": "The frozen answers that raters read; more are made under 'Answers to rate'.",
    "models": "Two or more; the others are measured against the first.",
    "seed": "Of order, sides, golds and repeats.",
    "task": "", "criteria": "Asked of each answer after its fluency, from 1 to 5. Each takes every rater time.",
    "definition": "", "anchors": "", "preference_question": "", "consent": "", "consent_version": "",
}
LINES = {"definition": 3, "anchors": 5, "consent": 8, "guess_question": 1, "preference_question": 1}


def widget(name: str) -> Any:
    """The labelled widget of one setting, with its default."""
    field, words = FIELDS[name], {"label": LABELS[name], "info": HELP.get(name, FIELDS[name].help),
                                  "elem_id": f"round-{name}"}
    default = FORM.default(field)
    if name == "bank":
        return gr.Dropdown([], **words)
    if name == "models":
        return gr.Dropdown([], multiselect=True, **words)
    if name == "guess_target":
        return gr.Dropdown([(NOBODY, "")], value="", **words)
    if name == "criteria":
        return gr.CheckboxGroup(criterion_choices("en"), value=[], **words)
    if name == "language":
        return gr.Radio([(wording(code).native_name, code) for code in languages()], value=default, **words)
    if name in WORDS:
        return gr.Radio([(text, value) for value, text in WORDS[name].items()], value=default, **words)
    kind = field.info.annotation
    if kind is bool:
        return gr.Checkbox(default, **words)
    if kind in (int, float):
        return gr.Number(default, precision=0 if kind is int else None, min_width=150, **words)
    return gr.Textbox(text_default(name, "en"), lines=LINES.get(name, 1), max_lines=max(LINES.get(name, 1), 1) * 2,
                      **words)


NOBODY = "The one trained on traces, if one is"


def criterion_choices(language: str) -> list[tuple[str, str]]:
    """(title and question, name) of each further scale."""
    found = []
    for name, criterion in criteria().items():
        words = criterion.words(language)
        found.append((f"{words.title}: {words.question}", name))
    return found


def text_default(name: str, language: str, about: bool = True) -> str:
    """What a text says when nobody edits it; "" for one that has no text of the lab's own."""
    own = wording(language)
    return {"definition": own.definition, "anchors": "\n".join(own.anchors), "consent": own.consent_text(about),
            "preference_question": own.preference_question, "consent_version": own.consent_version}.get(name, "")


def is_own_text(name: str, text: str) -> bool:
    """Whether a text is the lab's, in any of its languages, and nobody's edit."""
    flat = " ".join((text or "").split())
    return not flat or any(flat == " ".join(text_default(name, language, about).split())
                           for language in languages() for about in (True, False))


def refilled(texts: Mapping[str, str], language: str, about: bool) -> list[Any]:
    """The section of texts in another language: what somebody edited stays."""
    return [text_default(name, language, about) if is_own_text(name, texts[name]) else gr.skip()
            for name in SECTIONS[TEXTS]]


def values_of(given: Mapping[str, Any]) -> dict[str, Any]:
    """A design's values from widget values. What is empty takes its default, the lab's own texts are left open, and
    what cannot be read stays as it is, for the spec to refuse."""
    found: dict[str, Any] = {}
    for name in NAMES:
        value = given.get(name)
        if name in SECTIONS[TEXTS] and name != "guess_question":
            value = None if is_own_text(name, value or "") else value
        if name == "anchors" and value is not None:
            value = [line.strip() for line in str(value).splitlines() if line.strip()]
        if name == "bank" and isinstance(value, str) and value.isdigit():
            value = int(value)
        if value is None or (value == "" and name in ("bank", "name")):
            continue
        found[name] = FIELDS[name].read(value) if not isinstance(value, list) else value
    return found


def faults_by_section(faults: Sequence[Fault]) -> dict[str, list[Fault]]:
    """Each fault with the section where its field stands."""
    found: dict[str, list[Fault]] = {section: [] for section in SECTIONS}
    for fault in faults:
        name = fault.field.partition(".")[0]
        section = next((section for section, names in SECTIONS.items() if name in names), SUBJECT)
        found[section].append(fault)
    return found
