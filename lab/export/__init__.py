"""A variant as others use it: a folder that plain transformers loads, with a card that says what it is. No store."""
