"""A model's words as HTML: Markdown and formulas are drawn, HTML stays text, nothing is fetched, nothing is hidden.

An image would tell its server who reads, so its words and address are shown instead. Off, because they would hide or
misread what a model wrote: link definitions, indented code, underlined headings. A line break is a line break.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cache, lru_cache
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token

from lab.ui.components.formulas import formula
from lab.ui.components.markup import TEMPLATE_SIGNS, Html, escape, tag
from lab.ui.components.math_marks import AFTER, BLOCK, CLOSING, INLINE, OPEN, math_marks

LONGEST = 40_000  # characters that are drawn; a longer text is shown as it is
REMEMBERED, PIECES = 256, 2_048  # texts, and their pieces: of a streaming answer only the last piece is new
DEEPEST = 12  # nested lists and quotes
SCHEMES = re.compile(r"(?:https?://|mailto:)", re.IGNORECASE)
FENCE = re.compile(r" {0,3}(`{3,}(?=[^`]*$)|~{3,})")
GOES_ON = re.compile(r"\s|[-+*]\s|[-+*]$|\d{1,9}[.)]|>")  # of a list or a quote, after an empty line too
Ends = Callable[[str], object]  # whether a line ends the code or formula that is open
OFF = ("code", "lheading", "reference", "html_block", "html_inline")


@lru_cache(REMEMBERED)
def markdown(text: str) -> Html:
    """The text in `<div class="markdown">`, safe to put on a page."""
    if len(text) > LONGEST:
        return tag("div", text, cls="markdown as-written")
    return tag("div", *map(_piece, pieces(text)), cls="markdown")


@lru_cache(PIECES)
def _piece(text: str) -> Html:
    # gr.HTML reads these signs as template syntax, wherever they stand; as entities they are only what they show.
    return Html(_reader().render(text).translate(TEMPLATE_SIGNS))


def pieces(text: str) -> list[str]:
    """The text, cut where that does not change what is drawn: at empty lines outside of code, formulas and lists.

    Each piece is drawn safely by itself; marks that are open or closed wrongly may only change how the rest looks.
    """
    found: list[list[str]] = [[]]
    ends: Ends | None = None
    empty = False
    for line in re.split(r"\r\n|\r|\n", text):
        if ends is None:
            if empty and line and not GOES_ON.match(line):
                found.append([])
            ends = _opens(line)
        elif ends(line):
            ends = None
        found[-1].append(line)
        empty = not line.strip(" \t")  # to Markdown no other white space makes a line empty
    return ["\n".join(piece) for piece in found]


def _opens(line: str) -> Ends | None:
    """Tells where the code or formula ends that begins in this line and does not end in it; None if nothing begins."""
    if fence := FENCE.match(line):
        return re.compile(rf" {{0,3}}{fence[1][0]}{{{len(fence[1])},}}[ \t]*$").match
    start = line.lstrip()
    if start[:2] not in ("$$", r"\[") or CLOSING[start[:2]] in start[2:]:
        return None
    closing = re.escape(CLOSING[start[:2]])
    # With words after the first closing mark it was no formula on lines of its own: the rest is not cut any more.
    return re.compile(rf"(?:(?!{closing}).)*{closing}{AFTER.pattern}$").match


@cache
def _reader() -> MarkdownIt:
    md = MarkdownIt("commonmark", {"html": False, "linkify": False, "breaks": True, "maxNesting": DEEPEST})
    md.enable(["table", "strikethrough"]).disable(OFF)
    math_marks(md)
    md.validateLink = lambda url: SCHEMES.match(url.strip()) is not None  # type: ignore[method-assign]
    for name, rule in RULES.items():
        md.add_render_rule(name, rule)
    md.render("x")  # its rules are gathered at first use, which is not safe when two threads come at once
    return md


def _link_open(_: Any, tokens: Sequence[Token], at: int, *__: Any) -> str:
    address = escape(tokens[at].attrGet("href"))
    return f'<a href="{address}" target="_blank" rel="noopener nofollow ugc">'


def _image(_: Any, tokens: Sequence[Token], at: int, *__: Any) -> str:
    return tag("span", "image: ", tokens[at].content, " (", tokens[at].attrGet("src"), ")", cls="image-address")


def _fence(_: Any, tokens: Sequence[Token], at: int, *__: Any) -> str:
    return tag("pre", tag("code", tokens[at].content), tabindex="0")


def _heading(_: Any, tokens: Sequence[Token], at: int, *__: Any) -> str:
    """Below the headings of the page, whatever level the model used."""
    level = min(6, int(tokens[at].tag[1:]) + 3)
    return f"<h{level}>" if tokens[at].nesting > 0 else f"</h{level}>\n"


def _cell_open(_: Any, tokens: Sequence[Token], at: int, *__: Any) -> str:
    side = str(tokens[at].attrGet("style") or "").removeprefix("text-align:")
    return f'<{tokens[at].tag} class="to-{side}">' if side in ("left", "right", "center") else f"<{tokens[at].tag}>"


def _list_open(_: Any, tokens: Sequence[Token], at: int, *__: Any) -> str:
    start = tokens[at].attrGet("start")
    return f'<ol start="{int(start)}">\n' if start is not None else "<ol>\n"


def _formula_inline(_: Any, tokens: Sequence[Token], at: int, *__: Any) -> str:
    token = tokens[at]
    drawn = formula(token.content, display=token.markup in ("$$", r"\["))
    return drawn or _source(token.markup + token.content + CLOSING.get(token.markup, "$"))


def _formula_block(_: Any, tokens: Sequence[Token], at: int, *__: Any) -> str:
    token = tokens[at]
    drawn = formula(token.content, display=True)
    return tag("div", drawn or _source(token.markup + token.content + CLOSING[token.markup]), token.info,
               cls="formula", tabindex="0")


def _formula_open(_: Any, tokens: Sequence[Token], at: int, *__: Any) -> str:
    drawn = _source(tokens[at].content)
    return tag("div", drawn, cls="formula") if tokens[at].block else drawn


def _source(text: str) -> Html:
    return tag("code", text, cls="formula-source")


RULES = {
    "link_open": _link_open, "image": _image, "fence": _fence, "heading_open": _heading, "heading_close": _heading,
    "th_open": _cell_open, "td_open": _cell_open, "ordered_list_open": _list_open,
    "table_open": lambda *_: '<div class="table-scroll" tabindex="0"><table>\n',
    "table_close": lambda *_: "</table></div>\n",
    INLINE: _formula_inline, BLOCK: _formula_block, OPEN: _formula_open,
}
