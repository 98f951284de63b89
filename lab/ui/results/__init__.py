"""The pieces of the Results page: reading a study's report, verdicts, plots and tables."""
