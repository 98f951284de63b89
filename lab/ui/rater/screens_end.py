"""Pauses, the guess at the end, the closing questions, the end, and pages with one thing to say."""

from __future__ import annotations

from collections.abc import Mapping

from lab.rating.wording import wording
from lab.ui.components.markup import Html, tag
from lab.ui.rater.screens_fields import guess_fields, shown, sides
from lab.ui.rater.screens_frame import Frame, alert, button, heading, page, progress, sheet
from lab.ui.rater.screens_start import amount, questions
from lab.ui.rater.screens_unit import undo_button
from storage.queries.guessing import GuessUnit


def rest(frame: Frame, n_done: int) -> Html:
    """A pause is suggested; nobody has to take it."""
    words = frame.words
    return sheet(
        frame, "rest", words("rest.title"), tag("p", words("rest.text", n=amount(frame, n_done)), cls="lead"),
        tag("div", button(words("rest.go_on"), "resume", "primary", data_enter=True),
            button(words("rest.stop"), "rest"), cls="actions"),
    )


def paused(frame: Frame) -> Html:
    words = frame.words
    return sheet(frame, "paused", words("paused.title"), tag("p", words("paused.text"), cls="lead"),
                 tag("div", button(words("paused.go_on"), "resume", "primary", data_enter=True), cls="actions"))


def guess(frame: Frame, asked: GuessUnit, can_undo: bool) -> Html:
    """A unit seen before, sides as they stood."""
    words = frame.words
    shown_sides = sides(asked.left, asked.right)
    top = heading(words("guess.title", n=asked.number), " ", tag("small", words("noun.of", n=asked.n_total)))
    answers = (tag("section", tag("h2", words("unit.answer_one") if side.alone
                                  else words("unit.answer", letter=side.letter)), shown(frame, side.text), cls="answer")
               for side in shown_sides)
    form = tag(
        "div", tag("section", tag("h2", words("unit.question")), shown(frame, asked.question), cls="question"),
        tag("div", *answers, cls=f"answers of-{len(shown_sides)}"),
        *guess_fields(frame, alone=not asked.right),
        tag("div", tag(
            "div", tag("button", cls="missing quiet", type="button", data_next_open=True),
            tag("button", words("guess.submit"), type="button", cls="primary", data_submit=True), cls="send",
        ), cls="dock"),
        data_form="guess", data_key=asked.key, cls="unit guess",
    )
    undo = (undo_button(frame, "end.undo"),) if can_undo else ()
    return page(frame, "guess", progress(frame, asked.number - 1, asked.n_total),
                tag("p", words("guess.lead"), cls="lead"), form, top=(top, *undo))


def closing(frame: Frame, told: str = "", given: Mapping[str, str] | None = None) -> Html:
    """The closing questions, in the round's words."""
    return questions(frame, "closing", wording(frame.design.language).closing, (told, given or {}))


def end(frame: Frame, n_done: int, can_undo: bool, told: str = "") -> Html:
    """Nothing is left for this rater."""
    words = frame.words
    text = words("end.text", n=amount(frame, n_done)) if n_done else words("end.text_none")
    undo = tag("div", button(words("end.undo"), "undo"), cls="actions") if can_undo else None
    return sheet(frame, "end", words("end.title"), alert(told), tag("p", text, cls="lead"), undo)


def message(frame: Frame, screen: str, **values: object) -> Html:
    """A page with one thing to say: `messages.<screen>` of the page's words."""
    words = frame.words
    text = tag("p", words(f"messages.{screen}", **values), cls="lead")
    return page(frame, screen, tag("section", heading(words(f"messages.{screen}_title")), text, cls="sheet short"))
