"""Values that cost time, kept for as long as they are asked for: the newest few, by all that they depend on."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Kept(Generic[Value]):
    """At most `size` values. Two pages that ask for the same one at once work it out once."""

    def __init__(self, size: int):
        self.size = size
        self._values: OrderedDict[Hashable, Value] = OrderedDict()
        self._lock = Lock()
        self._making: dict[Hashable, Lock] = {}

    def of(self, key: Hashable, make: Callable[[], Value]) -> Value:
        """The value of `key`, made now if it is not there. What `make` raises is not kept."""
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
                return self._values[key]
            mine = self._making.setdefault(key, Lock())
        with mine:  # who asks for something else does not wait
            with self._lock:
                if key in self._values:
                    return self._values[key]
            return self._kept(key, make())

    def _kept(self, key: Hashable, value: Value) -> Value:
        with self._lock:
            self._values[key] = value
            self._making.pop(key, None)
            while len(self._values) > self.size:
                self._values.popitem(last=False)
        return value
