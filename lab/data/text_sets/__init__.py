"""One file per set of texts: a module registers by having a `TEXTS`."""
