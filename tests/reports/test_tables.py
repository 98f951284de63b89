"""Reports written out: what a spreadsheet, a log and a program read back."""

from __future__ import annotations

import csv
import io
import json

from lab.reports.build import build_report
from lab.reports.records import Fluency, Pending, Preference
from lab.reports.tables import csv_text, differences_csv, markdown_table, report_csv, report_json, report_markdown
from tests.reports.made_runs import made_run

RUNS = [made_run("base", "0001"), made_run("trace", "1110"), made_run("answer", "10u0")]


def test_csv_holds_one_row_a_model_with_full_precision():
    rows = list(csv.DictReader(io.StringIO(report_csv(build_report("s", RUNS)))))
    assert [row["arm"] for row in rows] == ["base", "answer", "trace"]
    assert float(rows[2]["accuracy"]) == 0.75 and rows[1]["unparsed"] == "0.25" and rows[0]["seed"] == ""


def test_csv_of_differences_holds_every_comparison():
    rows = list(csv.DictReader(io.StringIO(differences_csv(build_report("s", RUNS)))))
    assert [row["question"] for row in rows] == ["trace − answer", "arm − base", "arm − base"]
    assert (rows[0]["only_first_right"], rows[0]["only_second_right"], rows[0]["within_noise"]) == ("2", "0", "True")


def test_a_text_that_a_spreadsheet_would_run_is_made_harmless_and_numbers_stay_numbers():
    assert csv_text([{"model": "=cmd()", "difference": -0.5}]) == "model,difference\n'=cmd(),-0.5\n"
    assert csv_text([]) == ""


def test_json_holds_what_the_page_shows():
    pending = [Pending("x", "medical", "queued")]
    plain = json.loads(report_json(build_report("s", RUNS, pending=pending)))
    assert plain["verdicts"][0]["sentence"] and len(plain["models"]) == 3
    assert plain["differences"][0]["difference"] == 0.5
    assert plain["pending"] == [{"model": "x", "benchmark": "medical", "state": "queued"}]


def test_markdown_of_a_twelve_variant_grid_has_a_row_for_each_variant():
    grid = [
        made_run(arm, "1101" if arm == "trace" else "0101", model=f"{base}_{data}_{arm}", base=base, dataset=data)
        for base in ("llama", "qwen") for data in ("general", "medical", "combined") for arm in ("answer", "trace")
    ]
    text = report_markdown(build_report("grid", grid))
    assert sum(line.startswith("| medical | llama_") or line.startswith("| medical | qwen_")
               for line in text.split("## Paired")[0].splitlines()) == 12
    assert text.count("Within noise") == 6
    assert "over the 6 comparisons" in text


def test_markdown_names_what_is_pending_and_what_raters_said():
    report = build_report(
        "s", RUNS, [Pending("x", "medical", "queued")],
        ([Fluency("round 1", "trace", "demo-llama", "trace", 4.2, 3.9, 4.5, 36)],
         [Preference("round 1", "trace", "answer", 0.61, 0.5, 0.72, 36)]),
    )
    text = report_markdown(report)
    assert "- x on medical: queued" in text
    assert "| round 1 | trace | trace | 36 | 4.20 | 3.90 to 4.50 |" in text and "| 61 | 50 to 72 |" in text


def test_a_pipe_in_a_name_does_not_break_a_table():
    assert markdown_table(["a", "n"], [("x|y\nz", 1)], ["n"]) == "| a | n |\n| --- | ---: |\n| x\\|y z | 1 |"
