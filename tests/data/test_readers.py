"""Every registered reader on a small file of its data set's schema: what a row becomes, what is left out and counted,
and what is said when the schema is another one."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.core.errors import LabError
from lab.core.types import Pair
from lab.data.dataset import datasets
from lab.data.pair_sets.finemed_dpo import PAIRS as FINEMED_DPO
from lab.data.pairs import pair_sets
from lab.data.resolving import resolve_dataset
from lab.verify.verifier import verifiers
from tests.data.rows import MADE, write

FROM_HUB = sorted(name for name, card in datasets().items() if card.hub)
DPO_ROW = {"text": "A page.", "complexity": 9, "quality": 9, "language": "en", "prompt": "How is gout treated?",
           "chosen": "### Thought\nUrate.\n### Summarization\nColchicine.", "rejected": "With rest."}


def test_every_reader_of_the_hub_is_tested_here() -> None:
    assert len(FROM_HUB) >= 10 and set(FROM_HUB) == set(MADE)


@pytest.mark.parametrize("name", FROM_HUB)
def test_a_row_becomes_an_example(tmp_path: Path, name: str) -> None:
    made = MADE[name]
    write(tmp_path, made.file, made.rows)
    loaded = resolve_dataset(f"{name}@{tmp_path}").read()
    assert len(loaded.rows) == len(made.rows) and not loaded.skipped
    first = loaded.rows[0].model_dump()
    assert {field: first[field] for field in made.becomes} == made.becomes
    assert all(row.verifier in verifiers() and row.gold and row.answer for row in loaded.rows)
    assert all(bool(row.trace) == datasets()[name].has_traces for row in loaded.rows)
    assert len({row.id for row in loaded.rows}) == len(loaded.rows)


@pytest.mark.parametrize("name", FROM_HUB)
def test_rows_that_cannot_be_used_are_left_out_and_counted_by_reason(tmp_path: Path, name: str) -> None:
    made = MADE[name]
    write(tmp_path, made.file, [*made.rows, *made.without.values()])
    loaded = resolve_dataset(f"{name}@{tmp_path}").read()
    assert len(loaded.rows) == len(made.rows)
    assert loaded.skipped == dict.fromkeys(made.without, 1) and loaded.n_skipped == len(made.without)


@pytest.mark.parametrize("name", FROM_HUB)
def test_another_schema_is_refused_with_what_was_expected_and_what_was_found(tmp_path: Path, name: str) -> None:
    made = MADE[name]
    write(tmp_path, made.file, [{key: value for key, value in row.items() if key != made.drop} | {"other": "x"}
                                for row in made.rows])
    with pytest.raises(LabError) as caught:
        resolve_dataset(f"{name}@{tmp_path}").load()
    said = str(caught.value)
    assert f"Missing: {made.drop}" in said and "other" in said.partition("Found: ")[2] and str(tmp_path) in said


@pytest.mark.parametrize("name", FROM_HUB)
def test_the_same_row_twice_gets_two_ids(tmp_path: Path, name: str) -> None:
    made = MADE[name]
    write(tmp_path, made.file, [made.rows[0], made.rows[0]])
    first, second = resolve_dataset(f"{name}@{tmp_path}").load()
    assert second.id == f"{first.id}-2" and second.question == first.question


def test_a_column_of_another_type_is_a_sentence(tmp_path: Path) -> None:
    """An early revision of s1K-1.1 had lists of texts where there are texts now."""
    made = MADE["s1k-1.1"]
    write(tmp_path, made.file, [made.rows[0] | {"deepseek_attempt": ["They are four."]}])
    with pytest.raises(LabError, match="column 'deepseek_attempt' should be text, not list"):
        resolve_dataset(f"s1k-1.1@{tmp_path}").load()


def test_a_limit_stops_reading(tmp_path: Path) -> None:
    write(tmp_path, MADE["s1k-1.1"].file, MADE["s1k-1.1"].rows)
    assert len(resolve_dataset(f"s1k-1.1@{tmp_path}").read(limit=1).rows) == 1


def test_endocrinology_is_read_from_its_own_file_and_counts_to_internal_medicine(tmp_path: Path) -> None:
    made = MADE["finemed-sft"]
    write(tmp_path, "InternalMedicine/Endocrinology.jsonl", made.rows[:1])
    write(tmp_path, "InternalMedicine/Cardiology.jsonl", made.rows[1:])
    assert len(resolve_dataset(f"finemed-endocrinology@{tmp_path}").load()) == 1
    assert len(resolve_dataset(f"finemed-internal-medicine@{tmp_path}").load()) == 2


def test_finemed_pairs_prefer_the_reasoned_reply(tmp_path: Path) -> None:
    write(tmp_path, "dpo.jsonl", [DPO_ROW, DPO_ROW | {"prompt": "x", "rejected": ""},
                                  DPO_ROW | {"prompt": "y", "chosen": "### Thought\nopen"}])
    loaded = FINEMED_DPO.at(tmp_path).read()
    (pair,) = loaded.rows
    assert pair == Pair(id=pair.id, question="How is gout treated?", chosen="Colchicine.", chosen_trace="Urate.",
                        rejected="With rest.", source="FineMed-DPO")
    assert loaded.skipped == {"rejected: missing or empty": 1, "chosen: unclosed thinking": 1}


@pytest.mark.parametrize("card", [*datasets().values(), *pair_sets().values()], ids=lambda card: card.name)
def test_every_card_names_its_licence_source_and_revision(card) -> None:
    assert card.license and card.source and card.title and card.description and card.language
    assert card.clinical_use == "not for clinical use"
    if card.hub is None:
        assert "generated by lab.data" in card.source
        return
    assert card.citation and card.hub.columns and card.hub.files and card.hub.id in card.source
    pinned = len(card.hub.revision) == 40 and set(card.hub.revision) <= set("0123456789abcdef")
    assert pinned != bool(card.revision_note), "a commit hash, or a note that says why there is none"


@pytest.mark.parametrize("card", [*datasets().values(), *pair_sets().values()], ids=lambda card: card.name)
def test_every_card_stands_on_the_page_about_datasets(card) -> None:
    page = (Path(__file__).parents[2] / "docs" / "datasets.md").read_text()
    assert f"`{card.name}`" in page
    if card.hub is not None:
        assert card.hub.id in page and f"`{card.hub.revision}`" in page
        assert all(f"`{column}`" in page for column in card.hub.columns if column not in ("solution", "rejected"))
