"""Remote endpoints in a real store: their names, addresses, and that no key is ever kept."""

from __future__ import annotations

import pytest

from lab.core.errors import LabError, SpecError
from storage.database import Store
from storage.queries.endpoints import (
    EndpointPlan,
    add_endpoint,
    get_endpoint,
    list_endpoints,
    normal_url,
    remove_endpoint,
)
from storage.queries.studies import model_source
from storage.tables import Job, Variant

URL = "http://127.0.0.1:8000/v1"


def add(store: Store, **plan) -> None:
    with store.write() as session:
        add_endpoint(session, EndpointPlan(**{"name": "big", "url": URL, "model": "qwen"} | plan))


def test_an_endpoint_is_a_model_source(store: Store) -> None:
    add(store, name="big-70b.v2", key_env="BIG_KEY", notes="in the cellar")
    with store.read() as session:
        source = model_source(session, store.home, "remote:big-70b.v2")
        assert get_endpoint(session, "remote:big-70b.v2").notes == "in the cellar"
    assert (source.kind, source.ref, source.label, source.base) == ("remote", "remote:big-70b.v2", "big-70b.v2",
                                                                    "big-70b.v2")
    assert (source.url, source.remote_model, source.key_env, source.arm, source.folder) == (
        URL, "qwen", "BIG_KEY", "base", None)


def test_endpoints_are_listed_by_name_and_removed(store: Store) -> None:
    add(store, name="b")
    add(store, name="a")
    with store.write() as session:
        assert [one.name for one in list_endpoints(session)] == ["a", "b"]
        remove_endpoint(session, "a")
    with store.read() as session, pytest.raises(LabError, match="no endpoint 'a'.*Known: b"):
        model_source(session, store.home, "remote:a")


@pytest.mark.parametrize(("given", "kept"), [
    ("http://host:8000", "http://host:8000/v1"), ("http://host:8000/", "http://host:8000/v1"),
    ("HTTPS://Host/v1/", "https://host/v1"), ("https://host/openai/v1", "https://host/openai/v1"),
    (" http://host/v1/chat/completions ", "http://host/v1"), ("http://[::1]:80/v1", "http://[::1]:80/v1"),
])
def test_an_address_is_kept_up_to_its_version_and_without_a_slash(given: str, kept: str) -> None:
    assert normal_url(given) == kept


@pytest.mark.parametrize("url", [
    "", "host:8000", "ftp://host/v1", "javascript:alert(1)", "http://", "http://user:pass@host/v1", "http://host/v1?k=1",
    "http://host:port/v1", "file:///etc/passwd", "http://host/v1#x",
])
def test_what_is_no_plain_web_address_is_refused(store: Store, url: str) -> None:
    with pytest.raises(SpecError, match="url: ") as caught:
        add(store, url=url)
    assert "pass" not in str(caught.value).replace("password", "").replace("passwd", "")


@pytest.mark.parametrize("name", ["", "two words", "a/b", "remote:x", "-x", "ä", "x" * 81, "<b>"])
def test_a_name_is_plain(store: Store, name: str) -> None:
    with pytest.raises(SpecError, match="name: should have 1 to 80 letters"):
        add(store, name=name)


def test_a_name_means_one_thing_only(store: Store) -> None:
    with store.write() as session:
        job = Job(uid="a" * 12, kind="sft", name="x")
        session.add(job)
        session.flush()
        session.add(Variant(name="taught", job_id=job.id, base="demo-llama", dataset="d", target="trace", method="lora",
                            seed=0, folder="f"))
    add(store)
    for name, what in (("demo-llama", "a base"), ("taught", "a variant"), ("big", "an endpoint")):
        with pytest.raises(SpecError, match=f"name: '{name}' is {what} already"):
            add(store, name=name)


@pytest.mark.parametrize("key", [
    "sk-abcdefghijklmnop", "sk-proj-AbC123", "hf_AbCdEfGhIj", "gsk_x1y2", "AIzaSyD3", "AKIAIOSFODNN7EXAMPLE",
    "Bearer abc", "0123456789abcdef0123456789abcdef", "ghp_abc",
])
def test_a_key_itself_is_refused_and_not_repeated(store: Store, key: str) -> None:
    with pytest.raises(SpecError, match="key_env: this looks like a key itself") as caught:
        add(store, key_env=key)
    assert key not in str(caught.value) and all(fault.value is None for fault in caught.value.faults)


@pytest.mark.parametrize("key_env", ["openai_key", "MY KEY", "1KEY", "$KEY", "KEY=x"])
def test_a_variable_has_a_variables_name(store: Store, key_env: str) -> None:
    with pytest.raises(SpecError, match="key_env: should be the name of an environment variable"):
        add(store, key_env=key_env)


def test_all_faults_are_told_at_once(store: Store) -> None:
    with pytest.raises(SpecError) as caught:
        add(store, name="a b", url="x", model=" ", key_env="a")
    assert [fault.field for fault in caught.value.faults] == ["name", "url", "model", "key_env"]
