"""What the Jobs page shows: the list, one job's detail, and what a reason of failure means for the reader."""
