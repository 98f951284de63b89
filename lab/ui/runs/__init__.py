"""The pieces of the Benchmarks page: the list of runs, one run's samples, two runs against each other, launching."""
