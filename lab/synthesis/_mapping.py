"""The map job: rows are drawn, embedded, and laid out by PCA and t-SNE of scikit-learn, which nothing else loads.

N: rows. D: width of a vector. K: principal components.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse import issparse
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE, trustworthiness
from sklearn.neighbors import NearestNeighbors

from lab.core.context import Context, Stopped
from lab.core.errors import LabError
from lab.data.noted import read_noted
from lab.engine.word_vectors import WordVectors
from lab.synthesis.mapping import Drawn, draw_rows, heads, notes_of, perplexity_for, points, text_of
from lab.synthesis.specs import MapSpec

FEWEST = 5  # rows: of fewer neither method says anything
COMPONENTS = 50  # that t-SNE looks at: noise of the others aside, and distances that are quick to take
AT_ONCE = 256  # texts between two looks at whether to stop
NEIGHBOURS = 10
MOST_CHECKED = 2000  # rows whose neighbours are compared: it takes all distances


@dataclass(frozen=True)
class Embedded:
    """(N, D) vectors of length one, dense or sparse, and what made them. `why`: why it is not what was asked for."""

    vectors: Any
    used: str
    identity: str
    why: str = ""


@dataclass(frozen=True)
class Principal:
    """(N, K) coordinates, and the share of the variance that each axis has."""

    coordinates: np.ndarray
    explained: np.ndarray


def make_map(spec: MapSpec, context: Context) -> dict[str, Any]:
    """artifacts/map.json, and its figures. Raises Stopped between two steps."""
    started = time.perf_counter()
    data = read_noted(spec.dataset)
    drawn = draw_rows(data.rows, spec.per_group, spec.seed)
    if len(drawn.rows) < FEWEST:
        raise LabError(f"dataset '{spec.dataset}' has {len(drawn.rows)} rows; a map needs {FEWEST} or more", "data")
    embedded = embed([text_of(row) for row in drawn.rows], spec, context)
    laid = _layouts(spec, embedded, context)
    trust = {name: _trust(embedded.vectors, places, drawn, spec.seed) for name, (places, _) in laid.items()}
    notes = notes_of(spec, drawn, embedded.why)
    context.save("map.json", {
        "dataset": spec.dataset, "fingerprint": data.fingerprint, "n_rows": len(drawn.rows), "n_read": len(data.rows),
        "seed": spec.seed, "grouped_by": drawn.grouped_by,
        "embedder": {"asked": spec.embedder, "used": embedded.used, "identity": embedded.identity,
                     "why": embedded.why},
        "groups": [vars(group) for group in drawn.groups], "texts": heads(drawn),
        "points": {name: points(drawn, places) for name, (places, _) in laid.items()},
        "method": {name: told for name, (_, told) in laid.items()}, "trust": trust, "notes": notes,
    })
    return {
        "n_rows": len(drawn.rows), "n_groups": len(drawn.groups), "embedder": embedded.used,
        "fell_back": bool(embedded.why), "methods": {name: told for name, (_, told) in laid.items()}, "trust": trust,
        "notes": notes, "seconds": time.perf_counter() - started,
    }


def embed(texts: Sequence[str], spec: MapSpec, context: Context) -> Embedded:
    """By the encoder; by tfidf where that is asked for, or where a hub's encoder cannot be had and falling back is
    allowed. A folder of one's own that is no encoder is an error either way."""
    why = ""
    if spec.embedder != "tfidf":
        try:
            return _encoded(texts, spec.embedder, context)
        except LabError as error:
            if not spec.fall_back or Path(spec.embedder).expanduser().exists():
                raise
            why = str(error)
            context.log(f"tfidf stands in for {spec.embedder}: {why}")
    context.progress(0, len(texts), f"weighing the words of {len(texts)} texts")
    embedder = WordVectors()
    weighed = embedder.space(embedder.vectors(texts)).examples.astype(np.float64)
    return Embedded(weighed, "tfidf", embedder.identity, why)


def _encoded(texts: Sequence[str], name: str, context: Context) -> Embedded:
    from lab.engine._embedding import Encoder

    context.progress(0, len(texts), f"loading {name}")
    encoder, made = Encoder(name, "cls"), []
    for start in range(0, len(texts), AT_ONCE):
        _heed(context)
        made.append(encoder.vectors(texts[start : start + AT_ONCE]))
        context.progress(min(start + AT_ONCE, len(texts)), len(texts), "texts embedded")
    return Embedded(np.concatenate(made).astype(np.float64), name, encoder.identity)


def _layouts(spec: MapSpec, embedded: Embedded, context: Context) -> dict[str, tuple[np.ndarray, dict[str, Any]]]:
    """Method → ((N, 2) places, what was done)."""
    n, laid = embedded.vectors.shape[0], {}
    _heed(context)
    context.progress(n, n, "principal components")
    found = principal(embedded.vectors, spec.seed)
    if spec.method != "tsne":
        told = {"explained": [round(float(share), 6) for share in found.explained[:2]],
                "components": found.coordinates.shape[1]}
        laid["pca"] = found.coordinates[:, :2], told
    if spec.method != "pca":
        _heed(context)
        context.progress(n, n, f"t-SNE, {spec.steps} steps")
        laid["tsne"] = neighbour_map(found.coordinates, spec)
    return laid


def principal(vectors: Any, seed: int) -> Principal:
    """The first components of (N, D) vectors. LabError where they do not differ."""
    if issparse(vectors):
        vectors = vectors[:, np.unique(vectors.indices)]  # of half a million columns most are empty
    n, width = vectors.shape
    count = min(COMPONENTS, n - 1, width - 1)
    if count < 2 or _variance(vectors) < 1e-12:
        raise LabError("the rows hardly differ in their words: there is nothing to draw a map of", "data")
    # Implicit centring: a sparse matrix stays one. Its solver begins at a vector that the seed decides.
    solver = PCA(count, svd_solver="arpack" if issparse(vectors) else "full", random_state=seed)
    coordinates = solver.fit_transform(vectors)
    return Principal(coordinates, solver.explained_variance_ratio_)


def neighbour_map(coordinates: np.ndarray, spec: MapSpec) -> tuple[np.ndarray, dict[str, Any]]:
    """t-SNE of (N, K) coordinates: (N, 2) places, and what was done. The same seed, the same map."""
    perplexity = perplexity_for(spec.perplexity, len(coordinates))
    method = TSNE(2, perplexity=perplexity, max_iter=spec.steps, init="pca", random_state=spec.seed)
    places = method.fit_transform(coordinates)
    return places, {
        "perplexity": perplexity, "asked_perplexity": spec.perplexity, "steps": int(method.n_iter_) + 1,
        "kl": round(float(method.kl_divergence_), 4), "on": f"the first {coordinates.shape[1]} principal components",
    }


def _trust(vectors: Any, places: np.ndarray, drawn: Drawn, seed: int) -> dict[str, float | int]:
    """How far the map can be believed: trustworthiness (Venna and Kaski 2001; 1: neighbours on the map are neighbours
    indeed, .5: chance), and how many of a point's nearest are of its group."""
    n = len(places)
    some = np.sort(np.random.default_rng(seed).permutation(n)[:MOST_CHECKED])
    near = min(NEIGHBOURS, (len(some) - 1) // 2)
    value = trustworthiness(vectors[some], places[some], n_neighbors=near)
    looked = NearestNeighbors(n_neighbors=min(NEIGHBOURS, n - 1)).fit(places).kneighbors(return_distance=False)
    names = np.asarray(drawn.names)
    same = (names[looked] == names[:, None]).mean()
    return {"trustworthiness": round(float(value), 4), "same_group": round(float(same), 4),
            "chance": round(drawn.chance, 4), "n": len(some)}


def _variance(vectors: Any) -> float:
    squares = vectors.multiply(vectors) if issparse(vectors) else vectors**2
    means = np.asarray(vectors.mean(axis=0)).ravel()
    return float(squares.sum() / vectors.shape[0] - (means**2).sum())


def _heed(context: Context) -> None:
    if context.stop_requested():
        raise Stopped("nothing is kept: a map is drawn in one go")
