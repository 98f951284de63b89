"""The command line: `python -m jobs …`."""

import sys

from jobs.cli.commands import main

if __name__ == "__main__":
    sys.exit(main())
