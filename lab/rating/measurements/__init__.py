"""The lab's automatic figures of a text as `evaluate` modules, a folder each, for `evaluate.load` and `combine`.

Nothing is fetched. They wrap `lab.rating.text_measures` and `lab.rating.perplexity`; the lab's jobs do not use them,
because importing `evaluate` takes seconds.

    evaluate.load(measurement_path("readability"), module_type="measurement")  # a path: nothing is looked up
    from lab.rating.measurements.classes import Readability  # for evaluate.combine([Readability(), …])
"""

from __future__ import annotations

from pathlib import Path

from lab.core.errors import UnknownName

NAMES = ("readability", "repetition", "words", "perplexity")


def measurement_path(name: str) -> str:
    """The folder of a measurement, as `evaluate.load` takes it. UnknownName for a name that is not among `NAMES`."""
    if name not in NAMES:
        raise UnknownName("measurement", name, NAMES)
    return str(Path(__file__).parent / name)
