"""What a result was measured on: without it, no figure means anything."""

import os
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path

LIBRARIES = ("grpcio", "protobuf", "asyncpg", "aio-pika", "uvloop")
_RABBITMQ = Path("/usr/lib/rabbitmq/lib")


def machine() -> dict[str, object]:
    """The machine and the versions of what runs on it."""
    return {
        "cpu": _cpu_model(),
        "cores": os.cpu_count(),
        "memory_gb": round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9, 1),
        "kernel": platform.release(),
        "python": platform.python_version(),
        **{name: version(name) for name in LIBRARIES},
        "postgresql": _last_word(_newest(Path("/usr/lib/postgresql"), "*/bin/postgres")),
        "rabbitmq": next(
            (p.name.partition("-")[2] for p in _RABBITMQ.glob("rabbitmq_server-*")), ""
        ),
        "sqlite": _sqlite(),
    }


def commit() -> str:
    """The commit that was measured; `-dirty` if it was changed since."""
    command = ["git", "describe", "--always", "--dirty", "--exclude=*"]
    done = subprocess.run(
        command, cwd=Path(__file__).parent, capture_output=True, text=True, check=False
    )
    return done.stdout.strip()


def load_average() -> float:
    """How many processes wanted to run in the last minute, other people's included."""
    return round(os.getloadavg()[0], 2)


def _cpu_model() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _newest(folder: Path, pattern: str) -> str:
    programs = sorted(folder.glob(pattern))
    if not programs:
        return ""
    return subprocess.run(
        [programs[-1], "--version"], capture_output=True, text=True, check=True
    ).stdout


def _last_word(text: str) -> str:
    words = [word for word in text.split() if word[0].isdigit()]
    return words[0] if words else ""


def _sqlite() -> str:
    import sqlite3

    return sqlite3.sqlite_version
