"""The tiny base, for every test of this folder."""

from tests.training.tiny import tiny, tiny_folder

__all__ = ["tiny", "tiny_folder"]
