"""`endpoints`: remote models by name. Keys stay in the environment; only the variable's name is stored."""

from __future__ import annotations

import argparse
import json
from contextlib import closing

from jobs.cli.text import aligned, as_dict
from lab.core.errors import LabError
from storage.database import open_store
from storage.queries.endpoints import (
    PREFIX,
    EndpointPlan,
    add_endpoint,
    endpoint_source,
    get_endpoint,
    list_endpoints,
    remove_endpoint,
)

NONE = "No endpoint. `python -m jobs endpoints add NAME URL --model M --key-env VAR` adds one."


def list_all(options: argparse.Namespace) -> int:
    with open_store().read() as session:
        found = list_endpoints(session)
    if options.json:
        print(json.dumps([as_dict(endpoint) for endpoint in found]))
        return 0
    rows = [[PREFIX + one.name, one.url, one.model, one.key_env or "–", one.notes] for one in found]
    print(aligned(("model", "address", "serves it as", "key in", "notes"), rows) if rows else NONE)
    return 0


def add(options: argparse.Namespace) -> int:
    plan = EndpointPlan(options.name, options.url, options.model, options.key_env, options.notes)
    with open_store().write() as session:
        made = add_endpoint(session, plan)
    print(f"{PREFIX}{made.name} is asked at {made.url}; `python -m jobs endpoints check {made.name}` tries it")
    return 0


def remove(options: argparse.Namespace) -> int:
    with open_store().write() as session:
        remove_endpoint(session, options.name)
    print(f"{options.name} is removed; what it answered stays")
    return 0


def check(options: argparse.Namespace) -> int:
    """Exit 0 when the endpoint answers and serves the model."""
    from lab.engine.remote import RemoteModels

    with open_store().read() as session:
        source = endpoint_source(get_endpoint(session, options.name))
    with closing(RemoteModels(timeout_s=20.0)) as models:
        served = models.served(source)
    if source.remote_model not in served:
        known = ", ".join(served) or "none"
        raise LabError(f"{source.url} answers, but serves no model '{source.remote_model}'. It serves: {known}")
    print(f"{source.ref} answers: {source.url} serves {source.remote_model}")
    return 0
