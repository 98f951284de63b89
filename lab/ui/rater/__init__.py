"""The rater's own app, mounted apart from the researcher's: all visitors of a Blocks can read its whole config."""
