"""The embedded teacher: a scripted solver of the lab's own demo problems. It is no language model, and knows nothing
else.

It makes real mistakes at set rates, so that a search has something to search: an arithmetic line goes wrong and the
error is carried to the end. Every dataset it helped to make says so.
"""
