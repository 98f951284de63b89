"""What stands around every screen of a rater: language, menu, the windows that open over it, and the trial's banner.

Only texts, numbers and opaque keys go in; no screen knows a model or the role of a unit.
"""

from __future__ import annotations

from dataclasses import dataclass

from lab.rating.design import RoundSpec
from lab.ui.components.markup import Html, tag
from lab.ui.rater.words import Words, page_languages, words_of


@dataclass(frozen=True)
class Frame:
    """What every screen is drawn with. Without a design the link is not known."""

    words: Words
    design: RoundSpec | None = None
    trial: bool = False
    may_leave: bool = False  # the rater can still stop taking part

    def said(self, name: str, /, *content: object, **attributes: object) -> Html:
        """An element with the round's own text, marked with the round's language."""
        return tag(name, *content, lang=self.design.language, **attributes)


def page(
    frame: Frame, screen: str, *content: object, top: tuple[Html, ...] = (), windows: tuple[Html, ...] = ()
) -> Html:
    """A whole screen. `top` stands in the first row, the heading first; `windows` open over the screen."""
    words = frame.words
    own = ([privacy(frame)] if frame.design else []) + ([withdrawal(frame)] if frame.may_leave else [])
    return tag(
        "div",
        tag("p", words("top.trial"), cls="trial") if frame.trial else None,
        tag("header", tag("div", *top[:1], cls="place"), *top[1:], languages(words), cls="top"),
        *content,
        _foot(frame),
        *own, *windows,
        cls="page", data_screen=screen, data_title=words("title"), lang=words.language,
    )


def sheet(frame: Frame, screen: str, title: object, *content: object, windows: tuple[Html, ...] = ()) -> Html:
    """A screen of text: one column, its heading first."""
    return page(frame, screen, tag("section", heading(title), *content, cls="sheet"), windows=windows)


def heading(*content: object) -> Html:
    """The screen's heading, which takes the focus when the screen appears."""
    return tag("h1", *content, tabindex=-1, data_focus=True)


def button(text: object, action: str, cls: str | None = None, **attributes: object) -> Html:
    """A button that makes a call."""
    return tag("button", text, type="button", cls=cls, data_action=action, **attributes)


def opener(text: object, window_name: str, cls: str | None = "quiet") -> Html:
    """A button that opens a window of this screen."""
    return tag("button", text, type="button", cls=cls, data_open=window_name, aria_haspopup="dialog")


def window(frame: Frame, name: str, title: str, *content: object, shut: str = "alerts.close") -> Html:
    """A window over the screen. The browser keeps the focus in it, and Escape closes it."""
    mark = f"window-{name}"
    return tag(
        "dialog", tag("h2", title, id=mark, tabindex=-1), *content,
        tag("button", frame.words(shut), type="button", cls="shut", data_close=True),
        data_window=name, aria_labelledby=mark,
    )


def alert(text: str) -> Html | None:
    """Something to be told at once, above what it is about."""
    return tag("p", text, cls="alert", role="alert") if text else None


def paragraphs(text: str) -> list[Html]:
    """Plain text with a blank line between its paragraphs."""
    return [tag("p", part) for part in text.split("\n\n") if part.strip()]


def languages(words: Words) -> Html:
    """The switch of the page's language, each by its own name."""
    buttons = (
        tag("button", tag("span", words_of(code)("name"), cls="wide"), tag("span", code.upper(), cls="narrow"),
            type="button", cls="language", data_action="language", data_language=code, lang=code,
            aria_label=words_of(code)("name"), aria_pressed="true" if code == words.language else "false")
        for code in page_languages()
    )
    return tag("div", *buttons, role="group", aria_label=words("top.language"), cls="languages")


def menu(frame: Frame, *items: Html) -> Html:
    """Rarely needed actions, folded."""
    return tag("details", tag("summary", frame.words("top.menu")), tag("div", *items), cls="menu")


def progress(frame: Frame, done: int, total: int) -> Html:
    """A bar and nothing more: no speed, no agreement."""
    share = 100 * done / max(1, total)
    return tag("div", tag("i", style=f"width:{share:.1f}%"), cls="bar", role="progressbar", aria_valuemin=0,
               aria_valuemax=max(1, total), aria_valuenow=done,
               aria_label=frame.words("top.progress", done=done, total=total))


def privacy(frame: Frame) -> Html:
    """What is kept, within reach at any time: what was agreed to, and what the page itself does."""
    words, design = frame.words, frame.design
    return window(
        frame, "privacy", words("privacy.title"),
        tag("p", words("instructions.kept_text")), tag("p", words("privacy.own")),
        tag("h3", words("privacy.consent")) if design.consent else None,
        frame.said("div", *paragraphs(design.consent), cls="consent") if design.consent else None,
        tag("p", words("consent.version", version=design.consent_version), cls="soft") if design.consent else None,
    )


def withdrawal(frame: Frame) -> Html:
    """Stop for good: asks which way, and then once more by its own button."""
    words = frame.words
    ways = (
        tag("label", tag("input", type="radio", name="leave", value=way),
            tag("span", tag("b", words(f"withdraw.{way}")), tag("small", words(f"withdraw.{way}_text"))))
        for way in ("keep", "delete")
    )
    go = tag("button", words("withdraw.confirm"), type="button", cls="danger", data_leave=True, disabled=True,
             data_keep=words("withdraw.confirm_keep"), data_delete=words("withdraw.confirm_delete"))
    return window(frame, "withdraw", words("withdraw.title"), tag("p", words("withdraw.text")),
                  tag("fieldset", tag("legend", words("withdraw.title"), cls="unseen"), *ways, cls="ways"), go,
                  shut="alerts.cancel")


def _foot(frame: Frame) -> Html | None:
    links = [opener(frame.words("privacy.title"), "privacy")] if frame.design else []
    if frame.may_leave:
        links.append(opener(frame.words("withdraw.open"), "withdraw"))
    return tag("footer", *links, cls="foot") if links else None
