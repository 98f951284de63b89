"""Practice: a unit with a known answer, and what is told after it."""

from __future__ import annotations

from lab.rating.practice import Given, wrong_parts
from lab.rating.wording import wording
from lab.ui.components.markup import Html, join, tag
from lab.ui.rater.screens_fields import LETTERS, shown, sides
from lab.ui.rater.screens_frame import Frame, alert, button, heading, menu, opener, page, progress, sheet
from lab.ui.rater.screens_unit import Form, judged, keys
from storage.queries.practice import Feedback, PracticeServed

IN_ORDER = {"left": "a", "right": "b", "both_bad": "tie"}  # practice stands as it was written: a on the left
AS_SIDE = {"a": "left", "b": "right"}
NEXT = {"": "practice.next", "passed": "practice.passed_next", "again": "practice.again_next",
        "blocked": "practice.blocked_next"}


def practice(frame: Frame, served: PracticeServed, told: str = "") -> Html:
    """One practice unit."""
    words = frame.words
    again = tag("small", " · ", words("practice.again")) if served.second_try else None
    total = tag("small", words("noun.of", n=served.n_total))
    top = heading(words("practice.title", n=served.number), " ", total, again)
    bar = progress(frame, served.number - 1, served.n_total)
    form = Form("practice", served.submit_key, served.question, served.left, served.right, words("practice.submit"),
                frame.design.min_seconds)
    return page(frame, "practice", bar, alert(told), judged(frame, form, comment=False), windows=(keys(frame),),
                top=(top, menu(frame, opener(words("unit.keys"), "keys", "item"))))


def feedback(frame: Frame, told: Feedback) -> Html:
    """The rater's answers beside the expected ones, the reason, and how the practice ended if it did."""
    words = frame.words
    title = words("practice.right" if told.right_enough else "practice.wrong")
    answers = (tag("section", tag("h2", _title(frame, side.letter, side.alone)), shown(frame, side.text), cls="answer")
               for side in sides(told.left, told.right))
    ending = tag("div", tag("h2", words(f"practice.{told.verdict}_title")),
                 tag("p", words(f"practice.{told.verdict}_text")), cls="ending") if told.verdict else None
    return sheet(
        frame, "feedback", title,
        _table(frame, told),
        frame.said("p", told.explanation, cls="why"),
        tag("p", words("practice.near"), cls="soft") if frame.design.asks_fluency else None,
        ending,
        tag("div", button(words(NEXT[told.verdict]), "open", "primary", data_enter=True), cls="actions"),
        tag("details", tag("summary", words("practice.reread")), shown(frame, told.question), *answers, cls="again",
            open=True),
    )


def _table(frame: Frame, told: Feedback) -> Html:
    words, given = frame.words, told.given
    said = Given(given.fluency_left, given.fluency_right, IN_ORDER.get(given.preference, given.preference))
    wrong = wrong_parts(told.expected, said)
    rows = []
    for side in sides(told.left, told.right):
        part = "fluency_a" if side.name == "left" else "fluency_b"
        if getattr(said, part) is not None and part in told.expected:
            rows.append((_title(frame, side.letter, side.alone), getattr(said, part), told.expected[part],
                         part not in wrong))
    if given.preference and told.expected.get("preference"):
        expected = [AS_SIDE.get(str(told.expected["preference"]), "tie")]
        expected += ["tie"] if told.expected.get("tie_accepted") and expected != ["tie"] else []
        right = join([_side(frame, value) for value in expected], f" {words('or')} ")
        rows.append((frame.said("span", frame.design.preference_question), _side(frame, given.preference), right,
                     "preference" not in wrong))
    body = (tag("tr", tag("th", name, scope="row"), tag("td", own, " ", tag("b", "✓" if right else "✗",
            cls="right" if right else "wrong", aria_hidden="true"), cls="own"), tag("td", expected))
            for name, own, expected, right in rows)
    head = tag("tr", tag("td"), tag("th", words("practice.yours"), scope="col"),
               tag("th", words("practice.expected"), scope="col"))
    return tag("table", tag("thead", head), tag("tbody", *body), cls="told")


def _side(frame: Frame, preference: str) -> Html:
    """A for the left one, B for the right one; else the round's words."""
    letter = LETTERS.get(preference)
    return tag("span", letter) if letter else frame.said("span", wording(frame.design.language).preferences[preference])


def _title(frame: Frame, letter: str, alone: bool) -> str:
    return frame.words("unit.answer_one") if alone else frame.words("unit.answer", letter=letter)
