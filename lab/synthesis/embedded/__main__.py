"""`python -m lab.synthesis.embedded --port 8123` serves the embedded teacher as an OpenAI-compatible endpoint."""

from __future__ import annotations

import argparse
import threading

from lab.core.errors import LabError
from lab.synthesis.embedded.backend import solver_engine
from lab.synthesis.embedded.settings import Settings


def main() -> None:
    rates = {name: info for name, info in Settings.model_fields.items() if name != "seed"}
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free port")
    parser.add_argument("--latency-ms", type=float, default=0.0, help="milliseconds before each reply")
    parser.add_argument("--seed", type=int, default=0)
    for name, info in rates.items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=float, default=info.default)
    given = vars(parser.parse_args())
    try:
        settings = Settings(seed=given["seed"], **{name: given[name] for name in rates})
    except ValueError as error:
        parser.error(str(error))
    try:
        with solver_engine(settings, given["latency_ms"] / 1000, given["port"]) as url:
            print(f"{url}/v1", flush=True)
            threading.Event().wait()
    except KeyboardInterrupt:
        pass
    except LabError as error:
        parser.exit(1, f"{error}\n")


if __name__ == "__main__":
    main()
