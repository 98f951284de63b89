"""LAB_DATABASE_URL: what it may say, and that its password is never shown."""

from __future__ import annotations

import pytest

from lab.core.errors import LabError
from storage.address import parse, shown

SECRET = "s3cr3t"


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_each_way_to_write_postgresql_means_psycopg(scheme: str) -> None:
    assert parse(f"{scheme}://u:{SECRET}@host/lab").drivername == "postgresql+psycopg"


@pytest.mark.parametrize(("url", "words"), [
    (f"postgresql://u:p@{SECRET}@host/lab", "more than one @"),
    (f"postgresql+psycopg2://u:{SECRET}@host/lab", "the driver psycopg2; the lab has psycopg"),
    (f"postgresql://u:{SECRET}@host:port/lab", "are written %40 and %25"),
    (f"mysql://u:{SECRET}@host/lab", "SQLite or PostgreSQL, not in mysql"),
    (f"{SECRET} and nothing else", "no database's address"),
])
def test_an_address_that_cannot_be_used_says_what_to_write_and_shows_no_password(url: str, words: str) -> None:
    with pytest.raises(LabError) as caught:
        parse(url)
    assert words in str(caught.value) and SECRET not in str(caught.value)


def test_a_shown_address_has_user_host_and_database_and_no_secret() -> None:
    assert shown(parse(f"postgresql://u:{SECRET}@host:5433/lab")) == "postgresql://u@host:5433/lab"
    assert shown(parse(f"postgresql://u@host/lab?password={SECRET}&sslmode=require")) == "postgresql://u@host/lab"
    assert shown(parse("sqlite:////folder/lab.db")) == "/folder/lab.db"
