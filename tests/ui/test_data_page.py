"""The Data page's list, rows, one row, filters, grades, map, funnel and datasheet, as they are drawn."""

from dataclasses import replace
from html.parser import HTMLParser

import pytest

from lab.core.errors import LabError
from lab.synthesis.funnel import Funnel
from lab.ui.data.funnel_view import funnel_html, read_dropped, read_funnel
from lab.ui.data.grades import grades_csv, grades_html
from lab.ui.data.head import head_html, missing_html
from lab.ui.data.look import Asked, department_choices
from lab.ui.data.map_view import map_csv, map_html, map_jobs, map_path, row_at
from lab.ui.data.reading import Reading
from lab.ui.data.row_view import LONG, row_html
from lab.ui.data.rows_desk import RowDesk
from lab.ui.data.sheet import export_file, export_preview, schema_choices, sheet_file, sheet_html
from lab.ui.data.shelf import find_listed, read_shelf, shelf_html
from storage.queries.row_reviews import counts
from tests.stores import new_store
from tests.ui.data_here import Here, seed_data


@pytest.fixture(scope="module")
def here(store) -> Here:
    return seed_data(store)


@pytest.fixture(scope="module")
def reading(lab, here) -> Reading:
    return Reading(lab)


@pytest.fixture(scope="module")
def desk(lab, reading) -> RowDesk:
    return RowDesk(lab, reading)


class Tags(HTMLParser):
    """The elements of a piece of HTML; what is hostile in a row must not become one."""

    def __init__(self, text: str):
        super().__init__()
        self.names: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list) -> None:
        self.names.append(tag)
        assert not any(name.startswith("on") for name, _ in attrs), attrs


def assert_harmless(html: str) -> None:
    assert not {"script", "img", "iframe", "base", "form"} & set(Tags(html).names)
    for sign in ("{{", "${", "`"):
        assert sign not in html, sign


def table_of(desk: RowDesk, key: str, **asked) -> str:
    return desk.rows(key, Asked(**asked))[2]


def test_the_list_has_made_and_registered_datasets_with_rows_source_teacher_and_job(store, here):
    html = shelf_html(store, here.complex)
    assert here.complex in html and 'aria-selected="true"' in html and "complex reasoning of demo-medical" in html
    assert "embedded, scripted" in html and "/jobs?id=" in html and "demo-general" in html
    assert "its rows are not on this machine" in html and "pairs" in html
    assert html.index(here.complex) < html.index("demo-general")


def test_the_list_is_searched_and_narrowed(store, here):
    assert "demo-general" not in shelf_html(store, "", "teacher complex")
    found = shelf_html(store, "", "", "pairs")
    assert here.pairs in found and here.complex not in found
    assert "No dataset matches" in shelf_html(store, "", "nothing of this name")


def test_a_lab_without_made_data_offers_to_make_some(tmp_path):
    html = shelf_html(new_store(tmp_path))
    assert "Nothing was made here yet" in html and "/data?view=make" in html and "demo-medical" in html


def test_an_address_can_name_what_is_listed_and_nothing_else(store, here):
    assert find_listed(store, here.complex).made is not None
    for name in ("/etc/passwd", "../../etc/passwd", "hub:org/name", here.complex + "x"):
        with pytest.raises(LabError, match="unknown dataset"):
            find_listed(store, name)


def test_every_registered_dataset_has_one_name_in_the_address(store, here):
    keys = [one.key for one in read_shelf(store)]
    assert len(keys) == len(set(keys)) > 5


def test_the_head_says_fingerprint_licence_lineage_and_that_the_teacher_is_embedded(store, reading, here):
    opened = reading.of(here.complex)
    with store.read() as session:
        html = head_html(store, opened, counts(session, opened.data), frozenset({"demo-medical"}))
    assert opened.found.fingerprint[:12] in html and "/data?data=demo-medical" in html
    assert "scripted solver" in html and "no language model" in html and "nobody yet" in html


def test_a_dataset_whose_rows_are_not_here_says_how_to_get_them(store, reading):
    away = next(one for one in read_shelf(store) if not one.is_here)
    with pytest.raises(LabError) as problem:
        reading.of(away.key)
    html = missing_html(away, problem.value)
    assert "Its rows cannot be shown" in html and "not on this machine" in html


def test_rows_come_twenty_at_a_time_and_a_page_beyond_the_last_is_the_last(desk, here):
    page, fault, html, position, back, forth, address = desk.rows(here.complex, Asked())
    assert html.count("data-select") == 20 and "1–20 of 60" in position and not fault
    assert back["interactive"] is False and forth["interactive"] is True and address == {"page": ""}
    assert desk.rows(here.complex, Asked(page=99))[0] == 3


@pytest.mark.parametrize(("asked", "least", "most"), [
    ({"words": "chloride"}, 50, 60), ({"quality": "9-"}, 5, 45), ({"quality": "-3"}, 0, 0), ({"depth": "1-2"}, 5, 45),
    ({"provenance": "label_shown"}, 1, 1), ({"style": "complex"}, 30, 30),
    ({"department": "department:Surgery"}, 5, 30),
    ({"length": "1000-"}, 1, 1), ({"review": "none"}, 60, 60), ({"complexity": "5"}, 1, 30),
])
def test_filters_narrow_the_rows(desk, here, asked, least, most):
    html, position = desk.rows(here.complex, Asked(**asked))[2:4]
    n = int(str(position).split(" of ")[1].split("<")[0].split(",")[0]) if "of" in position else 0
    assert least <= n <= most and ("No row matches" in html) == (n == 0)


def test_every_wrong_range_is_told_and_no_rows_are_shown(desk, here):
    fault, html = desk.rows(here.complex, Asked(quality="good", depth="3-1"))[1:3]
    assert "2 things to correct" in fault and "7-10" in fault and "write 1-3" in fault and not html


def test_orders_sort_by_grade_and_length(desk, reading, here):
    from lab.data.browsing import browse

    shelf = reading.of(here.complex).shelf
    grades = [row.notes["quality"] for row in browse(shelf, Asked(order="-quality").look()).rows]
    assert grades == sorted(grades, reverse=True)
    assert browse(shelf, Asked(order="-trace_words").look()).rows[0].id == "demo-3"


def test_filters_are_offered_where_rows_have_something_to_filter_by(desk, reading, here):
    names = list(Asked.__dataclass_fields__)
    shown = dict(zip(names, desk.filters(reading.of(here.complex), Asked()), strict=False))
    assert shown["department"]["visible"] and shown["quality"]["visible"] and shown["depth"]["visible"]
    shown = dict(zip(names, desk.filters(reading.of("demo-medical"), Asked(department="department:Surgery")),
                     strict=False))
    assert not shown["quality"]["visible"] and not shown["provenance"]["visible"]
    assert shown["department"]["visible"] and shown["department"]["value"] == ""  # by subject, and none is chosen


def test_departments_come_before_those_within_them_and_subjects_only_without_them(reading, here):
    labels = [value for _, value in department_choices(reading.of(here.complex).facets)]
    assert labels[0] == "" and any(value.startswith("subdepartment:") for value in labels)
    assert not any(value.startswith("subject:") for value in labels)


def test_a_row_is_shown_whole_with_thinking_beside_the_answer_and_its_notes_as_facts(desk, here):
    html = desk.row(here.complex, "demo-5", 5)[3]
    assert "data-sides" in html and "Thinking" in html and "label shown" in html and "short answer" in html
    assert "of 10" in html and "Row 6 of 60" in html


def test_long_thinking_is_folded_and_short_thinking_stands_open(reading, here):
    shelf = reading.of(here.complex).shelf
    long, short = row_html(shelf.find("demo-3"), None), row_html(shelf.find("demo-4"), None)
    assert len(shelf.find("demo-3").row.trace) > LONG and "All 4" in long.replace("4501", "4 ") or "All " in long
    assert "data-long" in long and "data-long" not in short


def test_a_pair_is_shown_chosen_beside_rejected(desk, here):
    html = desk.row(here.pairs, "pair-3", 3)[3]
    assert html.index("Chosen") < html.index("Rejected") and "&lt;b&gt;Wait" in html
    assert "Words" not in desk.rows(here.pairs, Asked())[2]


def test_hostile_rows_stay_text_everywhere(store, desk, reading, here):
    drawn = [table_of(desk, here.complex), desk.row(here.complex, "demo-1", 1)[3],
             grades_html(reading.profile(here.complex)), sheet_html(reading, here.complex)]
    found, job = reading.map(map_path(store, map_jobs(store, find_listed(store, here.complex).name)[0])), None
    job = map_jobs(store, find_listed(store, here.complex).name)[0]
    drawn.append(map_html(found, job, reading.of(here.complex).found.fingerprint))
    made = find_listed(store, here.complex).made
    dropped = read_dropped(store.home.job(made.job).artifacts / "dropped.jsonl")
    drawn.append(funnel_html(read_funnel(made.funnel), "x", dropped, made.spent))
    for html in drawn:
        assert_harmless(html)
    assert "&lt;script&gt;" in drawn[0] and "&lt;script&gt;" in drawn[1] and "&lt;script&gt;" in drawn[-1]


def test_texts_decide_their_own_direction(desk, here):
    html = desk.row(here.complex, "demo-2", 2)[3]
    assert 'dir="auto"' in html and "فجوة" in html
    assert 'dir="auto"' in table_of(desk, here.complex)


def test_a_row_that_is_not_there_is_said_and_offers_nothing(desk, here):
    row, _, group, html, *_ = desk.row(here.complex, "nobody", 0)
    assert row == "" and "no row" in html and group["visible"]


def test_grades_are_drawn_with_n_mean_and_a_table_each(reading, here):
    html = grades_html(reading.profile(here.complex))
    for words in ("Quality", "Complexity", "Length of the thinking", "Departments", "mean ", "As a table",
                  "label shown"):
        assert words in html
    assert 'role="img"' in html
    plain = grades_html(reading.profile("demo-medical"))
    assert "No grades in these rows" in plain and "Length of the answer" in plain and "Subjects" in plain


def test_the_figures_can_be_taken_along(reading, here):
    text = grades_csv(reading.profile(here.complex))
    assert text.startswith("figure,from,to,name,rows") and "department,,,Surgery," in text


def test_the_map_is_one_path_a_group_and_a_point_leads_to_its_row(store, reading, here):
    job, newer = map_jobs(store, find_listed(store, here.complex).name)
    assert newer is None and map_jobs(store, "demo-medical") == (None, None)
    found = reading.map(map_path(store, job))
    html = map_html(found, job, reading.of(here.complex).found.fingerprint)
    assert html.count("<path") == 2 * len(found["groups"]) and html.count("h0") == 120
    assert "0.91" in html and "perplexity 10" in html and "another state" not in html
    assert row_at(found, 3) == "demo-3" and row_at(found, 999) == ""
    assert "another state" in map_html(found, job, "other")


def test_the_map_of_hostile_numbers_is_still_a_picture(store, reading, here):
    job = map_jobs(store, find_listed(store, here.complex).name)[0]
    found = reading.map(map_path(store, job))
    one = {"id": "demo-0", "group": found["groups"][0]["name"], "x": 1.0, "y": 1.0}
    html = map_html({**found, "points": {"pca": [one]}}, job, "")
    assert html.count("<path") == 1 and "nan" not in html.lower().replace("nancy", "")
    assert map_csv(found).count("\n") == 61 and map_csv({**found, "points": {}}) == ""


def test_the_funnel_counts_stages_solved_and_dropped_with_their_questions(store, here):
    made = find_listed(store, here.complex).made
    dropped = read_dropped(store.home.job(made.job).artifacts / "dropped.jsonl")
    html = funnel_html(read_funnel(made.funnel), "x", dropped, made.spent)
    for words in ("problems", "answered", "1 rethink", "unsolved", "no attempt was right", "reply tokens",
                  "not paid again"):
        assert words in html
    assert "demo-3" in html  # a reason without rows in the file names the first of them


def test_what_is_no_funnel_is_none_and_an_empty_one_is_drawn():
    assert read_funnel(None) is None and read_funnel({"stages": 3}) is None
    assert "funnel" in funnel_html(Funnel(stages=()), "x")


def test_the_datasheet_is_shown_and_taken_along(reading, here):
    name, text = sheet_file(reading, here.complex)
    assert name == f"{here.complex}-datasheet.md" and "embedded" in text.lower()
    assert 'class="markdown"' in sheet_html(reading, here.complex)


@pytest.mark.parametrize("kind", ["rows", "pairs"])
def test_every_schema_for_the_rows_can_be_downloaded(reading, here, kind):
    key = here.complex if kind == "rows" else here.pairs
    choices = schema_choices(kind)
    assert "lab" in {name for _, name in choices}
    for _, schema in choices:
        preview = export_preview(reading, key, schema, True)
        if "lab-error" in preview:
            continue
        name, content = export_file(reading, key, schema, True)
        assert name.startswith(f"{key}-{schema}.") and content
        assert "rows." in preview


def test_the_widgets_values_survive_an_address_that_means_nothing():
    assert Asked.of([None] * 10 + [None]) == Asked()
    assert Asked.of(["", "", "", "", "", "", "", "", "", "upwards", "x" and 2]).order == "position"
    assert replace(Asked(), words="x").is_narrow and not Asked(order="-quality", page=3).is_narrow
