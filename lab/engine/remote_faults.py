"""What may go wrong with a remote endpoint, in sentences for the user; and its key, which is in none of them."""

from __future__ import annotations

import json
import os

import httpx

from lab.core.errors import LabError
from lab.core.types import ModelSource

MOST_PAUSE_S = 30.0  # of what an endpoint asks to wait


def key_headers(source: ModelSource) -> dict[str, str]:
    """LabError when the endpoint needs a key and the environment has none."""
    if not source.key_env:
        return {}
    if not (key := os.environ.get(source.key_env, "").strip()):
        raise LabError(f"'{source.label}' needs a key: set {source.key_env} in the environment the lab starts in")
    return {"Authorization": f"Bearer {key}"}


def wait_s(response: httpx.Response, pause_s: float) -> float:
    asked = response.headers.get("retry-after", "")
    return min(float(asked), MOST_PAUSE_S) if asked.replace(".", "", 1).isdigit() else pause_s


def wants_key(source: ModelSource, status: int) -> LabError:
    """Without the endpoint's own words: what it says about a key may repeat it."""
    cure = "name the environment variable that holds its key in the endpoint's settings"
    if source.key_env:
        cure = f"set the environment variable {source.key_env} to a key it accepts"
    return LabError(f"the endpoint at {source.url} wants another key ({status}): {cure}")


def reason(text: str) -> str:
    """The endpoint's own words, short."""
    try:
        told = json.loads(text)
        error = told.get("error", told)
        text = str(error.get("message") or error.get("detail") or text) if isinstance(error, dict) else str(error)
    except (ValueError, AttributeError):
        pass
    return text[:300] or "it gave no reason"


def without_key(text: str, source: ModelSource) -> str:
    key = os.environ.get(source.key_env, "").strip() if source.key_env else ""
    return text.replace(key, "(key)") if key else text


def broken(source: ModelSource, error: httpx.HTTPError) -> str:
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
        return f"no endpoint answers at {source.url}: is it running, and is the address right?"
    if isinstance(error, httpx.TimeoutException):
        return f"the endpoint at {source.url} did not answer in time; it may be busy. Try again."
    return f"the connection to the endpoint at {source.url} broke ({type(error).__name__})"
