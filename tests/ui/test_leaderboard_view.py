"""Leaderboard, arm against arm and budget curve on the Benchmarks page: no order within noise, nothing dropped."""

from __future__ import annotations

import csv
import io
import json
import re

import pytest
from sqlmodel import select

from lab.reports.latex import curves_latex, leaderboard_latex
from lab.reports.tables import curves_csv, leaderboard_csv
from lab.stats.ranks import RankRange
from lab.ui.benchmarks.arms import arms_html
from lab.ui.benchmarks.budget_plot import Line, Panel, Point, panel_plot
from lab.ui.benchmarks.curve import curve_choices, curves_html, first_curves
from lab.ui.benchmarks.files import ARMS, BOARD, CURVES
from lab.ui.benchmarks.leaderboard import begins_block, leaderboard_html, rank_cell
from lab.ui.benchmarks.reading import Reading, Scope
from lab.ui.benchmarks.wiring_views import numbers, scope_of
from storage.tables import BenchmarkRun, BenchmarkSample
from tests.stores import new_store
from tests.ui.seed_store import seed_store
from tests.ui.small_runs import add_run


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """The seeded lab, and a curve of its trace arm: cut and forced at 16 tokens."""
    made = new_store(tmp_path_factory.mktemp("lab"))
    seed_store(made)
    for way in ("cut", "forced"):
        point(made, way, 16)
    yield made
    made.close()


def point(store, way: str, budget: int) -> None:
    with store.write() as session:
        plain = session.get_one(BenchmarkRun, 2)
        at = {"max_new_tokens": budget} if way == "cut" else {"max_new_tokens": budget + 64, "max_think_tokens": budget}
        run = BenchmarkRun(**plain.model_dump(exclude={"id"}) | {
            "part": f"{way} {budget}", "settings": at, "figures": {"curve": {"of": "", "way": way, "budget": budget}}})
        session.add(run)
        session.flush()
        rows = session.exec(select(BenchmarkSample).where(BenchmarkSample.run_id == 2)).all()
        gone = {"correct": False, "parsed": None, "finish_reason": "length", "think_state": "unclosed_length"}
        session.add_all(BenchmarkSample(**row.model_dump(exclude={"id"}) | {"run_id": run.id} | (
            gone if way == "cut" else {"think_state": "forced"})) for row in rows)


@pytest.fixture(scope="module")
def reading(store) -> Reading:
    return Reading(store)


def test_a_block_begins_only_where_every_model_above_is_beyond_noise_better():
    ranks = [RankRange(1, 2), RankRange(1, 3), RankRange(2, 3), RankRange(4, 4), RankRange(5, 6), RankRange(5, 6)]
    assert [begins_block(ranks, place) for place in range(6)] == [True, False, False, True, True, False]
    assert "<b>4</b>" in rank_cell(ranks[3], 6) and "from rank 1 to 3 of 6" in rank_cell(ranks[1], 6)
    assert "left:50.0%;width:16.7%" in rank_cell(ranks[3], 6)


def test_models_apart_beyond_noise_stand_in_blocks_and_each_shows_its_n_and_interval(reading):
    board = reading.leaderboard(Scope(base="demo-llama"))
    html = leaderboard_html(board.found, board.healths)
    standings = board.found.boards[0].standings
    assert [s.level.run.arm for s in standings] == ["trace", "answer", "base"]
    assert html.count('data-block="start"') == 2 and "Between two blocks the difference is beyond noise" in html
    for standing in standings:
        level = standing.level
        assert f"{100 * level.low:.1f} to {100 * level.high:.1f}" in html
        assert f"/benchmarks?view=runs&amp;run={level.run.run_id}&amp;with=" in html
    assert "250 questions can show a true difference of 5.6 / 7.9 / 9.7 points" in html


def test_models_within_noise_are_given_no_order(tmp_path):
    store = new_store(tmp_path)
    for label in ("one", "two", "three"):
        add_run(store, label)
    html = leaderboard_html(Reading(store).leaderboard(Scope()).found)
    assert "No order can be shown" in html and html.count("1–3") == 3 and "data-block" not in html
    store.close()


def test_several_benchmarks_have_a_mean_and_who_lacks_one_is_named(tmp_path):
    store = new_store(tmp_path)
    for label, name in (("one", "demo-medical"), ("one", "demo-general"), ("two", "demo-medical"),
                        ("two", "demo-general"), ("three", "demo-medical")):
        add_run(store, label, benchmark=name, part=name)
    html = leaderboard_html(Reading(store).leaderboard(Scope()).found)
    assert "Mean over 2 benchmarks" in html and "three: no run on demo-general" in html
    assert "1 without a run on every benchmark" in html
    store.close()


def test_without_runs_the_views_say_what_would_be_here(tmp_path):
    store = new_store(tmp_path)
    empty = Reading(store)
    assert "No run to rank yet" in leaderboard_html(empty.leaderboard(Scope()).found)
    assert "No run matches" in leaderboard_html(empty.leaderboard(Scope()).found, filtered=True)
    assert "No pair of arms yet" in arms_html(empty.arms(Scope()))
    assert curve_choices(store, Scope()) == [] and first_curves(store, Scope()) == []
    store.close()


def test_arms_are_compared_in_pairs_with_counts_p_and_what_n_can_show(reading):
    found = reading.arms(Scope(base="demo-llama"))
    html = arms_html(found)
    main = next(d for d in found.differences if d.question == "trace − answer")
    assert "The trace arm against the answer arm, 1 pair: 1 better." in html
    assert f"{main.first_only} / {main.second_only}" in html and f"{100 * main.detectable:.1f}" in html
    assert f"/benchmarks?run={main.first.run_id}&amp;with={main.second.run_id}" in html
    assert "2 other pairs as a plot" in html


def test_what_was_worked_out_is_kept_until_a_run_is_added(store, reading):
    first = reading.leaderboard(Scope(base="demo-llama"))
    assert reading.leaderboard(Scope(base="demo-llama")) is first
    number = add_run(store, "another")
    assert reading.leaderboard(Scope(base="demo-llama")) is not first
    with store.write() as session:
        for row in session.exec(select(BenchmarkSample).where(BenchmarkSample.run_id == number)):
            session.delete(row)
        session.delete(session.get_one(BenchmarkRun, number))


def test_a_curve_shows_the_starved_and_the_ample_budget_with_what_was_cut(store, reading):
    assert first_curves(store, Scope()) == ["2"] and "run 2" in curve_choices(store, Scope())[0][0]
    curves = reading.curves([2])
    html = curves_html(curves)
    assert re.search(r"0\.0 % at 16 tokens \(100 % cut; interval 0\.0 to 1\.5, n 250\)", html)
    assert "With its answer forced at 16 tokens" in html and "at 128 tokens" in html
    assert html.count('class="budget-panel"') == 3 and html.count("dashed") >= 3
    assert 'title="thought closed there, answer forced"' in html


def test_two_curves_are_set_against_each_other_at_each_budget(reading):
    html = curves_html(reading.curves([2]) * 2)
    assert "The first minus the second, at each budget" in html and "16 tokens, cut there" in html


def test_a_curve_of_a_run_that_is_not_there_is_said(reading):
    assert "No curve chosen" in curves_html(reading.curves([]))


def test_points_stand_at_equal_distances_and_their_interval_is_drawn():
    line = Line("m", "trace", False, [Point(16, 10.0, 5.0, 20.0), Point(64, 50.0)])
    html = panel_plot(Panel("Accuracy", "%", [line], 100, (0, 100)), [16, 32, 64])
    assert 'x1="6.00%" x2="6.00%" y1="95.0" y2="80.0"' in html  # the interval
    assert 'x1="6.00%" y1="90.0" x2="94.00%" y2="50.0"' in html  # the line from the first budget to the last
    assert "10.0 %, 5.0 to 20.0 at 16 tokens" in html
    assert panel_plot(Panel("x", "", [], 100), [16]) == ""


@pytest.mark.parametrize(("files", "read"), [
    (BOARD, lambda r: r.leaderboard(Scope()).found), (ARMS, lambda r: r.arms(Scope()).differences),
    (CURVES, lambda r: r.curves([2])),
])
def test_every_view_is_saved_as_csv_json_latex_and_markdown(reading, files, read):
    texts = {name.rsplit(".", 1)[1]: write(read(reading)) for _, name, write in files}
    assert set(texts) == {"csv", "json", "tex", "md"}
    assert json.loads(texts["json"]) and list(csv.DictReader(io.StringIO(texts["csv"])))
    assert r"\begin{tabular}" in texts["tex"] and "---" in texts["md"]


def test_a_saved_table_holds_the_figures_of_the_page(reading):
    board = reading.leaderboard(Scope()).found
    rows = list(csv.DictReader(io.StringIO(leaderboard_csv(board))))
    assert len(rows) >= sum(len(each.standings) for each in board.boards)
    level = board.boards[0].standings[0].level
    assert f"{100 * level.accuracy:.1f}" in leaderboard_latex(board)
    assert "16" in curves_csv(reading.curves([2])) and "16" in curves_latex(reading.curves([2]))


def test_an_address_is_read_with_care():
    assert scope_of("b", "7", "") == Scope("b", 7, "") and scope_of("", "x", None) == Scope()
    assert numbers(["3", "x", "9" * 30, "4"]) == [3, 4] and numbers(None) == []
