"""The screen of one unit: question, answers, scales, choice, and what can be done with it. Practice uses its form."""

from __future__ import annotations

from dataclasses import dataclass

from lab.rating.verdicts import COMMENT_LIMIT, Verdict
from lab.rating.wording import wording
from lab.ui.components.markup import Html, join, tag
from lab.ui.rater.screens_fields import Side, anchor_list, preference, scales, shown, sides
from lab.ui.rater.screens_frame import Frame, alert, button, heading, menu, opener, page, progress, window
from storage.queries.rater_sessions import FLAG_LIMIT, Served


@dataclass(frozen=True)
class Form:
    """A unit to be judged: the action that sends it, its opaque key, its texts and what is chosen already."""

    action: str
    key: str
    question: str
    left: str
    right: str
    submit: str  # the button's words
    wait_s: float = 0.0
    given: Verdict | None = None


def unit(frame: Frame, served: Served, told: str = "", given: Verdict | None = None) -> Html:
    """`given`: values to keep after a refusal; else those from before an undo."""
    words, changing = frame.words, served.previous is not None
    form = Form(
        "submit", served.submit_key, served.question, served.left, served.right,
        words("unit.change" if changing else "unit.submit"), 0 if changing else frame.design.min_seconds,
        given or served.previous,
    )
    number = words(f"noun.{frame.design.task}", n=served.n_done + 1)
    top = heading(number, " ", tag("small", words("noun.of", n=served.n_total)))
    return page(
        frame, "unit", progress(frame, served.n_done, served.n_total),
        alert(told), tag("p", words("unit.changing"), cls="notice") if changing else None,
        judged(frame, form, comment=True), top=(top, *_tools(frame, served.can_undo)),
        windows=(_skip(frame), _report(frame), keys(frame)),
    )


def judged(frame: Frame, form: Form, comment: bool) -> Html:
    """Question, answers and fields, with the bar that sends them."""
    design, words = frame.design, frame.words
    shown_sides = sides(form.left, form.right)
    answers = tag("div", *(_answer(frame, side, form.given) for side in shown_sides),
                  cls=f"answers of-{len(shown_sides)}")
    choice = preference(frame, form.given.preference if form.given else None) if (
        form.right and design.asks_preference) else None
    return tag(
        "div",
        tag("section", tag("h2", words("unit.question")), shown(frame, form.question), cls="question"),
        _reminder(frame), answers,
        None if design.task == "preference" else choice,
        _comment(frame, form.given.comment if form.given else "") if comment else None,
        tag("div", choice if design.task == "preference" else None, _send(frame, form, skip=comment), cls="dock"),
        data_form=form.action, data_key=form.key, data_wait_ms=int(1000 * form.wait_s), cls=f"unit {design.task}",
    )


def keys(frame: Frame) -> Html:
    """What the keyboard does."""
    words = frame.words
    rows = (tag("tr", tag("th", tag("kbd", key), scope="row"), tag("td", does))
            for key, does in words.rows("keys.rows"))
    return window(frame, "keys", words("keys.title"), tag("table", tag("tbody", *rows), cls="keys"),
                  tag("p", words("keys.note"), cls="soft"))


def _answer(frame: Frame, side: Side, given: Verdict | None) -> Html:
    words = frame.words
    title = words("unit.answer_one") if side.alone else words("unit.answer", letter=side.letter)
    fields = scales(frame, side, given)
    return tag("section", tag("h2", title), shown(frame, side.text),
               tag("div", *fields, cls="fields") if fields else None, cls="answer")


def _tools(frame: Frame, can_undo: bool) -> list[Html]:
    words = frame.words
    undo = [undo_button(frame, "unit.undo")] if can_undo else []
    return [*undo, menu(
        frame, button(words("unit.pause"), "rest", "item"), opener(words("unit.report"), "report", "item"),
        opener(words("unit.keys"), "keys", "item"),
    )]


def undo_button(frame: Frame, key: str) -> Html:
    """In words where there is room, else as a sign."""
    text = frame.words(key)
    shown_as = join([tag("span", text, cls="wide"), tag("span", "↶", cls="narrow", aria_hidden="true")])
    return button(shown_as, "undo", "quiet", aria_label=text)


def _reminder(frame: Frame) -> Html:
    design = frame.design
    return tag("details", tag("summary", frame.words("unit.reminder")), frame.said("p", design.definition),
               anchor_list(frame, design) if design.asks_fluency else None, cls="reminder")


def _comment(frame: Frame, text: str) -> Html:
    words = frame.words
    box = tag("textarea", text, name="comment", rows=2, maxlength=COMMENT_LIMIT, aria_label=words("unit.comment_label"),
              placeholder=words("unit.comment_hint"))
    return tag("details", tag("summary", words("unit.comment")), box, cls="comment", open=bool(text))


def _send(frame: Frame, form: Form, skip: bool) -> Html:
    return tag(
        "div",
        tag("button", cls="missing quiet", type="button", data_next_open=True),
        opener(frame.words("unit.skip"), "skip") if skip else None,
        tag("button", tag("span", form.submit), tag("span", cls="count", aria_hidden="true"), type="button",
            cls="primary", data_submit=True),
        cls="send",
    )


def _skip(frame: Frame) -> Html:
    words = frame.words
    reasons = (button(text, "skip", "item", data_reason=reason)
               for reason, text in wording(words.language).skip_reasons.items())
    return window(frame, "skip", words("skip.title"), tag("p", words("skip.text")), tag("div", *reasons, cls="reasons"),
                  shut="alerts.cancel")


def _report(frame: Frame) -> Html:
    words = frame.words
    box = tag("textarea", name="report", rows=4, maxlength=FLAG_LIMIT, aria_label=words("report.label"))
    return window(frame, "report", words("report.title"), tag("p", words("report.text")), box,
                  button(words("report.send"), "flag", "primary"), shut="alerts.cancel")
