"""What the environment decides: where things are kept, where the page listens, whether a worker runs here."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from lab.core.errors import Fault, SpecError

WHERE = ("process", "in-process")
BACKENDS = ("lab", "vllm")  # what may stand behind an engine, as its spec names it
PRECISIONS = ("auto", "bf16", "fp32", "4bit")  # of an engine's weights, as its spec names them
LOGINS = ("auto", "on", "off")  # auto: as soon as the page listens on more than this machine's own address


@dataclass(frozen=True)
class Settings:
    """One reading of the environment. `space` is the read-only demo mode of a public Hugging Face Space."""

    home: Path
    database_url: str = field(repr=False)  # it may hold a password
    host: str
    port: int
    worker: bool
    slots: int
    space: bool
    min_free_mib: int = 200  # a job does not start with less room on the disk
    chat_slots: int = 2  # interactive services at the same time on a machine without GPUs
    gpus: bool = True  # lease the machine's GPUs if it has some
    warm: bool = True  # keep a process with the imports done, from which jobs are forked
    grace_s: int = 120  # how long a job that is told to end may take to save
    most_losses: int = 3  # a job that is lost so often without getting further fails
    price_per_gpu_hour: float = 0  # 0: cost is told in hours only
    country: str = ""  # ISO 3166 alpha-3, for the grid's CO2; "": not told, the world's average
    grid_g_per_kwh: float | None = None  # CO2 of the electricity used; None: the country's
    engine: str = "process"  # in-process: answers come from the web process itself, as on Hugging Face ZeroGPU
    zero_gpu: bool = False  # Hugging Face lends a GPU call by call
    engine_backend: str = "lab"
    engine_precision: str = "auto"
    pue: float = 1.0  # power usage effectiveness of the place: all energy it takes, over that of its computers
    login: str = "auto"

    @property
    def is_loopback(self) -> bool:
        """Whether the page can be reached from this machine only."""
        if self.host == "localhost":
            return True
        try:
            return ip_address(self.host).is_loopback
        except ValueError:  # a name: nobody knows where it leads to
            return False

    @property
    def needs_login(self) -> bool:
        """Whether the researcher's pages stand behind a login. `off` opens them on a loopback address alone."""
        return not self.space and (self.login == "on" or not self.is_loopback)

    @classmethod
    def from_env(cls, env: Mapping[str, str] | None = None) -> Settings:
        """Read every LAB_… variable of the README's table, PORT, SPACE_ID and SPACES_ZERO_GPU. All faults together."""
        env = os.environ if env is None else env
        home = Path(env.get("LAB_HOME") or ".lab").expanduser().absolute()
        space = bool(env.get("SPACE_ID"))
        faults: list[Fault] = []
        port = _number(env, "LAB_PORT" if env.get("LAB_PORT") else "PORT", 7860, 65535, faults)
        slots = _number(env, "LAB_SLOTS", default_slots(), 64, faults)
        min_free_mib = _number(env, "LAB_MIN_FREE_MIB", 200, 10**9, faults, least=0)
        worker, gpus, warm = (_switch(env, name, faults) for name in ("LAB_WORKER", "LAB_GPUS", "LAB_WARM"))
        chat_slots = _number(env, "LAB_CHAT_SLOTS", 2, 64, faults)
        grace_s = _number(env, "LAB_GRACE_S", 120, 24 * 3600, faults)
        most_losses = _number(env, "LAB_MOST_LOSSES", 3, 1000, faults)
        price = _decimal(env, "LAB_PRICE_PER_GPU_HOUR", Bounds(0, 10**6, "a price such as 2.50"), faults) or 0
        grid = _decimal(env, "LAB_GRID_G_PER_KWH", Bounds(0, 2000, "grams of CO2 per kWh such as 56"), faults)
        pue = _decimal(env, "LAB_PUE", Bounds(1, 5, "from 1 to 5, such as 1.2"), faults) or 1.0
        country = _country(env, faults)
        engine = _engine(env, faults)
        login = _choice(env, "LAB_LOGIN", LOGINS, "auto", faults)
        if faults:
            raise SpecError(faults, "environment")
        return cls(
            home=home,
            database_url=env.get("LAB_DATABASE_URL") or f"sqlite:///{home / 'lab.db'}",
            host=env.get("LAB_HOST") or ("0.0.0.0" if space else "127.0.0.1"),
            port=port,
            worker=worker, slots=slots, space=space, min_free_mib=min_free_mib, chat_slots=chat_slots, gpus=gpus,
            warm=warm, grace_s=grace_s, most_losses=most_losses, price_per_gpu_hour=price,
            country=country, grid_g_per_kwh=grid, pue=pue, login=login, **engine,
        )


def default_slots() -> int:
    """Jobs at the same time on a machine without GPUs: two if there are two cores.

    The embedded bases are too small for two threads to help one job: two jobs of one thread finish twice as much.
    """
    return min(2, len(os.sched_getaffinity(0)))


def _switch(env: Mapping[str, str], name: str, faults: list[Fault]) -> bool:
    text = (env.get(name) or "on").lower()
    if text not in ("on", "off"):
        faults.append(Fault(name, f"should be on or off (got {text!r})", text))
    return text != "off"


def _engine(env: Mapping[str, str], faults: list[Fault]) -> dict[str, Any]:
    zero_gpu = (env.get("SPACES_ZERO_GPU") or "").lower() in ("1", "t", "true")  # as Hugging Face reads it
    return {
        "zero_gpu": zero_gpu,
        "engine": _choice(env, "LAB_ENGINE", WHERE, WHERE[zero_gpu], faults),
        "engine_backend": _choice(env, "LAB_ENGINE_BACKEND", BACKENDS, "lab", faults),
        "engine_precision": _choice(env, "LAB_ENGINE_PRECISION", PRECISIONS, "auto", faults),
    }


def _choice(
    env: Mapping[str, str], name: str, choices: tuple[str, ...], default: str, faults: list[Fault]
) -> str:
    text = (env.get(name) or default).lower()
    if text not in choices:
        faults.append(Fault(name, f"should be one of {', '.join(choices)} (got {text!r})", text))
    return text


def _number(env: Mapping[str, str], name: str, default: int, most: int, faults: list[Fault], *, least: int = 1) -> int:
    text = env.get(name) or str(default)
    if text.isdigit() and least <= int(text) <= most:
        return int(text)
    faults.append(Fault(name, f"should be a whole number from {least} to {most} (got {text!r})", text))
    return default


@dataclass(frozen=True)
class Bounds:
    """What a decimal number may be; `right` says it in words."""

    least: float
    most: float
    right: str


def _decimal(env: Mapping[str, str], name: str, bounds: Bounds, faults: list[Fault]) -> float | None:
    """None when it is not set, or wrong."""
    text = env.get(name)
    if not text:
        return None
    try:
        if bounds.least <= float(text) < bounds.most:
            return float(text)
    except ValueError:
        pass
    faults.append(Fault(name, f"should be {bounds.right} (got {text!r})", text))
    return None


def _country(env: Mapping[str, str], faults: list[Fault]) -> str:
    text = env.get("LAB_COUNTRY") or ""
    if text and not (len(text) == 3 and text.isascii() and text.isalpha()):
        faults.append(Fault("LAB_COUNTRY", f"should be a country's three letters such as CHE (got {text!r})", text))
    return text.upper()
