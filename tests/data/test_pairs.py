"""Preference pairs: the demo pairs are right against really wrong; every form of pair files becomes the same row."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from lab.core.errors import LabError, UnknownName
from lab.core.types import Example, Pair
from lab.data.dataset import datasets
from lab.data.pair_rows import pair_of
from lab.data.pairs import check_pairs_name, pair_sets, resolve_pairs
from lab.rating.files.contents import Contents, RoundFacts, Said, UnitText
from lab.rating.files.preferences import preferences_jsonl
from lab.rating.rows import RatingRow
from lab.verify.verifier import verify
from tests.data.rows import write

EQUATION = re.compile(r"(\d+)([-+*/])(\d+)=(\d+)$")


def _problems() -> dict[str, Example]:
    return {row.id: row for name in ("demo-general", "demo-medical") for row in datasets()[name].load()}


def _wrong_lines(trace: str) -> list[str]:
    """Lines whose arithmetic does not hold, by Python's own arithmetic."""
    wrong = []
    for line in trace.splitlines():
        found = EQUATION.search(line)
        if found:
            left, sign, right, result = int(found[1]), found[2], int(found[3]), int(found[4])
            true = {"+": left + right, "-": left - right, "*": left * right, "/": left / right if right else None}[sign]
            if true != result:
                wrong.append(line)
    return wrong


def test_every_chosen_demo_reply_is_right_and_every_rejected_one_wrong_by_the_verifier() -> None:
    problems, loaded = _problems(), pair_sets()["demo-pairs"].read()
    assert len(loaded.rows) == pair_sets()["demo-pairs"].n_rows and len({pair.id for pair in loaded.rows}) == 3815
    assert len(loaded.rows) + loaded.n_skipped == 4800
    for pair in loaded.rows:
        problem = problems[pair.id]
        assert pair.question == problem.question and pair.chosen_trace == problem.trace
        assert verify(pair.chosen, problem).correct
        judged = verify(pair.rejected, problem)
        assert not judged.correct and judged.parsed is not None, pair.id


def test_a_rejected_working_has_exactly_one_slip_and_is_otherwise_consistent() -> None:
    pairs = pair_sets()["demo-pairs"].load()
    for pair in pairs:
        assert not _wrong_lines(pair.chosen_trace or "")
        assert len(_wrong_lines(pair.rejected_trace or "")) == 1, pair.rejected_trace
        assert len((pair.chosen_trace or "").splitlines()) == len((pair.rejected_trace or "").splitlines())
        said = re.findall(r"\d+", pair.rejected.rsplit("Answer:", 1)[1])[0]
        assert (pair.rejected_trace or "").endswith(f"={said}")


def test_slips_happen_at_every_place_and_the_pairs_are_the_same_each_time() -> None:
    first, again = pair_sets()["demo-pairs"].load(), pair_sets()["demo-pairs"].load()
    assert first == again
    chains = [pair for pair in first if pair.subject == "stock"]
    places = [(pair.rejected_trace or "").splitlines().index(_wrong_lines(pair.rejected_trace or "")[0])
              for pair in chains]
    assert {0, 1, 2} == set(places) and all(places.count(place) > 50 for place in (0, 1, 2))


FORMS = {
    "texts": {"prompt": "1+1?", "chosen": "<think>a</think>2", "rejected": "3"},
    "question": {"question": "1+1?", "chosen": "2", "chosen_trace": "a", "rejected": "3"},
    "conversations": {
        "prompt": [{"role": "user", "content": "1+1?"}],
        "chosen": [{"role": "assistant", "content": "2", "reasoning_content": "a"}],
        "rejected": [{"role": "assistant", "content": "3"}]},
    "implicit prompt": {
        "chosen": [{"role": "user", "content": "1+1?"}, {"role": "assistant", "content": "<think>a</think>2"}],
        "rejected": [{"role": "user", "content": "1+1?"}, {"role": "assistant", "content": "3"}]},
    "headings": {"prompt": "1+1?", "chosen": "## Thinking\n\na\n\n## Final Response\n\n2", "rejected": "3"},
}


@pytest.mark.parametrize("record", FORMS.values(), ids=FORMS)
def test_every_form_of_a_pair_becomes_the_same_row(record: dict) -> None:
    pair = pair_of(record, "here")
    assert pair == Pair(id=pair.id, question="1+1?", chosen="2", chosen_trace="a", rejected="3", source="here")


BROKEN = [
    ({"prompt": "q", "chosen": "a", "rejected": ""}, "rejected: missing or empty"),
    ({"prompt": "q", "chosen": "<think>a", "rejected": "b"}, "chosen: unclosed thinking"),
    ({"prompt": "q", "chosen": "a", "rejected": "a"}, "chosen and rejected are the same"),
    ({"chosen": "a", "rejected": "b"}, "no question"),
    ({"chosen": [{"role": "user", "content": "x"}, {"role": "assistant", "content": "a"}],
      "rejected": [{"role": "user", "content": "y"}, {"role": "assistant", "content": "b"}]},
     "ask different questions"),
]


@pytest.mark.parametrize(("record", "reason"), BROKEN)
def test_a_row_that_is_no_pair_says_why(record: dict, reason: str) -> None:
    assert reason in str(pair_of(record, "here"))


def test_the_export_of_a_rating_round_is_a_set_of_pairs(tmp_path: Path) -> None:
    units = tuple(UnitText(f"u{item}", "main", item, "base", "trace", *texts, "") for item, *texts in (
        ("i1", "1+1?", "2", "3"), ("i2", "1+2?", "4", "3"), ("i3", "tied?", "x", "y")))
    votes = [("i1", "left"), ("i1", "left"), ("i2", "right"), ("i3", "tie")]
    rows = [RatingRow(f"u{item}", item, f"r{place}", "main", 1, True, "base", "trace", 3, 3, side)
            for place, (item, side) in enumerate(votes)]
    facts = RoundFacts("round", "0123456789ab", {}, "", ("base", "trace"), "closed")
    path = tmp_path / "preferences.jsonl"
    text = preferences_jsonl(Contents(facts, units, tuple(Said(row, 1, True) for row in rows)))
    path.write_text(text, encoding="utf-8")
    loaded = resolve_pairs(str(path)).read()
    assert [(pair.id, pair.question, pair.chosen, pair.rejected) for pair in loaded.rows] == [
        ("ui1", "1+1?", "2", "3"), ("ui2", "1+2?", "3", "4")]


@pytest.mark.parametrize("ending", ["jsonl", "parquet", "json"])
def test_files_and_folders_of_pairs_are_read_and_broken_rows_counted(tmp_path: Path, ending: str) -> None:
    write(tmp_path, f"a.{ending}", [FORMS["texts"], FORMS["texts"] | {"prompt": "x", "rejected": None}])
    for name in (str(tmp_path / f"a.{ending}"), str(tmp_path)):
        loaded = resolve_pairs(name).read()
        assert len(loaded.rows) == 1 and loaded.skipped == {"rejected: missing or empty": 1}


def test_mixtures_caps_and_near_misses_work_as_for_datasets(tmp_path: Path) -> None:
    write(tmp_path, "dpo.jsonl", [FORMS["texts"]])
    mixed = resolve_pairs(f"demo-pairs[:9] + finemed-dpo@{tmp_path}").load()
    assert len(mixed) == 10
    with pytest.raises(UnknownName, match="Did you mean 'demo-pairs'"):
        resolve_pairs("demo-pair")
    (fault,) = check_pairs_name("pairs", "demo-pair")
    assert fault.field == "pairs"
    assert check_pairs_name("pairs", "demo-pairs[:50%]") == []
    write(tmp_path, "other.jsonl", [{"question": "q", "answer": "a"}])
    with pytest.raises(LabError, match="columns chosen, rejected"):
        resolve_pairs(str(tmp_path / "other.jsonl"))
