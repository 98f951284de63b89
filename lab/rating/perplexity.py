"""Perplexity of a text under a loaded model: exp of the mean negative log-likelihood of its tokens.

Alone, a text stands behind the token that begins a text. After a question it is what the assistant says to it in the
model's own chat template, its thought closed first where the template opens one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import exp
from typing import Any

from lab.core.errors import LabError
from lab.engine.likelihood import LikelihoodRequest

TOO_LONG = "do not fit into"  # in the engine's words for a text that its context cannot hold


def perplexities(
    engine: Any, label: str, asked: Sequence[tuple[str, str]], batch_size: int
) -> Iterator[list[tuple[int, float | None]]]:
    """(place in `asked`, perplexity) in batches. `asked`: (question, or "" for none, text). None: no token to weigh, or
    more of them than the model's context holds.

    `engine` is a `LoadedBase`.
    """
    closed = engine.closed_thought(label)
    for start in range(0, len(asked), batch_size):
        some = range(start, min(start + batch_size, len(asked)))
        requests = {place: _request(label, *asked[place], closed) for place in some if asked[place][1].strip()}
        found = dict.fromkeys(some) | _weighed(engine, requests, batch_size)
        yield list(found.items())


def _request(label: str, question: str, text: str, closed: str) -> LikelihoodRequest:
    if not question:
        return LikelihoodRequest(label, (text.strip(),))
    return LikelihoodRequest(label, (text.strip(),), messages=({"role": "user", "content": question},), suffix=closed)


def _weighed(engine: Any, requests: dict[int, LikelihoodRequest], batch_size: int) -> dict[int, float | None]:
    """One text that is too long leaves the others of its batch as they are."""
    places, found = list(requests), dict[int, float | None]()
    try:
        for batch in engine.likelihoods(list(requests.values()), batch_size):
            found |= {places[at]: exp(-one.logprobs[0] / one.n_tokens[0]) for at, one in batch}
    except LabError as error:
        if TOO_LONG not in str(error):
            raise
        if len(requests) == 1:
            return {places[0]: None}
        return {place: value for at in places
                for place, value in _weighed(engine, {at: requests[at]}, 1).items()}
    return found
