"""The frame: pages are found, each answers at its own address, nothing names a foreign host."""

import re

import pytest
from fastapi.testclient import TestClient

from app import build_web
from lab.ui.shell import header, pages

PATHS = [page.href for page in pages()]


@pytest.fixture(scope="module")
def web(lab):
    with TestClient(build_web(lab.store, lab.settings)) as client:
        yield client


def test_pages_are_found_in_their_order_and_home_is_first():
    found = pages()
    assert found[0].path == "" and [page.order for page in found] == sorted(page.order for page in found)
    assert {"", "train", "jobs"} <= {page.path for page in found}
    assert len({page.path for page in found}) == len(found)


@pytest.mark.parametrize("path", PATHS)
def test_every_page_answers(web, path):
    answer = web.get(path)
    assert answer.status_code == 200 and "Trace Lab" in answer.text


@pytest.mark.parametrize("path", [*PATHS, "/rate/"])
def test_the_head_of_a_page_names_no_foreign_host(web, path):
    answer = web.get(path)
    markup = re.sub(r"<script>window\.gradio_config.*?</script>", "", answer.text, flags=re.S)
    assert not re.findall(r"""(?:src|href|content)=["'](?:https?:)?//(?!testserver)""", markup)
    assert "connect-src 'self'" in answer.headers["content-security-policy"]


def test_the_open_page_is_marked_in_the_navigation():
    found = pages()
    made = header(found[1], found)
    assert made.count('aria-current="page"') == 1 and f'href="{found[1].href}" aria-current="page"' in made


def test_without_a_login_there_is_no_way_out_to_show(web):
    assert "Log out" not in web.get("/").text


def test_the_public_demo_says_so_on_every_page():
    found = pages()
    assert "public demo" in header(found[0], found, space=True) and "public demo" not in header(found[0], found)
