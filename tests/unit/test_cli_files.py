"""`holdfast import` and `export` as people type them: what they see, and what goes wrong."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from holdfast.cli.exports import last_moment
from holdfast.cli.main import app
from tests.unit.test_cli_program import run


def write(folder: Path, *lines: str) -> str:
    path = folder / "file.csv"
    path.write_text("".join(f"{line}\n" for line in lines))
    return str(path)


def test_a_dry_run_tells_what_would_be_and_the_import_what_became(tmp_path: Path) -> None:
    path = write(tmp_path, "product_id,unit_price", "LAMP,12.50", "MUG,4,00", "PAN,1/2", "1E+05,1")
    here = ("--data", str(tmp_path / "data"))

    dry = run("import", "products", path, "--dry-run", *here)
    done = run("import", "products", path, *here, "--output", "json")
    exported = run("export", "products", *here)

    assert (dry.returncode, done.returncode, exported.returncode) == (1, 1, 0)
    assert "would be created  2" in dry.stdout
    assert "it has 3 columns instead of 2" in dry.stdout
    assert "'1E+05' is a number with an exponent" in dry.stdout
    report = json.loads(done.stdout)
    assert (report["lines"], report["created"], report["refused"]) == (4, 2, 2)
    assert (report["ok"], report["dry_run"]) == (False, False)
    assert [(one["line"], one["column"]) for one in report["problems"]] == [
        *((3, ""), (4, "unit_price"))
    ]
    assert [line.split(",")[0] for line in exported.stdout.splitlines()] == [
        *("product_id", "1E+05", "LAMP")
    ]


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("import", "stock", "none.csv"), 2, "none.csv: no such file"),
        (("import", "stock", "empty.csv"), 1, "empty.csv: there is nothing in it: 0 bytes"),
        (("import", "products", "empty.csv", "--again"), 2, "--again and --displace are for stock"),
        (("import", "products", "empty.csv", "--currency", "ZZZ"), 2, "no currency in use"),
        (("import", "stock", "empty.csv", "--locale", "xx"), 2, "'en-GB', 'en-US', 'de'"),
        (("export", "products", "--format", "xlsx"), 2, "a workbook needs a FILE"),
        (("export", "products", "file.txt"), 2, "ends in none of .csv, .jsonl, .ndjson, .xlsx"),
        (("export", "products", "nowhere/file.csv"), 2, "no such file or directory"),
        (("export", "orders", "--to", "31.3.2026"), 2, "write 2026-03-02"),
    ],
)
def test_what_goes_wrong_is_told_with_what_to_do(
    tmp_path: Path, words: tuple[str, ...], code: int, told: str
) -> None:
    (tmp_path / "empty.csv").write_bytes(b"")
    if words[0] == "export":
        run("migrate", "--data", str(tmp_path / "data"))
    at = tuple(str(tmp_path / word) if "." in word and "/" not in word else word for word in words)

    done = run(*(at if words[0] == "import" else words), "--data", str(tmp_path / "data"))

    assert done.returncode == code, done.stderr
    assert told in " ".join(done.stderr.replace("│", " ").split())


@pytest.mark.parametrize("command", ["import products", "replay"])
def test_a_pipe_is_refused_instead_of_waited_for(tmp_path: Path, command: str) -> None:
    pipe = tmp_path / "pipe.csv"
    os.mkfifo(pipe)

    done = run(*command.split(), str(pipe), "--data", str(tmp_path / "data"))

    assert done.returncode == 2, done.stderr
    assert "pipe.csv: no regular file, and it is read more than once: save it first" in done.stderr


def test_up_to_a_day_is_up_to_its_end_and_up_to_a_moment_counts_it() -> None:
    assert last_moment("2026-03-31") == datetime(2026, 4, 1, tzinfo=UTC)
    assert last_moment("2026-03-31T09:00Z") == datetime(2026, 3, 31, 9, 0, 0, 1, tzinfo=UTC)


@pytest.mark.parametrize("period", ["2026-03-02 2026-03-01", "2026-03-01T10:00 2026-03-01T09:59"])
def test_a_period_that_ends_before_it_begins_makes_no_file(tmp_path: Path, period: str) -> None:
    """By one day, there was nothing between them: the file was written anew, without an order."""
    path, (first, last) = tmp_path / "orders.csv", period.split()
    path.write_text("as it was")

    typed = ["export", "orders", str(path), "--from", first, "--to", last]
    result = CliRunner().invoke(app, typed)

    assert result.exit_code == 2
    assert "--to is before --from" in result.stderr
    assert path.read_text() == "as it was"
