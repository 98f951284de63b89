"""The command line: words, exit codes, JSON."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from jobs.cli.commands import main
from jobs.cli.waiting import accuracy_table
from jobs.keeper import worker_alive
from jobs.queue import submit
from storage.database import Store
from storage.tables import BenchmarkRun, Job
from tests.jobs.conftest import ended, wait_for, worker_thread
from tests.sqlite_alone import store_url  # noqa: F401  once, and not on every database


def _recipe(tmp_path: Path, text: str) -> str:
    path = tmp_path / "recipe.yaml"
    path.write_text(text)
    return str(path)


def test_help_answers_without_loading_torch_the_store_or_the_page() -> None:
    code = (
        "import sys, jobs.cli.commands as c\n"
        "try: c.main(['--help'])\n"
        "except SystemExit as end: assert end.code == 0\n"
        "print(sorted({'torch', 'transformers', 'sqlmodel', 'gradio'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "doctor" in done.stdout and done.stdout.strip().endswith("[]")


def test_submit_list_and_show_as_json_parse(store: Store, tmp_path: Path, capsys) -> None:
    assert main(["submit", _recipe(tmp_path, "kind: echo\ntext: a"), "steps=5", "--json"]) == 0
    made = json.loads(capsys.readouterr().out)
    assert made["study"] is None and made["jobs"][0]["spec"] == {"text": "a", "steps": 5, "pause_s": 0, "nan_at": -1}
    assert main(["list", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert listed["total"] == 1 and listed["jobs"][0]["state"] == "queued"
    assert main(["show", "1", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["queue_position"] == 1


def test_every_fault_of_a_study_is_listed_with_exit_code_2(store: Store, base: str, tmp_path: Path, capsys) -> None:
    recipe = _recipe(tmp_path, f"kind: study\nname: x\nbases: [{base}]\ndatasets: [demo-medical]\n")
    assert main(["submit", recipe, "bases=[tiny-lama]", "training.learning_rate=-1", "colour=red"]) == 2
    text = capsys.readouterr().err
    assert "3 faults" in text and "Did you mean 'tiny-llama'" in text
    assert "training.learning_rate: should be greater than 0 (got -1)" in text and "colour: no such field" in text


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["submit", "nowhere.yaml"], "does not exist"),
        (["show", "99"], "there is no job '99'"),
        (["cancel", "study:x"], "study:1"),
        (["list", "--state", "runing"], "Did you mean 'running'?"),
        (["worker", "--slots", "0"], "should be 1 or more"),
    ],
)
def test_a_wrong_command_says_so_in_one_sentence_with_exit_code_2(store: Store, arguments, words, capsys) -> None:
    assert main(arguments) == 2
    assert words in capsys.readouterr().err


def test_broken_yaml_names_its_line(store: Store, tmp_path: Path, capsys) -> None:
    assert main(["submit", _recipe(tmp_path, "kind: echo\ntext: [a\nsteps: 3\n")]) == 2
    assert "line 3" in capsys.readouterr().err


def test_logs_show_the_text_and_follow_ends_with_the_job(working: Store, capsys) -> None:
    job = submit(working, "echo", {"text": "said aloud", "steps": 20, "pause_s": 0.05}).jobs[0]
    assert main(["logs", str(job.id), "-f"]) == 0
    assert "said aloud" in capsys.readouterr().out
    assert ended(working, job).state == "succeeded"


def test_a_failed_job_is_shown_with_its_log_and_can_be_retried(store: Store, capsys) -> None:
    job = submit(store, "fail", {"how": "bug"}).jobs[0]
    with worker_thread(store):
        ended(store, job)
    assert main(["show", str(job.id)]) == 0
    text = capsys.readouterr().out
    assert "ValueError: first line" in text and "Traceback" in text
    assert [main([command, str(job.id)]) for command in ("retry", "cancel", "rerun")] == [0, 0, 0]
    assert "it runs job 1 once more" in capsys.readouterr().out


def test_wait_starts_a_worker_of_its_own_which_leaves_when_nothing_is_left(store: Store, tmp_path: Path) -> None:
    env = {**os.environ, "LAB_MIN_FREE_MIB": "0"}
    for text, code in (("kind: echo\ntext: a", 0), ("kind: fail", 1)):
        command = [sys.executable, "-m", "jobs", "submit", _recipe(tmp_path, text), "--wait"]
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60)
        assert done.returncode == code, done.stderr
        assert ("succeeded" if code == 0 else "row 7 of x.jsonl") in done.stdout
    wait_for(lambda: not worker_alive(store.home))


def test_the_table_of_a_study_has_a_row_a_model_with_n_and_interval() -> None:
    jobs = [Job(id=1, uid="a", kind="sft", name="x_trace", state="succeeded"),
            Job(id=2, uid="b", kind="sft", name="x_answer", state="failed")]
    runs = [
        BenchmarkRun(model_label=label, benchmark="demo", arm=arm, accuracy=0.5, ci_low=0.4, ci_high=0.6, n=90)
        for label, arm in (("x_trace-2", "trace"), ("base", "base"))
    ]
    lines = accuracy_table(jobs, runs, {1: "x_trace-2"}).splitlines()
    found = [line.split()[:2] for line in lines[2:]]
    assert found == [["base", "–"], ["x_trace-2", "succeeded"], ["x_answer", "failed"]]
    assert lines[3].endswith("50.0 % [40.0, 60.0] n=90") and lines[4].endswith("–")


def test_doctor_says_what_there_is(store: Store, base: str, capsys) -> None:
    code = main(["doctor", "--json"])
    findings = {finding["name"]: finding for finding in json.loads(capsys.readouterr().out)}
    assert findings["torch"]["value"] and "version 0007" in findings["store"]["value"]
    assert base in findings["bases"]["value"]
    assert code == 1 and findings[base]["advice"]  # the test's card has no weights
