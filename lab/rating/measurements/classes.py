"""All measurements as classes, for `evaluate.combine([Readability(), Words()])`. Importing this takes seconds."""

from lab.rating.measurements.perplexity.perplexity import Perplexity
from lab.rating.measurements.readability.readability import Readability
from lab.rating.measurements.repetition.repetition import Repetition
from lab.rating.measurements.words.words import Words

__all__ = ["Perplexity", "Readability", "Repetition", "Words"]
