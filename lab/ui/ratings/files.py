"""The files of a round: bundles and single files to save, a round to send to another lab, and what comes back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from lab.core.errors import LabError
from lab.ui.components.download import download_button
from lab.ui.components.html import failure, note
from lab.ui.components.markup import Html, tag
from lab.ui.components.wiring import html_block, quiet
from lab.ui.ratings.permission import check_allowed, number_of
from storage.queries.ratings import get_round

if TYPE_CHECKING:
    from lab.ui.app_state import LabApp
    from storage.database import Store

SINGLE = ("ratings.csv", "events.jsonl", "units.jsonl", "raters.csv", "design.json", "datasheet.md",
          "preferences.jsonl",
          "clmm.csv", "clmm.R", "results.json")
LOCKED = ("Ratings open with the results, when the round is closed. The blinded files call the models X and Y and "
          "hold no key; they may be given away before anybody has looked at the results.")
OPEN = ("The blinded files call the models X and Y; the others say which is which. Every file is safe to open in a "
        "spreadsheet, and results.json says what the figures on this page rest on.")
SEND = ("Raters can rate in another lab, a public one for example: send it this round, without the names of the "
        "models, and receive its votes below.")
HOME = "This round came from another lab, whose models have no names here. Its votes go home in one file."
LARGEST = 200_000_000  # bytes of an upload


@dataclass(frozen=True)
class Files:
    """`opened`: the rows that stand while results are open."""

    words: gr.HTML
    opened: gr.Column
    blinded: gr.Checkbox
    sending: gr.Column
    homeward: gr.Column
    bundles: gr.Row
    singles: gr.Row
    sends: gr.Row
    votes: gr.Row

    @property
    def shown(self) -> list[Any]:
        return [self.words, self.opened, self.sending, self.homeward]


@dataclass(frozen=True)
class Receiving:
    """What another lab sent."""

    upload: gr.UploadButton
    message: gr.HTML


def lay_out_files() -> Files:
    words = html_block()
    with gr.Column(visible=False) as opened:
        bundles = gr.Row(elem_classes=["lab-actions", "lab-saves"])
        blinded = gr.Checkbox(False, label="Single files blinded, too", container=False)
        singles = gr.Row(elem_classes=["lab-actions", "lab-saves"])
    with gr.Column(visible=False) as sending:
        html_block(note(SEND))
        sends = gr.Row(elem_classes=["lab-actions", "lab-saves"])
    with gr.Column(visible=False) as homeward:
        html_block(note(HOME))
        votes = gr.Row(elem_classes=["lab-actions", "lab-saves"])
    return Files(words, opened, blinded, sending, homeward, bundles, singles, sends, votes)


def lay_out_receiving(app: LabApp) -> Receiving:
    """On the page, not in a round: a whole round may come, too."""
    with gr.Accordion("From another lab", open=False, elem_id="receive"):
        html_block(note("A round that was sent here to be rated, or the votes of a round that you sent: the file says "
                        "which it is. Nothing is stored when anything in it is wrong; the same file twice changes "
                        "nothing."))
        upload = gr.UploadButton("Receive a file", file_types=[".zip"], size="sm", scale=0, min_width=150,
                                 interactive=app.may_launch)
        message = html_block()
    return Receiving(upload, message)


def files_shown(app: LabApp, selected: str, is_open: bool) -> list[Any]:
    """Of `Files.shown`. `is_open`: whether results may be seen."""
    with app.store.read() as session:
        the_round = get_round(session, number_of(selected))
        here, is_running = the_round.origin != "import", the_round.state == "open"
    words = note(OPEN if is_open else LOCKED)
    return [words, gr.update(visible=is_open), gr.update(visible=here and is_running), gr.update(visible=not here)]


def wire_files(app: LabApp, files: Files, selected: gr.State) -> None:
    """Each button makes its file when it is pressed."""
    with files.bundles:
        download_button("Everything (ZIP)", lambda chosen: bundle_of(app.store, chosen, False), [selected])
        download_button("Everything, blinded (ZIP)", lambda chosen: bundle_of(app.store, chosen, True), [selected])
    with files.singles:
        for name in SINGLE:
            download_button(name, _maker(app.store, name), [selected, files.blinded])
    with files.sends:
        download_button("Round to send (ZIP)", lambda chosen: sent_of(app.store, chosen), [selected])
    with files.votes:
        download_button("Votes to send home (ZIP)", lambda chosen: votes_of(app.store, chosen), [selected])


def _maker(store: Store, name: str) -> Callable[[str, bool], tuple[str, str]]:
    def make(chosen: str, blinded: bool) -> tuple[str, str]:
        from storage.queries.rating_exports import export_texts

        text = export_texts(store, number_of(chosen), bool(blinded), only=name)[name]
        return f"round-{chosen}-{'blinded-' if blinded else ''}{name}", text

    return make


def bundle_of(store: Store, chosen: str, blinded: bool) -> tuple[str, bytes]:
    from storage.queries.rating_exports import bundle, bundle_name

    return bundle_name(_round(store, chosen), blinded), bundle(store, number_of(chosen), blinded)


def sent_of(store: Store, chosen: str) -> tuple[str, bytes]:
    from storage.queries.rating_sending import send_name, to_send

    return send_name(_round(store, chosen)), to_send(store, number_of(chosen))


def votes_of(store: Store, chosen: str) -> tuple[str, bytes]:
    from storage.queries.rating_sending import votes, votes_name

    return votes_name(_round(store, chosen)), votes(store, number_of(chosen))


def _round(store: Store, chosen: str) -> Any:
    with store.read() as session:
        return get_round(session, number_of(chosen))


def receive_file(app: LabApp, file: str) -> tuple[str, Html]:
    """(the round it is about, what to tell)."""
    from storage.queries.rating_imports import receive

    try:
        check_allowed(app)
        if not file:
            raise LabError("choose a file first.", "spec")
        path = Path(file)
        if path.stat().st_size > LARGEST:
            raise LabError(f"{path.name} is larger than 200 MB: no round is. Choose another file.", "spec")
        got = receive(app.store, path.read_bytes())
    except LabError as problem:
        return "", failure(problem)
    arrived = f"Round '{getattr(got, 'name', '')}' is here and can be rated: invite people."
    sentence = getattr(got, "sentence", "") or arrived
    number = str(getattr(got, "round_id", None) or getattr(got, "id", ""))
    return number, tag("p", sentence, cls="good-news", role="status")


def wire_receiving(app: LabApp, receiving: Receiving, then: Callable[[str], list[Any]], outputs: list[Any]) -> None:
    """`then(round)`: the updates that open what came, in the order of `outputs`; "" when nothing did."""
    def take(file: str) -> list[Any]:
        number, words = receive_file(app, file)
        return [words, *then(number)]

    quiet(receiving.upload.upload, take, [receiving.upload], [receiving.message, *outputs], trigger_mode="once")
