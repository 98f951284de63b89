"""A LaTeX formula as MathML, which browsers draw by themselves: no script, no font, nothing from the net.

What a model wrote is not trusted: only known elements and harmless attributes come through, and a formula that cannot
be read stays as its source, in code. Colours, sizes, links and hidden parts are left out: they are no mathematics.
"""

from __future__ import annotations

import html
import re
from functools import lru_cache
from typing import TYPE_CHECKING

from lab.ui.components.markup import Html, tag

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

LONGEST = 2_000  # characters of one formula; the longest in a textbook have a few hundred
DEEPEST = 60  # nested elements
REMEMBERED = 4_096  # formulas; while an answer streams, all but its last are old ones
# Definitions can grow a short text without end (\def\a{\b\b}\def\b{…}), and the converter follows them.
DEFINES = re.compile(r"\\(?:re)?newcommand|\\[egx]?def\b|\\let\b|\\providecommand|\\newenvironment|\\unicode\b")
# Environments that the converter does not know, as ones that it draws alike.
ENVIRONMENTS = {
    "aligned": "split", "alignedat": "split", "eqnarray": "split", "eqnarray*": "split", "gather": "matrix",
    "gather*": "matrix", "gathered": "matrix", "multline": "matrix", "multline*": "matrix", "equation": "",
    "equation*": "",
}
ENVIRONMENT = re.compile(r"\\(begin|end)\{([a-z]+\*?)\}(?:(?<=at\})\{\d\})?")

ELEMENTS = frozenset((
    "math", "mrow", "mi", "mn", "mo", "mtext", "mspace", "ms", "mfrac", "msqrt", "mroot", "mstyle", "merror", "mpadded",
    "mfenced", "menclose", "msub", "msup", "msubsup", "munder", "mover", "munderover", "mmultiscripts", "mprescripts",
    "none", "mtable", "mtr", "mtd", "mlabeledtr",
))
WORD = re.compile(r"[A-Za-z0-9 .-]{1,80}")
LENGTH = re.compile(r"-?\d{0,2}(?:\.\d{1,4})?(?:em|ex|pt|px|mu)?(?: -?\d{0,2}(?:\.\d{1,4})?(?:em|ex|pt|px|mu)?)*")
ATTRIBUTES = {
    **dict.fromkeys((
        "displaystyle", "scriptlevel", "mathvariant", "stretchy", "fence", "form", "separator", "accent", "symmetric",
        "accentunder", "movablelimits", "largeop", "columnalign", "rowalign", "columnlines", "rowlines", "notation",
    ), WORD),
    **dict.fromkeys((
        "lspace", "rspace", "minsize", "maxsize", "linethickness", "columnspacing", "rowspacing", "width", "height",
        "depth", "voffset",
    ), LENGTH),
}


class Unreadable(Exception):
    """The formula is shown as its source."""


@lru_cache(REMEMBERED)
def formula(source: str, display: bool = False) -> Html | None:
    """The `<math>` element; None when the source cannot be read."""
    if len(source) > LONGEST or DEFINES.search(source) or not source.strip():
        return None
    from latex2mathml.converter import Converter  # half a second to import: only for who needs it

    kind = "block" if display else "inline"
    try:
        math = Converter(display=kind).convert_to_element(ENVIRONMENT.sub(_known, source).strip())
        return tag("math", *(_safe(child, 1) for child in math), display=kind)
    except Unreadable:
        return None
    except Exception:  # the converter fails on bad LaTeX in many ways: StopIteration, IndexError, RecursionError …
        return None


def _known(found: re.Match[str]) -> str:
    side, name = found[1], found[2]
    if name not in ENVIRONMENTS:
        return found[0]
    return f"\\{side}{{{ENVIRONMENTS[name]}}}" if ENVIRONMENTS[name] else ""


def _safe(element: Element, depth: int) -> Html:
    """The element again, of what is known. Raises Unreadable for anything else."""
    if element.tag not in ELEMENTS or depth > DEEPEST:
        raise Unreadable(element.tag)
    attributes = {name: value for name, value in element.attrib.items()
                  if name in ATTRIBUTES and ATTRIBUTES[name].fullmatch(value)}
    children = [_safe(child, depth + 1) for child in element]
    return tag(element.tag, _text(element), *children, **attributes)


def _text(element: Element) -> str:
    """The characters of an element; Unreadable where a command was left unread.

    The converter writes characters as entities ('&#x0002B;') into the text; unescaped here and escaped by `tag` they
    are inert.
    """
    text = html.unescape(element.text or "")
    if element.tag == "mtext":
        return re.sub(r"\\([%&_#${} ])", r"\1", text)
    if text == "&" or text.startswith("\\") and len(text) > 1:
        raise Unreadable(text)
    return text
