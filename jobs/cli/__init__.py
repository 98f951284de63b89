"""The command line's rooms: one small file for each group of commands."""
