"""`bases` on the command line: the list, all about one, and the sentences for what is not there."""

from __future__ import annotations

import json

import pytest

from jobs.cli.commands import FAILED, WRONG, main
from lab.bases.cards import HERE, bases


def test_the_list_names_every_base_with_its_licence_memory_and_whether_it_is_here(capsys):
    assert main(["bases"]) == 0
    lines = {line.split()[0]: line for line in capsys.readouterr().out.splitlines() if line.strip()}
    assert set(bases()) <= set(lines)
    assert "llama3.1 (gated)" in lines["meditron3-8b"] and lines["demo-llama"].endswith("here")


def test_one_base_shows_its_memory_for_each_way_at_the_length_asked_for(capsys):
    assert main(["bases", "llama-3.1-8b", "--length", "8192"]) == 0
    out = capsys.readouterr().out
    for part in ("8,030,261,248", "131,072 tokens", "LICENSE", "full", "LoRA", "4-bit LoRA", "8192 tokens",
                 "hf download meta-llama/Llama-3.1-8B", "after accepting the licence"):
        assert part in out, part


def test_as_json_it_is_the_card_with_its_memory(capsys):
    assert main(["bases", "demo-qwen2", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["here"] is True and found["family"] == "qwen2" and len(found["memory"]) == 6
    assert all(way["mib"] > 0 for way in found["memory"])


def test_a_folder_is_shown_like_a_card(capsys):
    assert main(["bases", str(HERE / "demo" / "demo-llama")]) == 0
    assert "1,110,016" in capsys.readouterr().out


@pytest.mark.parametrize(("name", "sentence"), [
    ("demo-lama", "Did you mean 'demo-llama'"), ("/nowhere/at/all", "there is no folder /nowhere/at/all"),
])
def test_what_is_not_there_is_a_sentence(name, sentence, capsys):
    assert main(["bases", name]) in (WRONG, FAILED)
    assert sentence in capsys.readouterr().err
