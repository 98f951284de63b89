"""The store's clock."""

from __future__ import annotations

from datetime import timedelta

from storage.clock import store_now
from storage.database import Store
from storage.tables import now


def test_the_stores_time_is_utc_and_goes_on_within_a_session(store: Store) -> None:
    with store.write() as session:
        first, second = store_now(session), store_now(session)
    assert first < second and first.utcoffset() == timedelta(0)
    assert abs(now() - second) < timedelta(minutes=1)  # the test's server is on this machine
