"""What may go wrong with a remote endpoint, in sentences for the user; and its key, which is in none of them."""

from __future__ import annotations

import json
import os
import time
from email.utils import parsedate_to_datetime

import httpx

from lab.core.errors import LabError
from lab.core.types import ModelSource
from lab.engine.protocol import Trouble

MOST_PAUSE_S = 30.0  # of what an endpoint asks to wait
REFUSING = (400, 413, 422)  # of one request: a prompt that is too long, a filter
FLEETING = (408, 409, 425)  # besides every 5xx
BUSY = (429, 503, 529)
FLAGGED = ("moderation", "flagged", "content policy", "content_policy")  # in a 403 that is about the question


class EndpointError(LabError):
    """A fault of an endpoint, with what it means for whoever asks much of it."""

    def __init__(self, message: str, trouble: Trouble):
        super().__init__(message)
        self.trouble = trouble


def trouble_of(error: Exception) -> Trouble:
    """Of an answer that broke off or cannot be read: it may pass. Of what the lab itself refuses: it will not."""
    if isinstance(error, EndpointError):
        return error.trouble
    if isinstance(error, UnicodeEncodeError):  # half a character in the question: it cannot be sent
        return Trouble("refused")
    wrong_address = isinstance(error, LabError | httpx.UnsupportedProtocol | httpx.InvalidURL)
    return Trouble("settings") if wrong_address else Trouble("passing")


def trouble_with(response: httpx.Response) -> Trouble:
    """By the status of a refusal, whose body has been read: 402 (nothing left to pay with) is settings, as 401, 403 and
    404 are; but a 403 of a moderated question is that question's alone."""
    status = response.status_code
    if status in BUSY:
        return Trouble("passing", busy=True, wait_s=asked_wait_s(response))
    if status in FLEETING or status >= 500:
        return Trouble("passing", wait_s=asked_wait_s(response))
    flagged = status == 403 and any(word in response.text.lower() for word in FLAGGED)
    return Trouble("refused" if status in REFUSING or flagged else "settings")


def asked_wait_s(response: httpx.Response) -> float | None:
    """Retry-After, in seconds or as a date; None where there is none, or none that can be read."""
    asked = response.headers.get("retry-after", "").strip()
    if asked.replace(".", "", 1).isdecimal():
        return float(asked)
    try:
        return max(0.0, parsedate_to_datetime(asked).timestamp() - time.time())
    except ValueError:
        return None


def key_headers(source: ModelSource) -> dict[str, str]:
    """LabError when the endpoint needs a key and the environment has none."""
    if not source.key_env:
        return {}
    if not (key := os.environ.get(source.key_env, "").strip()):
        raise LabError(f"'{source.label}' needs a key: set {source.key_env} in the environment the lab starts in")
    if not (key.isascii() and key.isprintable()):
        raise LabError(f"the key in {source.key_env} holds a sign that no key has (the end of a line, a typographic "
                       "quote): set it anew")
    return {"Authorization": f"Bearer {key}"}


def wait_s(response: httpx.Response, pause_s: float) -> float:
    asked = asked_wait_s(response)
    return pause_s if asked is None else min(asked, MOST_PAUSE_S)


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


def broken(source: ModelSource, error: Exception) -> str:
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
        return f"no endpoint answers at {source.url}: is it running, and is the address right?"
    if isinstance(error, httpx.TimeoutException | TimeoutError):
        return f"the endpoint at {source.url} did not answer in time; it may be busy. Try again."
    return f"the connection to the endpoint at {source.url} broke ({type(error).__name__})"
