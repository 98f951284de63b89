"""Who may change a round from this page, and under which name it is noted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.core.errors import LabError
from lab.ui.app_state import SPACE_SENTENCE

if TYPE_CHECKING:
    import gradio as gr

    from lab.ui.app_state import LabApp


def check_allowed(app: LabApp) -> None:
    """The buttons are off in the public demo; a request made by hand is refused, too."""
    if not app.may_launch:
        raise LabError(SPACE_SENTENCE, "spec")


def who_asks(request: gr.Request | None) -> str:
    """The account that is logged in; "" where the lab needs no log-in."""
    return (getattr(request, "username", None) or "") if request is not None else ""


def own_address(request: gr.Request) -> str:
    """Scheme and host as this browser reached the lab: what a rater's link begins with."""
    origin = request.headers.get("origin")
    return origin or f"http://{request.headers.get('host', 'localhost')}"


def number_of(selected: str) -> int:
    """A round's number as the page holds it. LabError for what is none."""
    if not (selected and selected.isascii() and selected.isdigit() and len(selected) < 18):
        raise LabError(f"there is no round {selected!r}. Choose one from the list." if selected else
                       "choose a round from the list first.")
    return int(selected)
