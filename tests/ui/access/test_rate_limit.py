"""So many tries a key within a sliding window, in bounded memory."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from lab.ui.access.rate_limit import RateLimit, client_key


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_the_window_slides(clock):
    limit = RateLimit(2, 10, clock)
    assert limit.take("a")
    clock.now += 6
    assert limit.take("a") and not limit.take("a") and limit.wait_s("a") == pytest.approx(4)
    clock.now += 4
    assert limit.wait_s("a") == 0 and limit.take("a") and not limit.take("a")
    assert limit.wait_s("a") == pytest.approx(6)


def test_a_refused_try_does_not_make_the_wait_longer(clock):
    limit = RateLimit(1, 10, clock)
    limit.take("a")
    clock.now += 9
    assert not limit.take("a")
    clock.now += 1
    assert limit.take("a")


def test_keys_do_not_share(clock):
    limit = RateLimit(1, 10, clock)
    assert limit.take("a") and limit.take("b") and not limit.take("a")


def test_what_is_given_back_or_forgotten_does_not_count(clock):
    limit = RateLimit(2, 10, clock)
    assert limit.take("a") and limit.take("a")
    limit.give_back("a")
    assert limit.take("a") and not limit.take("a")
    limit.forget("a")
    limit.give_back("a")
    assert limit.take("a") and limit.take("a") and not limit.take("a")


def test_memory_is_bounded_and_the_key_used_longest_ago_goes_first(clock):
    limit = RateLimit(1, 10, clock, most_keys=100)
    for n in range(1000):
        assert limit.take(f"key {n}")
    assert len(limit) == 100 and not limit.take("key 950") and limit.take("key 3")


def test_asking_how_long_to_wait_keeps_nothing(clock):
    limit = RateLimit(1, 10, clock)
    assert limit.wait_s("a") == 0 and len(limit) == 0


def test_threads_never_get_more_than_the_limit():
    limit = RateLimit(50, 60)
    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(lambda _: limit.take("a"), range(400))) == 50


@pytest.mark.parametrize(("client", "key"), [
    (("10.1.2.3", 5), "10.1.2.3"), (("2001:db8:1:2:3:4:5:6", 5), "2001:db8:1:2::/64"), (("tester", 1), "tester"),
    (("::ffff:10.1.2.3", 5), "10.1.2.3"), (("fe80::1%eth0", 5), "fe80::/64"), (None, "unknown"),
])
def test_where_a_request_comes_from(client, key):
    assert client_key({"client": client}) == key
