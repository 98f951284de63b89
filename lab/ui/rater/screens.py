"""What a rater sees, as HTML: the instructions, one pair, the end, and a plain message.

Only texts, numbers and the opaque key of a pair go in; no screen knows a model. Answers are shown as they are, both
sides through the same function.
"""

from __future__ import annotations

from collections.abc import Sequence

from lab.rating.rounds import COMMENT_LIMIT, SKIP_REASONS, minutes
from lab.ui.components.markup import Html, tag
from storage.queries.rater_sessions import Served, Verdict

SIDES = (("left", "A"), ("right", "B"))
CHOICES = (("left", "A reads better"), ("tie", "No difference"), ("right", "B reads better"))
PRIVACY = (
    "Your scores, your comments and the time you take are stored under the name on your invitation. Please write "
    "nothing into the comments that tells who you or anybody else is."
)


def intro(definition: str, anchors: Sequence[str], n_pairs: int) -> Html:
    """What is asked, how, how long, and what is kept."""
    steps = (
        "Read the question, then answer A and answer B. They come from two different writers and their sides are "
        "shuffled: A is not always the same one.",
        "Give each answer a score for its fluency, from 1 to 5.",
        "Say which of the two reads better, or that there is no difference.",
    )
    pairs = f"{n_pairs} pair{'' if n_pairs == 1 else 's'} of answers, about {minutes(n_pairs)} min."
    return tag(
        "main",
        tag("h1", "How well does it read?", tabindex=-1, data_focus=True),
        tag("p", pairs, " You can stop at any time: your link brings you back to where you were.", cls="lead"),
        tag("section", tag("h2", "What fluency means"), tag("p", definition), anchor_list(anchors)),
        tag("section", tag("h2", "What you do"), tag("ol", *(tag("li", step) for step in steps))),
        tag("section", tag("h2", "What is kept"), tag("p", PRIVACY)),
        tag("div", tag("button", "Start", type="button", cls="primary", data_action="start"), cls="actions"),
        cls="sheet",
    )


def pair(
    served: Served, definition: str, anchors: Sequence[str], alert: str = "", given: Verdict | None = None
) -> Html:
    """One pair with its form. `given` are values to keep after a refusal; else those from before an undo."""
    given = given or served.previous
    scores = (given.fluency_left, given.fluency_right) if given else (None, None)
    texts = (served.left, served.right)
    answers = [_answer(side, letter, text, anchors, score)
               for (side, letter), text, score in zip(SIDES, texts, scores, strict=True)]
    return tag(
        "main",
        _top(served),
        tag("p", alert, cls="alert", role="alert") if alert else None,
        tag("p", "You are changing your last rating.", cls="notice") if served.previous else None,
        tag("section", tag("h2", "Question"), _text(served.question), cls="question"),
        tag("div", *answers, cls="answers"),
        _preference(given.preference if given else None),
        _comment(given.comment if given else ""),
        _actions(),
        tag("details", tag("summary", "What is fluency?"), tag("p", definition), anchor_list(anchors),
            cls="reminder"),
        cls="pair", data_key=served.submit_key,
    )


def end(n_done: int, undoable: bool) -> Html:
    """Nothing is left for this rater."""
    done = f"You rated {n_done} pair{'' if n_done == 1 else 's'}. " if n_done else ""
    undo = tag("button", "Change my last rating", type="button", data_action="undo") if undoable else None
    return tag(
        "main", tag("div", "✓", cls="tick", aria_hidden="true"),
        tag("h1", "Thank you", tabindex=-1, data_focus=True),
        tag("p", done, "There is nothing left for you to rate in this round. Everything is saved, and you can close "
            "this page.", cls="lead"),
        tag("div", undo, cls="actions") if undo else None,
        cls="sheet short",
    )


def message(title: str, text: str) -> Html:
    """A page with one thing to say."""
    return tag("main", tag("h1", title, tabindex=-1, data_focus=True), tag("p", text, cls="lead"), cls="sheet short")


def anchor_list(anchors: Sequence[str]) -> Html:
    """The scale in words."""
    rows = (tag("li", tag("b", score), tag("span", words)) for score, words in enumerate(anchors, start=1))
    return tag("ol", *rows, cls="anchors", reversed=None)


def _top(served: Served) -> Html:
    number = served.n_done + 1
    share = 100 * served.n_done / max(1, served.n_total)
    bar = tag("div", tag("i", style=f"width:{share:.1f}%"), cls="bar", role="progressbar", aria_valuemin=0,
              aria_valuemax=served.n_total, aria_valuenow=served.n_done, aria_label="pairs rated")
    undo = tag("button", "Undo last", type="button", cls="quiet", data_action="undo") if served.can_undo else None
    where = tag("h1", f"Pair {number} ", tag("small", f"of {served.n_total}"), tabindex=-1, data_focus=True)
    return tag("header", tag("div", where, undo), bar, cls="top")


def _answer(side: str, letter: str, text: str, anchors: Sequence[str], score: int | None) -> Html:
    name = f"fluency_{side}"
    options = (_option(name, value, value, score, title=words) for value, words in enumerate(anchors, start=1))
    ends = tag("div", tag("span", "1 very hard to read"), tag("span", "5 effortless"), cls="ends", aria_hidden="true")
    scale = tag(
        "fieldset",
        tag("legend", f"How fluent is answer {letter}?"),
        tag("div", *options, cls="scale"),
        tag("div", ends, tag("p", anchors[score - 1] if score in range(1, 6) else "", cls="anchor", aria_live="polite"),
            cls="words"),
        data_field=name,
    )
    return tag("section", tag("h2", f"Answer {letter}"), _text(text), scale, cls="answer")


def _preference(chosen: str | None) -> Html:
    options = (_option("preference", value, words, chosen) for value, words in CHOICES)
    return tag("fieldset", tag("legend", "Which one reads better?"), tag("div", *options, cls="choice"),
               data_field="preference")


def _option(name: str, value: object, words: object, chosen: object, title: str | None = None) -> Html:
    box = tag("input", type="radio", name=name, value=value, checked=value == chosen,
              aria_label=f"{words}: {title}" if title else None)
    return tag("label", box, tag("span", words), title=title)


def _comment(text: str) -> Html:
    box = tag("textarea", text, name="comment", rows=2, maxlength=COMMENT_LIMIT, aria_label="Comment",
              placeholder="Optional. What made you decide? No names, please.")
    return tag("details", tag("summary", "Add a comment"), box, cls="comment", open=bool(text))


def _actions() -> Html:
    reasons = (tag("button", words, type="button", data_action="skip", data_reason=reason)
               for reason, words in SKIP_REASONS.items())
    return tag(
        "div",
        tag("button", "Submit", type="button", cls="primary", data_action="submit"),
        tag("p", tag("span", cls="missing", role="status"), cls="status"),
        tag("details", tag("summary", "Skip this pair"), tag("div", *reasons, cls="reasons"), cls="skip"),
        tag("p", "Keys: ", tag("kbd", "1"), "–", tag("kbd", "5"), " score A, then B · ", tag("kbd", "1"), " ",
            tag("kbd", "2"), " ", tag("kbd", "3"), " A, no difference, B · ", tag("kbd", "Enter"), " submits · ",
            tag("kbd", "Tab"), " moves on · ", tag("kbd", "U"), " undoes", cls="keys"),
        cls="actions",
    )


def _text(text: str) -> Html:
    return tag("div", text.strip(), cls="text")
