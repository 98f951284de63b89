"""The map: who is drawn, what PCA and t-SNE make of groups that are known, what is said where it cannot be as asked."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_matrix, hstack
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.preprocessing import normalize

from lab.core.context import MemoryContext, Stopped
from lab.core.errors import LabError
from lab.core.spec import load_spec
from lab.core.types import Example, Pair
from lab.data.jsonl import write_rows
from lab.data.noted import NotedRow
from lab.data.pair_rows import write_pairs
from lab.engine._embedding import Encoder
from lab.engine.word_vectors import HALF, WordVectors
from lab.synthesis import _mapping
from lab.synthesis._mapping import make_map, neighbour_map, principal
from lab.synthesis.mapping import NONE, TASK, Drawn, Group, draw_rows, perplexity_for
from lab.synthesis.specs import MapSpec
from tests.engine.test_embedding import folder  # noqa: F401  the small encoder

WORDS = {
    "Cardiology": "heart valve artery murmur rhythm atrial ventricle pressure pulse aorta stent beta".split(),
    "Neurology": "brain stroke seizure nerve tremor reflex migraine cortex gait spinal myelin axon".split(),
    "Nephrology": "kidney urine dialysis glomerulus creatinine filtrate tubule ureter protein stone renal".split(),
}


def questions(n: int = 30, seed: int = 0) -> list[tuple[str, str]]:
    """(department, question) of three departments, each with words of its own among words of all."""
    draw = random.Random(seed)
    return [(name, " ".join(draw.choices(own, k=8) + draw.choices(("patient", "years", "what", "with"), k=4)))
            for name, own in WORDS.items() for _ in range(n)]


def noted(departments: list[str], subjects: list[str] | None = None) -> list[NotedRow]:
    subjects = subjects or [""] * len(departments)
    return [NotedRow(Example(id=f"q{i}", question=f"Q{i}?", answer="a", gold="a", subject=subject),
                     {"department": name} if name else {}, i)
            for i, (name, subject) in enumerate(zip(departments, subjects, strict=True), start=1)]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """90 rows of three departments, shuffled."""
    found = questions()
    random.Random(1).shuffle(found)
    rows = [Example(id=f"q{i}", question=text, answer="Answer: 1", gold="1", verifier="numeric")
            for i, (_, text) in enumerate(found)]
    write_rows(tmp_path / "rows.jsonl", rows, [{"department": name} for name, _ in found])
    return tmp_path / "rows.jsonl"


def drawn_map(data: Path, **more: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """(the result, the map's file)."""
    spec = MapSpec(**{"dataset": str(data), "embedder": "tfidf", "steps": 500, **more})
    context = MemoryContext(data.parent / "artifacts")
    return make_map(spec, context), json.loads((context.folder / "map.json").read_text())


def test_rows_are_drawn_by_department_or_else_by_subject() -> None:
    by_department = draw_rows(noted(["A", "B", "A", "", "None"], ["x"] * 5), 10, 0)
    assert by_department.grouped_by == "department"
    assert by_department.groups == (Group("A", 2, 2), Group(NONE, 2, 2), Group("B", 1, 1))
    by_subject = draw_rows(noted([""] * 3, ["x", "y", "x"]), 10, 0)
    assert (by_subject.grouped_by, by_subject.names) == ("subject", ("x", "y", "x"))


def test_who_is_drawn_follows_from_the_seed_and_the_ids_alone() -> None:
    rows = noted(["A"] * 40 + ["B"] * 5)
    first = draw_rows(rows, 10, 4)
    assert first.groups == (Group("A", 10, 40), Group("B", 5, 5)) and len(first.rows) == 15
    again = draw_rows(rows[::-1], 10, 4)
    more = draw_rows([*rows, *(row._replace(row=row.row.model_copy(update={"id": f"c{row.id}"}),
                                            notes={"department": "C"}, position=100 + row.position) for row in rows)],
                     10, 4)
    assert {row.id for row in again.rows} == {row.id for row in first.rows} <= {row.id for row in more.rows}
    assert {row.id for row in draw_rows(rows, 10, 5).rows} != {row.id for row in first.rows}
    assert [row.position for row in first.rows] == sorted(row.position for row in first.rows)


def test_chance_is_how_often_two_rows_are_of_one_group() -> None:
    drawn = Drawn((None,) * 4, ("A", "A", "A", "B"), (Group("A", 3, 3), Group("B", 1, 1)), "subject")  # type: ignore
    assert drawn.chance == pytest.approx(6 / 12)  # ordered pairs of the three, of all twelve


@pytest.mark.parametrize("sparse", [False, True])
def test_principal_components_are_those_of_a_plain_decomposition(sparse: bool) -> None:
    values = np.random.default_rng(0).normal(size=(40, 12)) * np.arange(1, 13)
    values[values < 0] = 0
    centred = values - values.mean(axis=0)
    left, sizes, _ = np.linalg.svd(centred, full_matrices=False)
    found = principal(csr_matrix(values) if sparse else values, seed=1)
    count = found.coordinates.shape[1]
    assert count == 11
    np.testing.assert_allclose(np.abs(found.coordinates), np.abs(left[:, :count] * sizes[:count]), atol=1e-8)
    np.testing.assert_allclose(found.explained, (sizes**2 / (sizes**2).sum())[:count], atol=1e-10)


def test_the_weighed_vectors_are_those_of_scikit_learn() -> None:
    texts = [text for _, text in questions(5)] + ["", "heart"]
    counts = WordVectors().vectors(texts)
    halves = [TfidfTransformer().fit_transform(half) for half in (counts[:, :HALF], counts[:, HALF:])]
    theirs, ours = normalize(hstack(halves)), WordVectors().space(counts).examples
    np.testing.assert_allclose(ours.toarray(), theirs.toarray(), atol=1e-6)


def test_groups_that_are_far_apart_stay_apart_and_neighbours_stay_neighbours() -> None:
    """Three clusters in 20 dimensions: each point's nearest on the map are of its own, in the space too."""
    random_state = np.random.default_rng(3)
    centres = random_state.normal(scale=20, size=(3, 20))
    values = np.concatenate([centre + random_state.normal(size=(40, 20)) for centre in centres])
    names = np.repeat(np.arange(3), 40)
    places, told = neighbour_map(values, MapSpec(steps=500, perplexity=15))
    distances = np.linalg.norm(places[:, None] - places[None], axis=-1)
    np.fill_diagonal(distances, np.inf)
    nearest = np.argsort(distances, axis=1)[:, :10]
    assert (names[nearest] == names[:, None]).mean() == 1.0
    assert told["perplexity"] == 15 and told["kl"] > 0 and 250 <= told["steps"] <= 500


def test_the_map_shows_the_departments_and_says_how_far_it_can_be_believed(data: Path) -> None:
    result, found = drawn_map(data)
    assert result["n_rows"] == found["n_rows"] == found["n_read"] == 90 and result["n_groups"] == 3
    assert found["grouped_by"] == "department" and {group["name"] for group in found["groups"]} == set(WORDS)
    for method in ("pca", "tsne"):
        assert len(found["points"][method]) == 90 and found["points"][method][0].keys() == {"id", "group", "x", "y"}
        trust = found["trust"][method]
        assert trust["same_group"] > 0.9 and trust["chance"] == pytest.approx(29 / 89, abs=1e-4)
        assert trust["trustworthiness"] > 0.6 and trust["n"] == 90
    assert found["texts"]["q0"] and set(found["texts"]) == {point["id"] for point in found["points"]["pca"]}
    shares = found["method"]["pca"]["explained"]
    assert 1 > shares[0] >= shares[1] > 0 and found["embedder"]["used"] == "tfidf" and not result["fell_back"]


def test_the_same_seed_draws_the_same_map(data: Path) -> None:
    (_, first), (_, again), (_, other) = (drawn_map(data, seed=seed, per_group=25) for seed in (4, 4, 5))
    assert first == again and set(first["texts"]) != set(other["texts"])


@pytest.mark.parametrize(("method", "drawn"), [("pca", {"pca"}), ("tsne", {"tsne"}), ("both", {"pca", "tsne"})])
def test_only_the_methods_that_are_asked_for_are_drawn(data: Path, method: str, drawn: set[str]) -> None:
    _, found = drawn_map(data, method=method)
    assert set(found["points"]) == set(found["method"]) == set(found["trust"]) == drawn


def test_few_points_lower_the_perplexity_and_the_map_says_so(data: Path) -> None:
    _, found = drawn_map(data, per_group=10)
    assert found["n_rows"] == 30 and found["method"]["tsne"]["perplexity"] == pytest.approx(29 / 3)
    assert "30 points allow a perplexity of 9.66667, not 25" in found["notes"]
    assert "3 groups have more than 10 rows: of each so many were drawn by the seed" in found["notes"]
    assert perplexity_for(25, 1000) == 25


def test_too_few_steps_are_told(data: Path) -> None:
    """After 250 steps the map of three clear groups is no better than chance."""
    _, found = drawn_map(data, steps=250, method="tsne")
    assert any(note.startswith("250 steps are few") for note in found["notes"])
    assert found["trust"]["tsne"]["same_group"] < 0.9
    assert not any("are few" in note for note in drawn_map(data, per_group=10)[1]["notes"])


def test_an_encoder_that_cannot_be_had_is_replaced_and_that_is_said(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lab.engine._embedding.cached", lambda name, revision: None)

    def offline(name: str, revision: str | None) -> Path:
        raise LabError("the hub cannot be reached", "data")

    monkeypatch.setattr("lab.engine._embedding.fetched", offline)
    result, found = drawn_map(data, embedder="BAAI/bge-large-en-v1.5", method="pca")
    assert result["fell_back"] and found["embedder"]["asked"] == "BAAI/bge-large-en-v1.5"
    assert found["embedder"]["used"] == "tfidf" and "cannot be reached" in found["embedder"]["why"]
    assert found["notes"][0].startswith("tfidf stands in for BAAI/bge-large-en-v1.5: ")
    with pytest.raises(LabError, match="cannot be reached"):
        drawn_map(data, embedder="BAAI/bge-large-en-v1.5", fall_back=False)


def test_an_encoder_of_ones_own_draws_the_map(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch  # noqa: F811
) -> None:
    """Texts in several batches, each with the vector that it has alone."""
    draw = random.Random(2)
    texts = [" ".join(draw.choices("fever cough days rash pain leg".split(), k=6)) for _ in range(70)]
    rows = [Example(id=f"q{i}", question=text, answer="a", gold="a") for i, text in enumerate(texts)]
    write_rows(tmp_path / "rows.jsonl", rows)
    monkeypatch.setattr(_mapping, "AT_ONCE", 32)
    result, found = drawn_map(tmp_path / "rows.jsonl", embedder=str(folder), method="pca")
    assert (result["embedder"], result["fell_back"], found["embedder"]["why"]) == (str(folder), False, "")
    expected = principal(Encoder(str(folder), "cls").vectors(texts).astype(np.float64), 4).coordinates[:, :2]
    places = [[point["x"], point["y"]] for point in found["points"]["pca"]]
    np.testing.assert_allclose(np.abs(places), np.abs(expected), atol=1e-3)


def test_a_folder_of_ones_own_that_is_no_encoder_is_an_error(data: Path) -> None:
    with pytest.raises(LabError, match="no config.json"):
        drawn_map(data, embedder=str(data.parent))


def test_pairs_are_drawn_by_their_questions(tmp_path: Path) -> None:
    pairs = [Pair(id=f"p{i}", question=text, chosen="x", rejected="y", subject=name)
             for i, (name, text) in enumerate(questions(5))]
    write_pairs(tmp_path / "pairs.jsonl", pairs)
    _, found = drawn_map(tmp_path / "pairs.jsonl")
    assert found["n_rows"] == 15 and found["trust"]["pca"]["same_group"] > found["trust"]["pca"]["chance"]


@pytest.mark.parametrize(("texts", "words"), [
    (["one", "two", "three", "four"], "4 rows; a map needs 5"), (["the same"] * 6, "hardly differ"),
])
def test_too_few_or_equal_rows_make_no_map(tmp_path: Path, texts: list[str], words: str) -> None:
    rows = [Example(id=f"q{i}", question=text, answer="a", gold="a") for i, text in enumerate(texts)]
    write_rows(tmp_path / "rows.jsonl", rows)
    with pytest.raises(LabError, match=words):
        drawn_map(tmp_path / "rows.jsonl")


def test_five_rows_are_enough(tmp_path: Path) -> None:
    rows = [Example(id=f"q{i}", question=text, answer="a", gold="a") for i, (_, text) in enumerate(questions(2)[:5])]
    write_rows(tmp_path / "rows.jsonl", rows)
    _, found = drawn_map(tmp_path / "rows.jsonl")
    assert len(found["points"]["tsne"]) == 5 and np.isfinite([point["x"] for point in found["points"]["tsne"]]).all()


def test_a_stop_is_heard(data: Path) -> None:
    spec = MapSpec(dataset=str(data), embedder="tfidf")
    with pytest.raises(Stopped):
        make_map(spec, MemoryContext(data.parent / "artifacts", stop=True))
    assert not (data.parent / "artifacts" / "map.json").exists()


def test_an_encoder_needs_memory_and_tfidf_does_not() -> None:
    assert TASK.needs(MapSpec()).memory_mib > 1000 and TASK.needs(MapSpec(embedder="tfidf")).memory_mib == 0
    assert load_spec(MapSpec, {"dataset": "demo-medical"}).perplexity == 25
