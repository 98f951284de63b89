"""The pieces of the Ratings page: the list of rounds, one round whole, its results, and where things stand."""
