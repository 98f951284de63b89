"""Who may reach the researcher's pages: the gate in front of all their addresses, the log-in page, rate limits."""
