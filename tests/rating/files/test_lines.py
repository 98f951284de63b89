"""events.jsonl and units.jsonl: a line an object, nothing lost."""

from __future__ import annotations

import json
from dataclasses import replace

from lab.rating.files.lines import events_jsonl, units_jsonl
from tests.rating.files.made import made


def test_events_are_in_order_with_what_the_browser_told():
    rows = [json.loads(line) for line in events_jsonl(made()).splitlines()]
    assert [row["kind"] for row in rows] == ["made", "blind names", "served", "change", "unblinded"]
    assert rows[3]["client_ms"] == 1200 and rows[3]["payload"]["to"] == "4"


def test_a_text_with_line_ends_of_any_kind_stays_one_line():
    contents = made()
    (unit, *_) = contents.units
    text = "one\ntwo\r\nthree\u2028four"
    lines = units_jsonl([replace(unit, text_a=text)]).split("\n")
    assert len(lines) == 2 and json.loads(lines[0])["text_a"] == text
