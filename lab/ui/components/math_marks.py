r"""Where formulas stand in Markdown: `$…$`, `$$…$$`, `\(…\)`, `\[…\]`, as rules of markdown-it. They draw nothing.

A dollar is money more often than mathematics. As in Pandoc, an opening one has no space after it, a closing one none
before it and no digit after it; on top, what begins with a digit and holds words is a price. A formula whose end has
not arrived yet is kept together as source, so that a streaming answer does not flicker through Markdown's readings.
"""

from __future__ import annotations

import re

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline import StateInline

INLINE, BLOCK, OPEN = "formula_inline", "formula_block", "formula_open"
CLOSING = {"$$": "$$", r"\[": r"\]", r"\(": r"\)"}
DOUBLE = re.compile(r"\$\$((?:[^$\\]|\\.){1,2000})\$\$", re.DOTALL)
SINGLE = re.compile(r"\$(?![\s$])((?:[^$\\`]|\\.){1,2000})(?<!\s)\$(?![\d$])", re.DOTALL)
COMMANDS = re.compile(r"\\(?:text|mathrm|operatorname)\s*\{[^}]*\}|\\[A-Za-z]+")
MOST_LINES = 100  # of one formula
AFTER = re.compile(r"\s*[.,;:]?\s*")


def math_marks(md: MarkdownIt) -> None:
    """Add the rules; tokens are 'formula_inline', 'formula_block' and 'formula_open' (its end has not come yet)."""
    md.inline.ruler.before("escape", "formula_dollar", _dollar)
    md.inline.ruler.before("escape", "formula_bracket", _bracket)
    md.block.ruler.before("fence", "formula_block", _block, {"alt": ["paragraph", "blockquote", "list"]})


def _dollar(state: StateInline, silent: bool) -> bool:
    if state.src[state.pos] != "$":
        return False
    if found := DOUBLE.match(state.src, state.pos, state.posMax):
        return _push(state, silent, ("$$", found[1], found.end()))
    before = state.src[state.pos - 1 : state.pos]
    found = None if before.isalnum() or before == "$" else SINGLE.match(state.src, state.pos, state.posMax)
    if not found or _is_money(found[1]) or _ends_before_a_name(found[1], state.src[found.end() : found.end() + 1]):
        return False
    return _push(state, silent, ("$", found[1], found.end()))


def _is_money(content: str) -> bool:
    """'5 or 6 dollars' between two dollar signs."""
    rest = COMMANDS.sub("", content)
    return content[0].isdigit() and " " in rest and re.search(r"[A-Za-z]{2,}", rest) is not None


def _ends_before_a_name(content: str, after: str) -> bool:
    """'$HOME/$USER': what looks like the end is the beginning of another name."""
    return after.isalpha() and not (content[-1].isalnum() or content[-1] in ")}]|'!")


def _bracket(state: StateInline, silent: bool) -> bool:
    opening = state.src[state.pos : state.pos + 2]
    if opening not in (r"\(", r"\["):
        return False
    start = state.pos + 2
    end = state.src.find(CLOSING[opening], start, state.posMax)
    if end >= 0:
        return bool(state.src[start:end].strip()) and _push(state, silent, (opening, state.src[start:end], end + 2))
    if state.src.find("\n", start, state.posMax) >= 0:
        return False
    if not silent:
        state.push(OPEN, "code", 0).content = state.src[state.pos : state.posMax]
    state.pos = state.posMax
    return True


def _push(state: StateInline, silent: bool, found: tuple[str, str, int]) -> bool:
    markup, content, end = found
    if not silent:
        token = state.push(INLINE, "math", 0)
        token.markup, token.content = markup, content
    state.pos = end
    return True


def _block(state: StateBlock, start_line: int, end_line: int, silent: bool) -> bool:
    first = _line(state, start_line)
    opening = first[:2]
    if opening not in ("$$", r"\[") or first.startswith("$$$"):
        return False
    lines, line, closed = [first[2:]], start_line, False
    while not (closed := CLOSING[opening] in lines[-1]) and line + 1 < min(end_line, start_line + MOST_LINES):
        if state.sCount[line + 1] < state.blkIndent and not state.isEmpty(line + 1):
            break
        line += 1
        lines.append(_line(state, line))
    if not closed:
        return _half_open(state, silent, start_line, [first, *lines[1:]])
    before, _, after = lines[-1].partition(CLOSING[opening])
    content = "\n".join([*lines[:-1], before])
    if not AFTER.fullmatch(after) or not content.strip():
        return False
    if not silent:
        token = state.push(BLOCK, "math", 0)
        token.block, token.markup, token.content = True, opening, content
        token.info, token.map = after.strip(), [start_line, line + 1]
        state.line = line + 1
    return True


def _half_open(state: StateBlock, silent: bool, start_line: int, lines: list[str]) -> bool:
    """Source until the first empty line; only where nothing but this formula can follow: at the end of the text."""
    filled = next((number for number, line in enumerate(lines) if not line.strip()), len(lines))
    if any(line.strip() for line in lines[filled:]):
        return False
    if not silent:
        token = state.push(OPEN, "code", 0)
        token.block, token.content = True, "\n".join(lines[:filled])
        token.map = [start_line, start_line + filled]
        state.line = start_line + filled
    return True


def _line(state: StateBlock, line: int) -> str:
    return state.src[state.bMarks[line] + state.tShift[line] : state.eMarks[line]]
