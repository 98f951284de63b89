"""Log in, log out: the cookie, where one is led to, how often one may try, what is written down."""

from __future__ import annotations

import logging

import pytest
from fastapi.testclient import TestClient

from lab.ui.access import login as login_module
from lab.ui.access.login import safe_next
from storage.database import open_store
from storage.queries.accounts import add_account
from tests.ui.access.conftest import COOKIE, NAME, PASSWORD, gated, log_in


@pytest.fixture
def gate(people) -> TestClient:
    """A gate of its own for each test: nothing was tried yet."""
    return gated(people, {"LAB_HOST": "0.0.0.0"})


def with_cookie(gate: TestClient, token: str) -> TestClient:
    """Another browser at the same gate, with this cookie."""
    other = TestClient(gate.app, follow_redirects=False)
    other.cookies.set(COOKIE, token)
    return other


def test_the_page_is_a_plain_form_with_labels_and_nothing_from_elsewhere(gate):
    answer = gate.get("/login?next=/jobs")
    assert answer.status_code == 200 and answer.headers["cache-control"] == "no-store"
    assert '<label for="name">' in answer.text and '<label for="password">' in answer.text
    assert 'name="next" value="/jobs"' in answer.text and 'autocomplete="current-password"' in answer.text
    assert "<script" not in answer.text and "//" not in answer.text.replace("http://www.w3.org/2000/svg", "")


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(gate):
    answer = log_in(gate, next="/jobs?id=3")
    assert (answer.status_code, answer.headers["location"]) == (303, "/jobs?id=3")
    flags = {part.strip().lower() for part in answer.headers["set-cookie"].split(";")}
    assert {"httponly", "samesite=lax", "path=/", f"max-age={7 * 24 * 3600}"} <= flags and "secure" not in flags
    assert PASSWORD not in answer.headers["set-cookie"]


def test_over_https_the_cookie_is_secure(gate):
    gate.base_url = "https://testserver"
    assert "secure" in log_in(gate).headers["set-cookie"].lower()


def test_a_wrong_password_and_an_unknown_name_are_answered_alike(gate):
    wrong, unknown = log_in(gate, password="not the password"), log_in(gate, name="nobody")
    assert wrong.status_code == unknown.status_code == 401
    assert wrong.text.replace(f'value="{NAME}"', "") == unknown.text.replace('value="nobody"', "")
    assert 'role="alert"' in wrong.text and "not the password" not in wrong.text
    assert "set-cookie" not in wrong.headers


def test_what_was_typed_comes_back_as_text(gate):
    assert "<b>" not in log_in(gate, name='"><b>x').text


def test_a_session_opens_every_page_and_its_name_goes_along(gate):
    log_in(gate)
    assert gate.get("/jobs").text == f"reached /jobs as {NAME}"
    assert gate.post("/gradio_api/queue/join").text == f"reached /gradio_api/queue/join as {NAME}"


def test_two_labs_of_one_machine_do_not_take_each_others_cookies(people):
    other = gated(people, {"LAB_HOST": "0.0.0.0", "LAB_PORT": "7861"})
    assert log_in(other).headers["set-cookie"].startswith("lab_session_7861=")


def test_names_are_written_in_any_case(gate):
    assert log_in(gate, name=f" {NAME.upper()} ").status_code == 303


def test_log_out_ends_the_session_for_a_copy_of_the_cookie_too(gate):
    log_in(gate)
    token = gate.cookies[COOKIE]
    answer = gate.post("/logout", headers={"origin": "http://testserver"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/login") and COOKIE not in gate.cookies
    assert with_cookie(gate, token).get("/config").status_code == 401


def test_a_new_log_in_ends_the_old_session_of_the_same_browser(gate):
    log_in(gate)
    old = gate.cookies[COOKIE]
    assert log_in(gate).status_code == 303 and gate.cookies[COOKIE] != old
    assert with_cookie(gate, old).get("/config").status_code == 401


def test_who_is_logged_in_is_led_on(gate):
    log_in(gate)
    assert gate.get("/login?next=/jobs").headers["location"] == "/jobs"


@pytest.mark.parametrize("target", [
    "//evil.example", "https://evil.example", "/\\evil.example", "/\t/evil.example", "\\\\evil.example", "javascript:x",
    "evil.example", "", "/login", "/logout?x=1", "http:/evil", "///evil.example", "/ /evil.example", "//[", "/\n/evil",
])
def test_no_log_in_leads_to_another_site(gate, target):
    assert safe_next(target) == "/"
    assert log_in(gate, next=target).headers["location"] == "/"


@pytest.mark.parametrize("target", ["/", "/jobs?id=3&tab=log", "/compare?ask=a%2F%2Fb", "/train#x"])
def test_a_page_of_the_lab_is_where_one_is_led_back_to(target):
    assert safe_next(target) == target


@pytest.fixture
def strict(people, monkeypatch) -> TestClient:
    """A gate where a name may be tried twice: hashing takes its time."""
    monkeypatch.setattr(login_module, "TRIES_OF_A_NAME", 2)
    return gated(people, {"LAB_HOST": "0.0.0.0"})


def test_a_name_can_be_tried_so_often_and_then_has_to_wait_even_with_the_right_password(strict):
    assert [log_in(strict, password="wrong").status_code for _ in range(3)] == [401, 401, 429]
    refused = log_in(strict)
    assert refused.status_code == 429 and "Wait 15 minutes" in refused.text
    assert int(refused.headers["retry-after"]) > 800


def test_an_address_can_try_so_many_names(gate, monkeypatch):
    monkeypatch.setattr(login_module, "log_in", lambda store, name, password: None)  # 30 hashes take seconds
    statuses = [log_in(gate, name=f"name{n}").status_code for n in range(login_module.TRIES_OF_AN_ADDRESS + 1)]
    assert statuses == [401] * login_module.TRIES_OF_AN_ADDRESS + [429]


def test_right_passwords_are_not_counted(strict):
    assert {log_in(strict).status_code for _ in range(4)} == {303}


def test_log_ins_are_logged_with_name_and_address_and_never_a_password(gate, caplog):
    with caplog.at_level(logging.INFO, "lab.access"):
        log_in(gate, password="a secret that is wrong")
        log_in(gate)
    assert [record.levelname for record in caplog.records if record.name == "lab.access"] == ["WARNING", "INFO"]
    assert "log-in failed: name 'ana' from testclient" in caplog.text
    assert "logged in: ana from testclient" in caplog.text
    assert "secret" not in caplog.text and PASSWORD not in caplog.text


@pytest.mark.parametrize(("kind", "body"), [
    ("application/json", b"{}"), ("application/x-www-form-urlencoded", b"name=" + b"x" * 20_000),
    ("application/x-www-form-urlencoded", b"\xff\xfe"), ("multipart/form-data; boundary=x", b"--x--"),
    ("application/x-www-form-urlencoded", b"&".join(b"a=%d" % n for n in range(50))),
])
def test_what_is_no_small_plain_form_is_not_read(gate, kind, body):
    assert gate.post("/login", content=body, headers={"content-type": kind}).status_code == 400


def test_a_store_that_is_away_lets_nobody_in_and_says_so(tmp_path):
    store = open_store(home=tmp_path / "home")
    add_account(store, NAME, PASSWORD)
    gate = gated(store, {"LAB_LOGIN": "on"})
    log_in(gate)
    store.close()
    (tmp_path / "home" / "lab.db").write_bytes(b"this is no database" * 400)
    for extra in tmp_path.glob("home/lab.db-*"):
        extra.unlink()
    answer = gate.get("/config")
    assert answer.status_code == 503 and "is damaged" in answer.json()["detail"]
    page = gate.get("/", headers={"accept": "text/html"})
    assert page.status_code == 503 and "is damaged" in page.text and "<h1>" in page.text
    assert log_in(gate).status_code == 503 and gate.get("/login").status_code == 503
    assert gate.post("/logout").status_code == 503
