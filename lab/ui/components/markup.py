"""HTML that is safe by construction: text is escaped unless one of these builders made it."""

from __future__ import annotations

import html
from collections.abc import Iterable

VOID = ("br", "hr", "img", "input", "col", "line", "circle", "rect", "path", "polygon", "polyline")

# gr.HTML reads its content as a template: braces, dollars and backticks from users must not reach it as syntax.
TEMPLATE_SIGNS = str.maketrans({"{": "&#123;", "}": "&#125;", "$": "&#36;", "`": "&#96;"})


class Html(str):
    """A string that is already HTML. Only the builders of this package make one."""

    __slots__ = ()


def escape(value: object) -> Html:
    """`value` as HTML text; what is already Html stays as it is, None becomes nothing."""
    if isinstance(value, Html):
        return value
    return Html("" if value is None else html.escape(str(value)).translate(TEMPLATE_SIGNS))


def join(parts: Iterable[object], between: str = "") -> Html:
    """Parts one after another, each escaped unless it is Html; `between` is trusted markup."""
    return Html(between.join(escape(part) for part in parts if part is not None))


def tag(name: str, /, *content: object, **attributes: object) -> Html:
    """An element. `cls` is class, `_` in a name is `-`; attributes that are None or False are left out."""
    words = [name]
    for key, value in attributes.items():
        key = {"cls": "class", "for_": "for"}.get(key, key).replace("_", "-")
        if value is True:
            words.append(key)
        elif value is not None and value is not False:
            words.append(f'{key}="{escape(value)}"')
    opening = " ".join(words)
    if name in VOID and not content:
        return Html(f"<{opening}/>")
    return Html(f"<{opening}>{join(content)}</{name}>")
