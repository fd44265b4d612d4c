"""What our documents tell people to type works, and so do the examples."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from testbed.keys import OF_COMMANDS
from testbed.services import clear_environment, serves
from tests.e2e.conftest import System
from tests.e2e.fenced_blocks import Block, blocks_of
from tests.modes import mostly

ROOT = Path(__file__).parents[2]
DOCUMENTS = [
    path
    for path in sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
    if any(blocks_of(path.name, path.read_text()))
]
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
SERVICES = ("127.0.0.1:7001", "127.0.0.1:7002")
ADDRESSES = (*SERVICES, "127.0.0.1:7005", "127.0.0.1:7000")  # what the documents rely on
ADMIN = "127.0.0.1:7009"  # taken by `holdfast up`, too
BLOCK_S_MAX = 240
START_S_MAX = 60.0


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def a_stranger() -> dict[str, str]:
    """The environment of somebody who has read our documents, and no test."""
    return {name: text for name, text in clear_environment().items() if name not in OF_COMMANDS}


def run(block: Block, folder: Path) -> None:
    """Run it as one terminal would; what it exports is there for the next block."""
    exports = folder / ".exports"
    script = f"trap 'export -p > \"{exports}\"' EXIT\n{block.text}"
    program = [sys.executable, "-c"] if block.language == "python" else ["bash", "-euc"]
    before = f'source "{exports}"\n' if exports.exists() and block.language == "sh" else ""
    done = subprocess.run(
        [*program, before + script if block.language == "sh" else block.text],
        cwd=folder,
        env=a_stranger() | {"DATA": ""},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=BLOCK_S_MAX,
        check=False,
    )
    said = done.stdout + done.stderr
    assert done.returncode == block.exit_code, f"{block.where} ends with {done.returncode}:\n{said}"
    assert "Traceback" not in said, f"{block.where}:\n{said}"


def uses_make(block: Block) -> bool:
    return block.language == "sh" and block.text.startswith("make ")


def run_make(block: Block) -> None:
    """In the repository, since the Makefile is there; `make test` dry, since it runs this."""
    for line in block.text.splitlines():
        dry = ["-n"] if line.split()[1] == "test" else []
        done = subprocess.run(
            [*line.split(), *dry, "--no-print-directory"],
            cwd=ROOT,
            env={name: text for name, text in os.environ.items() if not name.startswith("MAKE")},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=BLOCK_S_MAX,
            check=False,
        )
        assert done.returncode == 0, f"{block.where}: {line}:\n{done.stdout}{done.stderr}"


@contextmanager
def in_background(block: Block, folder: Path) -> Iterator[None]:
    """Run it while the block runs, from when it serves; then Ctrl-C ends it, with exit code 0."""
    require_free_ports(block)
    with (folder / "background.log").open("w") as log:
        program = subprocess.Popen(
            ["bash", "-euc", f"exec {block.text}"],
            cwd=folder,
            env=a_stranger(),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        deadline = time.monotonic() + START_S_MAX
        while not all(map(serves, SERVICES)):
            said = (folder / "background.log").read_text()
            assert program.poll() is None, f"{block.where} has ended:\n{said}"
            assert time.monotonic() < deadline, f"{block.where} does not serve:\n{said}"
            time.sleep(0.1)
        yield
        program.send_signal(signal.SIGINT)
        assert program.wait(START_S_MAX) == 0
    finally:
        program.kill()
        program.wait()


def require_free_ports(block: Block) -> None:
    """Our documents use the default ports; wait for whoever has them now."""
    deadline = time.monotonic() + START_S_MAX
    while taken := [address for address in (*ADDRESSES, ADMIN) if is_taken(address)]:
        if time.monotonic() > deadline:
            pytest.fail(f"{block.where} needs {', '.join(taken)}, which another program uses")
        time.sleep(0.5)


def is_taken(address: str) -> bool:
    host, _, port = address.partition(":")
    with socket.socket() as probe:
        return probe.connect_ex((host, int(port))) == 0


@pytest.mark.timeout(600)
@pytest.mark.parametrize("document", DOCUMENTS, ids=named)
def test_what_a_document_tells_people_to_type_works(document: Path, tmp_path: Path) -> None:
    with ExitStack() as running:
        for block in blocks_of(named(document), document.read_text()):
            if block.is_background:
                running.enter_context(in_background(block, tmp_path))
            elif not uses_make(block):
                run(block, tmp_path)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("document", DOCUMENTS, ids=named)
def test_what_a_document_tells_people_to_make_is_made(document: Path) -> None:
    if not (ROOT / ".venv" / "ready").exists():
        pytest.skip("make would first set up an environment of its own: run `make test`")

    for block in blocks_of(named(document), document.read_text()):
        if uses_make(block):
            run_make(block)


@pytest.mark.timeout(120)
@pytest.mark.parametrize("example", EXAMPLES, ids=named)
@mostly("system", "embedded", "cluster")
def test_an_example_runs_as_often_as_one_likes(example: Path, system: System) -> None:
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, str(example)],
            env={**clear_environment(), **system.environment},
            capture_output=True,
            text=True,
            timeout=BLOCK_S_MAX,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout

    system.require_soundness()


def test_the_readme_is_run_from_its_first_order_to_its_last() -> None:
    """Whatever changes in the runner, the main path is not left out by accident."""
    text = "\n".join(one.text for one in blocks_of("README.md", (ROOT / "README.md").read_text()))

    for command in ("holdfast up", "holdfast product create", "holdfast order create", "make demo"):
        assert command in text


def test_a_remark_that_means_nothing_is_refused() -> None:
    with pytest.raises(AssertionError, match="nobody knows"):
        list(blocks_of("A.md", "<!-- rnus in the background -->\n```sh\nls\n```\n"))


def test_a_block_is_left_out_only_with_a_reason() -> None:
    text = "<!-- not run: it is slow -->\n```sh\na\n```\n\n```sh\nb\n```\n\n```\nc\n```\n"

    assert [(one.where, one.text) for one in blocks_of("A.md", text)] == [("A.md:6", "b\n")]
