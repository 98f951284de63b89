"""The Data page: what datasets there are, one of them row by row, and how new ones are made."""
