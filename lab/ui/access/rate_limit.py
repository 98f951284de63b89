"""How often something may be tried: so many times a key within a sliding window, in bounded memory."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping
from ipaddress import IPv6Address, ip_address
from typing import Any


class RateLimit:
    """At most `limit` a key in any `window_s` seconds. Safe for several threads.

    Beyond `most_keys` the key that was used longest ago is forgotten: memory is bounded even when somebody tries from
    very many addresses.
    """

    def __init__(self, limit: int, window_s: float, clock: Callable[[], float] = time.monotonic,
                 most_keys: int = 10_000):
        self.limit, self.window_s = limit, window_s
        self._clock, self._most_keys = clock, most_keys
        self._times: OrderedDict[str, deque[float]] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, key: str) -> bool:
        """Count one, and say whether it is within the limit. One that is refused is not counted."""
        with self._lock:
            times = self._recent(key)
            if len(times) >= self.limit:
                return False
            times.append(self._clock())
            self._times[key] = times
            self._times.move_to_end(key)
            while len(self._times) > self._most_keys:
                self._times.popitem(last=False)
            return True

    def wait_s(self, key: str) -> float:
        """Seconds until `take` would count one again; 0: now. Counts nothing."""
        with self._lock:
            times = self._recent(key)
            return max(0.0, times[0] + self.window_s - self._clock()) if len(times) >= self.limit else 0.0

    def give_back(self, key: str) -> None:
        """The newest one counted does not count after all."""
        with self._lock:
            times = self._recent(key)
            if times:
                times.pop()

    def forget(self, key: str) -> None:
        """Nothing was counted of this key."""
        with self._lock:
            self._times.pop(key, None)

    def __len__(self) -> int:
        """Keys in memory."""
        return len(self._times)

    def _recent(self, key: str) -> deque[float]:
        """The key's times within the window, oldest first."""
        times = self._times.get(key, deque())
        while times and times[0] + self.window_s <= self._clock():
            times.popleft()
        return times


def client_key(scope: Mapping[str, Any]) -> str:
    """Where a request (its ASGI scope) comes from: an IPv4 address, or the first half of an IPv6 one."""
    host = (scope.get("client") or ("unknown", 0))[0]
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return host
    if not isinstance(address, IPv6Address):
        return str(address)
    return str(address.ipv4_mapped or f"{IPv6Address(int(address) >> 64 << 64)}/64")
