"""Which asking a tab looks at: a newer look ends the older one, so two never write the same page."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field

MOST_TABS = 2_000


@dataclass
class Watching:
    """By Gradio's name of the tab. A tab that was forgotten merely stops to follow."""

    _looks: OrderedDict[str, object] = field(default_factory=OrderedDict)

    def begin(self, tab: str | None) -> object:
        """A look of this tab; the one before is over."""
        look, key = object(), tab or ""
        self._looks[key] = look
        self._looks.move_to_end(key)
        while len(self._looks) > MOST_TABS:
            self._looks.popitem(last=False)
        return look

    def goes_on(self, tab: str | None, look: object) -> bool:
        return self._looks.get(tab or "") is look
