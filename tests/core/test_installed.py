"""Versions of what is installed."""

from __future__ import annotations

import platform
from importlib import metadata

from lab.core.installed import versions_of


def test_versions_are_those_of_the_metadata_and_what_is_not_here_is_left_out():
    assert versions_of(["pydantic", "no-such-package"]) == {
        "python": platform.python_version(), "pydantic": metadata.version("pydantic")}
