"""HTML builders: what users wrote never becomes markup."""

from datetime import UTC, datetime, timedelta

import pytest

from lab.core.errors import Fault, SpecError
from lab.ui.components.html import (
    ago,
    chip,
    duration,
    empty,
    error,
    fact_list,
    failure,
    interval_bar,
    log_tail,
    number,
    progress_bar,
    state_badge,
)
from lab.ui.components.markup import escape, join, tag
from lab.ui.components.table import Column, Row, table

NASTY = "<script>alert(1)</script> \" ' & {{name}} ${1+1} `x`"


@pytest.mark.parametrize("made", [
    escape(NASTY), tag("p", NASTY), tag("p", "x", title=NASTY), join([NASTY]), chip(NASTY, "trace"), chip("x", NASTY),
    empty(NASTY, NASTY, "/jobs", NASTY), error(NASTY, NASTY, NASTY), fact_list([(NASTY, NASTY)]),
    log_tail(NASTY, NASTY), progress_bar(1, 2, NASTY), state_badge(NASTY), table([NASTY], [[NASTY]], caption=NASTY),
    table([Column("a")], [Row([NASTY], href=f"/jobs?id={NASTY}")]),
    failure(SpecError([Fault(NASTY, NASTY)])), failure(ValueError(NASTY)),
], ids=lambda made: made[:24])
def test_nothing_a_user_wrote_becomes_markup_or_template_syntax(made):
    assert "<script" not in made
    assert "{{" not in made and "${" not in made and "`" not in made


def test_an_attribute_cannot_be_left_through_a_quote():
    assert tag("a", "x", href='"><b>') == '<a href="&quot;&gt;&lt;b&gt;">x</a>'


def test_markup_made_by_the_builders_is_not_escaped_twice():
    assert tag("p", tag("b", "a & b")) == "<p><b>a &amp; b</b></p>"


def test_a_missing_number_is_a_dash_and_never_a_zero():
    assert "–" in number(None) and "–" in number(float("nan"))
    assert ">0<" in number(0)


def test_numbers_are_grouped_in_threes_with_a_narrow_space():
    assert "12\u202f345" in number(12345)


@pytest.mark.parametrize(("seconds", "text"), [
    (0, "0 s"), (59.6, "1 min"), (125, "2 min 5 s"), (3600, "1 h 0 min"), (200_000, "2 d 7 h"), (None, "–"),
])
def test_durations_read_like_a_person_says_them(seconds, text):
    assert duration(seconds) == text


def test_a_moment_says_how_long_ago_and_keeps_the_full_time():
    moment = datetime.now(UTC) - timedelta(minutes=3, seconds=10)
    assert "3 min ago" in ago(moment) and f"{moment:%Y-%m-%d %H:%M:%S} UTC" in ago(moment)


def test_an_interval_bar_says_its_figures_to_a_screen_reader():
    made = interval_bar(0.2, 0.5, 0.7, "trace")
    assert 'aria-label="0.500, interval 0.200 to 0.700"' in made and "left:20.00%" in made


def test_a_bar_without_a_total_has_no_level():
    assert "width" not in progress_bar(3, 0) and "50%" in progress_bar(1, 2)


def test_a_row_with_an_address_is_a_real_link():
    made = table(["a", "b"], [Row(["1", "2"], href="/jobs?id=1", selected=True)])
    assert '<a href="/jobs?id=1"' in made and 'aria-selected="true"' in made
