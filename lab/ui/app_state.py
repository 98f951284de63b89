"""What every page is handed, and what a page is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lab.core.settings import Settings

if TYPE_CHECKING:
    from storage.database import Store

SPACE_SENTENCE = (
    "This is a public demo: you can chat, compare and rate here. To launch work, run the lab on your own machine."
)


@dataclass(frozen=True)
class LabApp:
    """The store and the settings: all that the pages share."""

    store: Store
    settings: Settings

    @property
    def may_launch(self) -> bool:
        """False in the read-only demo mode of a public Space."""
        return not self.settings.space


@dataclass(frozen=True)
class Page:
    """One page. `build` is called inside the page's own Blocks route; `path` "" is the home page."""

    path: str
    title: str
    order: int
    build: Callable[[LabApp], None]

    @property
    def href(self) -> str:
        return f"/{self.path}"
