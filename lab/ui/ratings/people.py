"""The people of a round: their table, the names of a file, and the links, which are shown this once."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lab.core.errors import LabError
from lab.rating.files.names import rater_names
from lab.ui.components.html import ago, empty
from lab.ui.components.markup import Html, join, tag
from lab.ui.components.table import Column, table

if TYPE_CHECKING:
    from storage.queries.ratings import RaterProgress, RoundProgress

Link = tuple[str, str]  # a rater's code, and their address
MASK = 3  # tokens are random digits, so no pattern suits them better; trying all eight takes five times as long
KINDS = {"invited": "invited", "guest": "guest", "trial": "your trial", "sent": "from another lab"}
STATES = {
    "invited": "not opened yet", "active": "rating", "blocked": "practice not passed", "done": "finished",
    "declined": "did not agree", "withdrawn": "withdrew", "revoked": "link revoked",
}
COLUMNS = [Column("Rater", wide=True), Column("Kind"), Column("State"), Column("Rated", number=True),
           Column("Skipped", number=True), Column("Reports", number=True), Column("Last seen"), Column("")]


def people_html(counts: RoundProgress, may_act: bool) -> Html:
    """Everybody with a link; `may_act` offers what can be done with each."""
    if not counts.raters:
        return empty("Nobody is invited yet", "Write their names below, or any codes: a rater needs a link only.")
    is_open = counts.round.state == "open"
    rows = [_row(rater, is_open, may_act) for rater in counts.raters]
    return table(COLUMNS, rows, caption="Raters")


def _row(rater: RaterProgress, is_open: bool, may_act: bool) -> list[object]:
    seen = ago(rater.last_seen_at) if rater.last_seen_at else "never"
    return [rater.code, KINDS.get(rater.kind, rater.kind), STATES.get(rater.state, rater.state), rater.n_done,
            rater.n_skipped, rater.n_flagged, seen, _acts(rater, is_open) if may_act else ""]


def _acts(rater: RaterProgress, is_open: bool) -> Html:
    acts = [("Delete…", "delete")]
    linked = is_open and rater.kind != "sent"
    if linked and rater.state != "revoked":
        acts.insert(0, ("Revoke", "revoke"))
    if linked and rater.state not in ("withdrawn", "declined"):
        acts.insert(0, ("New link", "link"))
    return tag("span", *(tag("button", text, type="button", cls="small-button", data_act=act, data_rater=rater.code,
                             aria_label=f"{text} {rater.code}") for text, act in acts), cls="row-buttons")


def delete_words(counts: RoundProgress, code: str) -> Html:
    """What goes with a rater. LabError when there is nobody of that name."""
    rater = next((rater for rater in counts.raters if rater.code == code), None)
    if rater is None:
        raise LabError(f"this round has no rater '{code}' (any more).")
    n = rater.n_done
    words = (f"Delete '{code}' with {n} rating{'' if n == 1 else 's'}, known answers, repeats, comments, background "
             "answers and everything else that came from them? It cannot be undone. Units they had rated can be given "
             "to others while the round is open; results are worked out without them.")
    return tag("p", words)


def names_of(file: Path) -> list[str]:
    """The names in an uploaded list. LabError says what is wrong."""
    try:
        return rater_names(file.read_bytes(), file.name)
    except OSError as error:
        raise LabError(f"{file.name} cannot be read ({error.strerror}).", "disk") from None


def links_html(links: Sequence[Link]) -> Html:
    """A card for each rater: name, link, and the link as a square to photograph."""
    if not links:
        return Html("")
    n = len(links)
    words = (f"{n} link{'' if n == 1 else 's'}: copy, save or print {'it' if n == 1 else 'them'} now. Nobody can read "
             "them again, only replace them: the lab keeps a fingerprint of each, not the link.")
    cards = tag("div", *(_link_card(code, address) for code, address in links), cls="link-cards")
    return tag("div", tag("p", words, cls="caution link-warning"), cards)


def _link_card(code: str, address: str) -> Html:
    return tag("div", qr_svg(address), tag("div", tag("b", code), tag("a", address, href=address, target="_blank",
                                                                       rel="noopener noreferrer")), cls="link-card")


def qr_svg(address: str) -> Html:
    """The address as a QR code, black on white in any theme: phones read nothing else as surely."""
    import segno

    code = segno.make(address, error="m", micro=False, mask=MASK)
    return Html(code.svg_inline(scale=3, border=3, dark="#000", light="#fff", omitsize=True, svgclass="qr",
                                title=f"QR code of {address}"))


def trial_html(address: str) -> Html:
    """The researcher's own look at the rater's page."""
    link = tag("a", "Open the rater's page", href=address, target="_blank", rel="noopener noreferrer",
               cls="button-link primary")
    words = "You see what a rater sees, from the consent on. What you do there counts nowhere. "
    return tag("div", tag("p", words), join([link]), cls="good-news")
