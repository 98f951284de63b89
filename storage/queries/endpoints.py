"""Remote models: an OpenAI-compatible endpoint under a name, asked like any other model as 'remote:<name>'.

Only the name of the environment variable that holds a key is stored, never a key: the store is backed up and shared.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

from sqlmodel import Session, col, select

from lab.bases.cards import bases
from lab.core.errors import Fault, LabError, SpecError, nearest
from lab.core.types import ModelSource
from storage.tables import Endpoint, Variant

PREFIX = "remote:"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")
VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]{0,79}")
# How keys of well-known providers begin (OpenAI, Anthropic, Hugging Face, Groq, NVIDIA, Google, AWS, GitHub), and any
# long run of characters that no variable's name is.
KEY = re.compile(r"(sk|pk|rk)-|hf_|gsk_|nvapi-|xai-|AIza|AKIA|gh[pousr]_|Bearer\s|eyJ|(?=.*[a-z])(?=.*\d)\S{20,}")


@dataclass(frozen=True)
class EndpointPlan:
    """What a person says of an endpoint."""

    name: str
    url: str
    model: str
    key_env: str = ""
    notes: str = ""


def add_endpoint(session: Session, plan: EndpointPlan) -> Endpoint:
    """Store an endpoint. SpecError with all faults; no request is made."""
    faults = _faults(session, plan)
    if faults:
        raise SpecError(faults, "endpoint")
    made = Endpoint(name=plan.name.strip(), url=normal_url(plan.url), model=plan.model.strip(),
                    key_env=plan.key_env.strip(), notes=plan.notes.strip())
    session.add(made)
    session.flush()
    return made


def list_endpoints(session: Session) -> list[Endpoint]:
    """By name."""
    return list(session.exec(select(Endpoint).order_by(col(Endpoint.name))))


def get_endpoint(session: Session, name: str) -> Endpoint:
    """By name, with or without 'remote:'; LabError with the nearest name."""
    name = name.strip().removeprefix(PREFIX)
    found = session.exec(select(Endpoint).where(Endpoint.name == name)).first()
    if found is None:
        raise LabError(f"there is no endpoint '{name}'. {nearest(name, session.exec(select(Endpoint.name)))} Add one "
                       f"with `python -m jobs endpoints add {name} URL --model NAME`.", "spec")
    return found


def remove_endpoint(session: Session, name: str) -> None:
    """What was measured or said with it stays."""
    session.delete(get_endpoint(session, name))
    session.flush()


def endpoint_source(endpoint: Endpoint) -> ModelSource:
    """What asks the endpoint. Its base is its own name: no card has it."""
    return ModelSource(
        ref=PREFIX + endpoint.name, label=endpoint.name, base=endpoint.name, kind="remote", arm="base",
        url=endpoint.url, remote_model=endpoint.model, key_env=endpoint.key_env,
    )


def normal_url(url: str) -> str:
    """Up to and with the API's version, without a slash at its end: 'http://host:8000' → 'http://host:8000/v1'.

    A path is kept as given ('https://host/openai/v1'); only an address without any gets the usual /v1. LabError unless
    it is a plain http(s) address.
    """
    try:
        parts = urlsplit(url.strip())
        parts.port  # noqa: B018  raises for a port that is no number
    except ValueError:
        raise LabError("this is no address; write http://host:port/v1", "spec") from None
    if parts.scheme.lower() not in ("http", "https") or not parts.hostname:
        raise LabError("should begin with http:// or https:// and name a host: http://127.0.0.1:8000/v1", "spec")
    if parts.username or parts.password:
        raise LabError("should hold no user or password: name the variable that holds the key (--key-env)", "spec")
    if parts.query or parts.fragment:
        raise LabError("should end with its path (no ? and no #), such as http://127.0.0.1:8000/v1", "spec")
    path = parts.path.rstrip("/").removesuffix("/chat/completions").removesuffix("/completions")
    return urlunsplit((parts.scheme.lower(), parts.netloc.lower(), path or "/v1", "", ""))


def _faults(session: Session, plan: EndpointPlan) -> list[Fault]:
    faults = [Fault("name", text, plan.name) for text in _name_faults(session, plan.name.strip())]
    try:
        normal_url(plan.url)
    except LabError as error:
        faults.append(Fault("url", str(error)))  # without the value: it may hold a password
    if not plan.model.strip():
        faults.append(Fault("model", "should be the name under which the endpoint serves the model", plan.model))
    return faults + _key_faults(plan.key_env.strip())


def _name_faults(session: Session, name: str) -> list[str]:
    if not NAME.fullmatch(name):
        return [f"should have 1 to 80 letters, digits, '.', '_' or '-', the first a letter or digit (got '{name}')"]
    if name in bases():
        return [f"'{name}' is a base already; choose another name"]
    for table, what in ((Variant, "a variant"), (Endpoint, "an endpoint")):
        if session.exec(select(table.id).where(table.name == name)).first() is not None:
            return [f"'{name}' is {what} already; choose another name"]
    return []


def _key_faults(key_env: str) -> list[Fault]:
    """A key's own text is not repeated: faults are logged."""
    if not key_env or VARIABLE.fullmatch(key_env) and not KEY.match(key_env):
        return []
    if KEY.match(key_env):
        return [Fault("key_env", "this looks like a key itself. Keys are never stored: put it into an environment "
                                 "variable and name that, such as OPENAI_API_KEY")]
    return [Fault("key_env", "should be the name of an environment variable, in capitals, such as OPENAI_API_KEY")]
