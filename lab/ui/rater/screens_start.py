"""The screens before the first unit: consent, about you, instructions."""

from __future__ import annotations

from collections.abc import Mapping

from lab.rating.verdicts import minutes
from lab.rating.wording import Sample, wording
from lab.ui.components.markup import Html, tag
from lab.ui.rater.screens_fields import anchor_list, question
from lab.ui.rater.screens_frame import Frame, alert, button, opener, paragraphs, sheet, window


def consent(frame: Frame) -> Html:
    """The text that is agreed to, with its version. A "no" ends the link, so it is asked once more."""
    words, design = frame.words, frame.design
    no = window(frame, "decline", words("consent.sure_title"), tag("p", words("consent.sure_text")),
                button(words("consent.sure_yes"), "decline", "danger"), shut="alerts.cancel")
    return sheet(
        frame, "consent", words("consent.title"),
        frame.said("div", *paragraphs(design.consent), cls="consent"),
        tag("p", words("consent.version", version=design.consent_version), cls="soft"),
        tag("div", button(words("consent.agree"), "agree", "primary"),
            opener(words("consent.decline"), "decline"), cls="actions"),
        windows=(no,),
    )


def about(frame: Frame, told: str = "", given: Mapping[str, str] | None = None) -> Html:
    """The background questions, in the round's words."""
    return questions(frame, "about", wording(frame.design.language).background, (told, given or {}))


def questions(frame: Frame, screen: str, asked: tuple, state: tuple[str, Mapping[str, str]]) -> Html:
    """A sheet of questions that are sent together. `state`: what is to be told, and what was answered so far."""
    words, (told, given) = frame.words, state
    key = {"about": "about", "closing": "closing"}[screen]
    form = tag(
        "div", *(question(frame, one, given) for one in asked),
        tag("div", tag("button", words(f"{key}.submit"), type="button", cls="primary", data_submit=True),
            tag("p", cls="missing"), cls="actions"),
        data_form={"about": "about", "closing": "close"}[screen], data_key=screen, cls="questions",
    )
    lead = tag("p", words("about.lead"), cls="lead") if screen == "about" else None
    return sheet(frame, screen, words(f"{key}.title"), lead, alert(told), form)


def instructions(frame: Frame, n_units: int) -> Html:
    """What is asked, how, how long, with examples, and what is kept."""
    words, design = frame.words, frame.design
    own = wording(design.language)
    lead = words("instructions.lead", what=amount(frame, n_units),
                 minutes=words.count("noun.minutes", minutes(n_units, design.task)))
    steps = frame.said("ol", *(tag("li", step) for step in own.instructions), cls="steps")
    examples = [_example(frame, "good", sample) for sample in own.good]
    examples += [_example(frame, "bad", sample) for sample in own.bad]
    return sheet(
        frame, "instructions", words("instructions.title"), tag("p", lead, cls="lead"),
        tag("section", tag("h2", words("instructions.definition")), frame.said("p", design.definition),
            anchor_list(frame, design) if design.asks_fluency else None),
        tag("section", tag("h2", words("instructions.steps")), steps),
        tag("section", tag("h2", words("instructions.examples")), tag("div", *examples, cls="examples")),
        tag("section", tag("h2", words("instructions.kept")), tag("p", words("instructions.kept_text"))),
        tag("p", words("instructions.practice")) if design.practice else None,
        tag("div", button(words("instructions.start_practice" if design.practice else "instructions.start"), "start",
                          "primary", data_enter=True), cls="actions"),
    )


def amount(frame: Frame, n: int) -> str:
    """'12 pairs of answers', or '12 answers' where one stands on the screen."""
    return frame.words.count("noun.answers" if frame.design.task == "fluency" else "noun.pairs", n)


def _example(frame: Frame, kind: str, sample: Sample) -> Html:
    words = frame.words
    score = tag("span", " · ", words("instructions.score", n=sample.score)) if frame.design.asks_fluency else None
    return tag("figure", tag("figcaption", tag("b", words(f"instructions.{kind}"), score)),
               frame.said("blockquote", sample.text), frame.said("p", sample.why), cls=f"example {kind}")
