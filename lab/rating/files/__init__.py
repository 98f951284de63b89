"""The files of a round: what is written when results are open, and the bundles that go from one lab to another."""
