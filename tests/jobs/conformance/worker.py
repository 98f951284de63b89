"""`python -m tests.jobs.conformance.worker SLOTS`: a worker that looks often, as a process that a test can kill."""

import sys

from jobs.worker import run_worker
from jobs.worker_state import WorkerOptions
from storage.database import open_store
from tests.jobs.conformance.places import QUICK

if __name__ == "__main__":
    run_worker(open_store(), WorkerOptions(slots=int(sys.argv[1]), **QUICK))
