"""A lab without a login, on its own machine or as the public demo: other sites' pages get nothing of it either."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lab.core.settings import Settings
from tests.ui.access.conftest import gated


@pytest.fixture
def asking(people):
    """`asking(env, name)`: a gate with these settings, asked under this name."""
    return lambda env=None, name="localhost:7860": gated(people, env or {}, name)


def test_the_labs_own_pages_and_programs_are_let_through(asking):
    lab = asking()
    assert lab.get("/jobs").text == "reached /jobs as None"
    assert lab.post("/x", headers={"origin": "http://localhost:7860"}).status_code == 200
    assert lab.post("/x").status_code == 200  # no browser


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://localhost:8888", "http://127.0.0.1:7860"])
def test_a_page_of_another_site_can_neither_start_nor_read_anything(asking, origin):
    lab = asking()
    assert lab.post("/x", headers={"origin": origin}).status_code == 403
    assert lab.get("/config", headers={"origin": origin}).status_code == 403


@pytest.mark.parametrize("name", ["127.0.0.1:7860", "[::1]:7860", "localhost", "lab.localhost:7860", "testserver"])
def test_this_machines_own_names_are_answered(asking, name):
    assert asking(name=name).get("/").status_code == 200


@pytest.mark.parametrize("name", ["evil.example:7860", "10.0.0.7:7860", "lab.hospital.example", "127.0.0.1.x.example"])
def test_a_foreign_name_that_leads_here_is_refused_in_words(asking, name):
    refused = asking(name=name).get("/", headers={"accept": "text/html"})
    assert refused.status_code == 403 and "LAB_LOGIN=on" in refused.text and "<h1>" in refused.text


def test_raters_may_come_by_any_name_and_the_decision_for_no_login_is_obeyed(asking):
    assert asking(name="lab.hospital.example").get("/rate/abc").status_code == 200
    assert asking({"LAB_LOGIN": "off"}, "lab.hospital.example").get("/").status_code == 200


def test_the_public_demo_takes_everybody(asking):
    demo = asking({"SPACE_ID": "who/lab"}, "who-lab.hf.space")
    assert demo.get("/").status_code == 200
    assert demo.post("/x", headers={"origin": "https://huggingface.co"}).status_code == 200


def test_there_is_nothing_to_log_in_to(asking):
    lab = asking()
    assert lab.get("/login").headers["location"] == "/" and lab.post("/logout").headers["location"] == "/"
    answer = lab.post("/login", data={"name": "a", "password": "b"})
    assert answer.status_code == 303 and "set-cookie" not in answer.headers


@pytest.mark.parametrize(("env", "needed"), [
    ({}, False), ({"LAB_HOST": "0.0.0.0"}, True), ({"LAB_HOST": "127.0.0.1", "LAB_LOGIN": "on"}, True),
    ({"LAB_HOST": "::1"}, False), ({"LAB_HOST": "::"}, True), ({"LAB_HOST": "lab.example"}, True),
    ({"LAB_HOST": "0.0.0.0", "LAB_LOGIN": "off"}, True), ({"SPACE_ID": "x"}, False), ({"LAB_HOST": "127.0.0.2"}, False),
])
def test_a_login_is_needed_as_soon_as_others_can_come(env, needed):
    settings = Settings.from_env(env)
    assert settings.needs_login is needed and replace(settings, space=True).needs_login is False
