"""`python -m jobs check`: findings and rows on a terminal, exit codes, and that nothing but files is needed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from jobs.cli.checking import lines
from jobs.cli.commands import main
from lab.core.spec import load_spec
from lab.studies import estimates
from lab.studies.preflight import preflight
from lab.training.specs import SftSpec

DEMO = "kind: sft\nbase: demo-llama\ndataset: demo-medical\ntarget: trace\nmax_rows: 40\n"


@pytest.fixture
def recipe(tmp_path, monkeypatch):
    """Write a recipe, its rows where given, and return its path. codecarbon is not started."""
    def unknown(*_):
        raise OSError("not asked in this test")

    monkeypatch.setattr(estimates.tables, "look_up", unknown)

    def write(rows=None) -> str:
        text = DEMO
        if rows is not None:
            file = tmp_path / "rows.jsonl"
            file.write_text("".join(json.dumps(row) + "\n" for row in rows))
            text = DEMO.replace("demo-medical", str(file))
        path = tmp_path / "recipe.yaml"
        path.write_text(text)
        return str(path)

    return write


def rows(n: int, **changes) -> list[dict]:
    return [{"id": f"r{i}", "question": f"What is {i} plus 2?", "trace": f"{i}+2={i + 2}", "answer": f"Answer: {i + 2}",
             **changes} for i in range(n)]


def test_a_sound_recipe_is_ready_with_exit_code_0_and_shows_its_rows_by_part(recipe, capsys):
    assert main(["check", recipe()]) == 0
    text = capsys.readouterr().out
    assert text.startswith("demo-llama_demo-medical_trace_s0 (sft). Ready: nothing found.")
    assert "[prompt] <|begin_of_text|>" in text and "[mark*] <think>" in text and "[end*] <|eot_id|>" in text
    assert "rows: 40" in text and "learned. [part] is read, [part*] is learned" in text and "\x1b" not in text


def test_broken_rows_are_refused_with_exit_code_2_and_named(recipe, capsys):
    assert main(["check", recipe(rows(10, answer="<think>\nstill at it"))]) == 2
    text = capsys.readouterr().out
    assert ". Refused: " in text and "[fault] " in text and "Rows: r0, r1, r2, r3, r4." in text


def test_overrides_and_json_and_the_number_of_rows(recipe, capsys):
    assert main(["check", recipe(), "target=answer", "max_rows=25", "--rows", "3", "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["verdict"] == "ok" and len(record["arms"][0]["samples"]) == 3
    assert record["arms"][0]["arm"] == "answer" and record["arms"][0]["estimate"]["n_rows"] == 25


def test_a_wrong_spec_lists_its_faults_as_submit_does(recipe, capsys):
    assert main(["check", recipe(), "target=tracce", "epochs=-1"]) == 2
    assert "2 faults" in capsys.readouterr().err
    assert main(["check", "nowhere.yaml"]) == 2


def test_a_terminal_gets_colours_and_underlines_thinking(recipe):
    spec = load_spec(SftSpec, {"base": "demo-llama", "dataset": "demo-medical", "target": "trace", "max_rows": 10})
    report = preflight(spec, n_samples=1)
    text = "\n".join(lines(report, coloured=True))
    assert "\x1b[4;34m" in text and "\x1b[1;35m<think>\x1b[0m" in text and "[part]" not in text
    assert "|" in "\n".join(lines(report, coloured=False, tokens=True)).split("[thinking*]")[1]


@pytest.mark.parametrize("arguments", [["--help"], ["check", "lab/recipes/demo/study.yaml", "training.max_rows=20"]])
def test_it_needs_no_store_no_worker_and_no_torch(arguments, tmp_path: Path):
    code = ("import sys\nfrom jobs.cli.commands import main\n"
            "try: print('exit', main(sys.argv[1:]))\nexcept SystemExit as end: print('exit', end.code)\n"
            "print(sorted({'torch', 'gradio', 'trl', 'peft'} & set(sys.modules)))")
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, timeout=300,
                          env={**os.environ, "LAB_HOME": str(tmp_path / "home"), "NO_COLOR": "1"})
    assert done.stdout.strip().endswith("exit 0\n[]"), done.stderr
    assert not (tmp_path / "home").exists()
