"""Reviewing rows on the Data page: who says what, edits that must stay true, the next row, a new version."""

import pytest

from lab.core.errors import LabError
from lab.data.noted import read_noted
from lab.ui.data.look import Asked
from lab.ui.data.reading import Reading
from lab.ui.data.reviewing import changes_of, keep_version, say, texts_of, version_preview
from lab.ui.data.rows_desk import RowDesk
from lab.ui.data.shelf import find_listed
from storage.queries.row_reviews import Said, counts, reviews_of
from tests.stores import new_store
from tests.ui.data_here import Here, seed_data


@pytest.fixture
def lab(tmp_path):
    from lab.core.settings import Settings
    from lab.ui.app_state import LabApp

    made = new_store(tmp_path)
    yield LabApp(made, Settings.from_env({"LAB_HOME": str(tmp_path)}))
    made.close()


@pytest.fixture
def here(lab) -> Here:
    return seed_data(lab.store)


@pytest.fixture
def desk(lab, here) -> RowDesk:
    return RowDesk(lab, Reading(lab))


def reviewed(desk: RowDesk, key: str, row_id: str, verdict: str, by: str = "Ada", **changes: str) -> None:
    opened = desk.reading.of(key)
    say(desk.app, opened, opened.shelf.find(row_id), Said(verdict, changes), by)


def test_a_verdict_is_kept_with_its_name_and_shown_in_list_row_and_head(desk, here):
    reviewed(desk, here.complex, "demo-4", "approved")
    reviewed(desk, here.complex, "demo-5", "rejected")
    html = desk.rows(here.complex, Asked())[2]
    assert "✓" in html and "rejected" in html
    assert "by Ada" in desk.row(here.complex, "demo-4", 4)[3].replace("</b>", "")
    with desk.app.store.read() as session:
        found = counts(session, desk.reading.of(here.complex).data)
    assert (found.n_approved, found.n_rejected) == (1, 1)
    assert "1 row" in desk.rows(here.complex, Asked(review="rejected"))[3] or "1–1 of 1" in desk.rows(
        here.complex, Asked(review="rejected"))[3]


def test_the_command_line_reads_the_reviews_of_the_page(desk, here):
    reviewed(desk, here.complex, "demo-4", "approved")
    path = find_listed(desk.app.store, here.complex).path
    with desk.app.store.read() as session:
        assert "demo-4" in reviews_of(session, read_noted(str(path)).key)  # as jobs.cli.data_reviews asks


def test_without_a_name_nothing_is_kept(desk, here):
    with pytest.raises(LabError, match="your name"):
        reviewed(desk, here.complex, "demo-4", "approved", by=" ")


def test_the_public_demo_keeps_no_review_and_no_version(desk, here):
    from dataclasses import replace

    space = replace(desk.app, settings=replace(desk.app.settings, space=True))
    opened = desk.reading.of(here.complex)
    with pytest.raises(LabError, match="public demo"):
        say(space, opened, opened.shelf.find("demo-4"), Said("approved"), "Ada")
    assert keep_version(space, desk.reading, opened, False)[0] == ""


def test_an_edit_must_change_something_and_must_leave_the_answer_right(desk, here):
    opened = desk.reading.of(here.complex)
    row = opened.shelf.find("demo-4")
    texts = texts_of(row.row, {})
    assert changes_of(row.row, texts) == {}
    with pytest.raises(LabError, match="Nothing is changed"):
        reviewed(desk, here.complex, "demo-4", "edited")
    with pytest.raises(LabError):
        reviewed(desk, here.complex, "demo-4", "edited", answer="The answer is 99.")
    texts[1] = "A better thought."
    changes = changes_of(row.row, texts)
    assert changes == {"trace": "A better thought."}
    reviewed(desk, here.complex, "demo-4", "edited", **changes)
    html = desk.row(here.complex, "demo-4", 4)[3]
    assert "A better thought." in html and "As it was before" in html


def test_an_edited_row_is_approved_as_it_was_edited_and_taken_back_by_open(desk, here):
    reviewed(desk, here.complex, "demo-4", "edited", trace="Better.")
    opened = desk.reading.of(here.complex)
    changes = desk.changes(opened, opened.shelf.find("demo-4"))
    reviewed(desk, here.complex, "demo-4", "approved", **changes)
    assert "approved as edited" in desk.rows(here.complex, Asked())[2]
    reviewed(desk, here.complex, "demo-4", "open")
    assert "Better." not in desk.row(here.complex, "demo-4", 4)[3].split("3 reviews")[0]
    assert "No row is approved" in version_preview(desk.reading, opened, False)


def test_two_people_who_differ_are_marked(desk, here):
    reviewed(desk, here.complex, "demo-6", "approved")
    reviewed(desk, here.complex, "demo-6", "rejected", by="Grace")
    assert "contested" in desk.rows(here.complex, Asked())[2]


def test_one_goes_through_the_rows_also_where_a_verdict_takes_them_out_of_the_list(desk, here):
    asked = Asked()
    assert desk.step(here.complex, asked, "demo-0", 0, 1)[0] == "demo-1"
    assert desk.step(here.complex, asked, "demo-0", 0, -1)[0] == "demo-0"
    assert desk.step(here.complex, asked, "demo-19", 19, 1) == ("demo-20", 0, 2)
    assert desk.step(here.complex, Asked(page=2), "demo-20", 0, -1) == ("demo-19", 19, 1)
    assert desk.step(here.complex, Asked(page=3), "demo-59", 19, 1)[0] == "demo-59"
    todo = Asked(review="none")
    reviewed(desk, here.complex, "demo-4", "approved")
    assert desk.step(here.complex, todo, "demo-4", 4, 1)[0] == "demo-5"
    assert desk.step(here.complex, todo, "demo-4", 4, -1)[0] == "demo-3"


def test_a_new_version_says_before_what_changes_and_names_its_parent(desk, here):
    reviewed(desk, here.complex, "demo-5", "rejected")
    reviewed(desk, here.complex, "demo-4", "edited", trace="Better.")
    opened = desk.reading.of(here.complex)
    html = version_preview(desk.reading, opened, False)
    assert "59 of 60 rows" in html and "demo-5" in html
    assert "1 of 60 rows" in version_preview(desk.reading, opened, True) or "0 of 60" in version_preview(
        desk.reading, opened, True)
    key, told = keep_version(desk.app, desk.reading, opened, False)
    assert f"/data?data={key}" in told
    made = find_listed(desk.app.store, key).made
    assert made.by == "review" and made.rows == 59 and made.parents[0].sha256 == opened.found.fingerprint
    assert desk.reading.of(key).shelf.find("demo-4").row.trace == "Better."
    assert desk.reading.of(here.complex).found.rows[5].id == "demo-5"  # the first one stays as it is


def test_a_pair_is_edited_by_its_own_fields(desk, here):
    row = desk.reading.of(here.pairs).shelf.find("pair-3")
    texts = texts_of(row.row, {})
    assert texts == ["It moves potassium into cells.", "Insulin with glucose.", "", "Nothing does. <b>Wait.</b>"]
    texts[3] = "Nothing at all."
    reviewed(desk, here.pairs, "pair-3", "edited", **changes_of(row.row, texts))
    assert "Nothing at all." in desk.row(here.pairs, "pair-3", 3)[3]
