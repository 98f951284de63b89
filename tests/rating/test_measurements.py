"""The figures of a text as `evaluate` modules: by path and by class, with no network, equal to the lab's own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from lab.core.errors import UnknownName
from lab.rating.measurements import NAMES, measurement_path
from lab.rating.text_measures import distinct, reading_ease, repeated_share

ROOT = Path(__file__).parents[2]
TEXTS = ["The heart pumps blood. It never rests.", "no no no no no no", "..."]
FRENCH = ["Le cœur bat. Il ne dort pas."]

# Every connection is an error, and the hub is off before anything is imported.
SCRIPT = """
import json, socket, sys
def refuse(*_):
    raise AssertionError("a measurement must not open a connection")
socket.socket.connect = socket.getaddrinfo = refuse
import evaluate
from lab.rating.measurements import NAMES, measurement_path
from lab.rating.measurements.classes import Perplexity, Readability, Repetition, Words
given = json.load(sys.stdin)
load = lambda name: evaluate.load(measurement_path(name), module_type="measurement")
found = {name: load(name).compute(data=given["texts"]) for name in NAMES if name != "perplexity"}
found["french"] = load("readability").compute(data=given["french"], language="fr")
found["perplexity"] = load("perplexity").compute(data=given["texts"][:1], base="demo-llama")
found["asked"] = Perplexity().compute(data=given["texts"][:1], base="demo-llama", questions=["Why?"])
found["combined"] = evaluate.combine([Readability(), Repetition(), Words()]).compute(data=given["texts"])
print("FOUND" + json.dumps(found))
"""


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    offline = {"HF_HUB_OFFLINE": "1", "HF_EVALUATE_OFFLINE": "1", "HF_HOME": str(tmp_path_factory.mktemp("hf")),
               "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", SCRIPT], input=json.dumps({"texts": TEXTS, "french": FRENCH}),
                          env={**os.environ, **offline}, capture_output=True, text=True, cwd=ROOT, timeout=300,
                          check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.rpartition("FOUND")[2])


def test_measurements_load_from_their_folders_with_no_network_and_are_the_labs_own(found):
    ease = [reading_ease(text, "en") for text in TEXTS]
    assert found["readability"]["reading_ease"] == pytest.approx(ease) and ease[2] is None
    assert found["readability"]["mean_reading_ease"] == pytest.approx((ease[0] + ease[1]) / 2)
    assert found["readability"]["reading_ease_n"] == 2
    assert found["french"]["reading_ease"] == pytest.approx([reading_ease(FRENCH[0], "fr")])
    assert found["repetition"]["distinct_2"] == [distinct(text, 2) for text in TEXTS]
    assert found["repetition"]["repeated_4"] == [repeated_share(text) for text in TEXTS]
    assert found["words"]["words"] == [7, 6, 0]


def test_perplexity_is_taken_under_a_base_of_the_lab_alone_or_after_a_question(found):
    alone, asked = found["perplexity"], found["asked"]
    assert alone["perplexity_n"] == 1 and alone["mean_perplexity"] > 1
    assert asked["mean_perplexity"] > 1 and asked["perplexity"] != alone["perplexity"]


def test_measurements_combine(found):
    parts = {**found["readability"], **found["repetition"], **found["words"]}
    assert found["combined"] == parts


def test_a_measurement_that_is_not_there_is_refused_by_name():
    assert all((Path(measurement_path(name)) / f"{name}.py").is_file() for name in NAMES)
    with pytest.raises(UnknownName, match="readability"):
        measurement_path("readabillity")
