"""Inviting people, their links, and what can be done with each."""

from __future__ import annotations

import csv
import io

import pytest

from lab.core.errors import LabError
from lab.rating.files.names import links_csv
from lab.ui.app_state import SPACE_SENTENCE
from lab.ui.ratings.people import delete_words, links_html, names_of, people_html
from lab.ui.ratings.wiring_people import act_on
from storage.queries.rater_entry import rater_by_token
from storage.queries.raters import invite, trial_link
from storage.queries.ratings import progress
from tests.rating.rounds import join, rate_all
from tests.ui.rounds_here import new_round

ADDRESS = "http://lab.test:7860"


def counts(store, round_id):
    with store.read() as session:
        return progress(session, round_id)


@pytest.mark.parametrize(("data", "names"), [
    (b"R1\nR2\n\nR3\n", ["R1", "R2", "R3"]),
    (b"mail;name;ward\na@x;Anna;3\nb@x; Ben ;4\n", ["Anna", "Ben"]),
    ("\ufeffCode,when\nR1,now\n".encode(), ["R1"]),
    ('"Dupont, Chloé",x\n'.encode(), ["Dupont, Chloé"]),
    ("name\nZoë\n".encode("cp1252"), ["Zoë"]),
])
def test_names_are_read_from_the_files_that_spreadsheets_write(tmp_path, data, names):
    file = tmp_path / "names.csv"
    file.write_bytes(data)
    assert names_of(file) == names


@pytest.mark.parametrize(("data", "words"), [(b"", "holds no name"), (b"name\n", "no name below it"),
                                            (b"x" * 1_000_001, "larger than 1 MB")])
def test_a_file_without_names_says_what_is_wrong(tmp_path, data, words):
    file = tmp_path / "names.csv"
    file.write_bytes(data)
    with pytest.raises(LabError, match=words):
        names_of(file)


def test_links_are_shown_with_a_square_to_photograph_and_saved_for_a_spreadsheet():
    links = [("R1", f"{ADDRESS}/rate/r-1"), ("=1+1", f"{ADDRESS}/rate/r-2")]
    html = links_html(links)
    assert html.count("<svg") == 2 and "2 links" in html and f'href="{ADDRESS}/rate/r-1"' in html
    assert links_html([]) == ""
    rows = list(csv.reader(io.StringIO(links_csv(links))))
    assert rows == [["name", "link"], ["R1", f"{ADDRESS}/rate/r-1"], ["'=1+1", f"{ADDRESS}/rate/r-2"]]


def test_a_square_holds_its_link():
    """Read back by its dark modules: the same as the library draws for the same text."""
    import segno

    from lab.ui.ratings.people import MASK, qr_svg

    address = f"{ADDRESS}/rate/r-1"
    assert segno.make(address, error="m", micro=False, mask=MASK).svg_inline(
        scale=3, border=3, dark="#000", light="#fff", omitsize=True, svgclass="qr",
        title=f"QR code of {address}") == qr_svg(address)
    assert qr_svg(address) != qr_svg(address + "x")


def test_the_table_says_who_is_who_and_offers_what_can_be_done(store):
    made = new_round(store)
    rate_all(store, join(store, made.id, "R<1>")[0])
    trial_link(store, made.id)
    html = people_html(counts(store, made.id), True)
    assert "R&lt;1&gt;" in html and "your trial" in html and "not opened yet" in html
    assert html.count('data-act="delete"') == 2 and html.count('data-act="link"') == 2
    assert "data-act" not in people_html(counts(store, made.id), False)
    assert "Nobody is invited yet" in people_html(counts(store, new_round(store).id), True)


def test_two_hundred_raters_stand_in_one_table(store):
    made = new_round(store)
    invite(store, made.id, [f"Person {i}" for i in range(200)])
    assert people_html(counts(store, made.id), True).count("<tr") == 201


def test_a_new_link_ends_the_old_one_and_revoking_ends_it_for_good(lab, store):
    made = new_round(store)
    old = invite(store, made.id, ["R1"])[0][1]
    words, links = act_on(lab, str(made.id), "link", "R1", ADDRESS)
    new = links[0][1].removeprefix(f"{ADDRESS}/rate/")
    with store.read() as session:
        assert "new link" in words and rater_by_token(session, old) is None and rater_by_token(session, new)
    words, links = act_on(lab, str(made.id), "revoke", "R1", ADDRESS)
    assert "revoked" in words and not links and counts(store, made.id).raters[0].state == "revoked"


def test_deleting_names_what_goes(store):
    made = new_round(store)
    rate_all(store, join(store, made.id, "R1")[0])
    assert "with 6 ratings" in delete_words(counts(store, made.id), "R1")
    with pytest.raises(LabError, match="no rater 'R9'"):
        delete_words(counts(store, made.id), "R9")


def test_a_request_made_by_hand_is_refused_where_the_buttons_are_off(lab, space, store):
    made = new_round(store)
    invite(store, made.id, ["R1"])
    assert SPACE_SENTENCE in act_on(space, str(made.id), "revoke", "R1", ADDRESS)[0]
    assert "no rater" in act_on(lab, str(made.id), "revoke", "R9", ADDRESS)[0]
    assert "can be done" in act_on(lab, str(made.id), "explode", "R1", ADDRESS)[0]
