"""The commands that read databases themselves, where these are none of ours."""

from pathlib import Path

import pytest

from holdfast.home import SERVICES
from tests.unit.test_cli_commands import holdfast
from tests.unit.test_client_network import Network, network

__all__ = ["network"]


@pytest.mark.parametrize("command", ["verify", "dead-letters list", "dead-letters replay --all"])
def test_a_folder_without_databases_ends_with_3(
    network: Network, tmp_path: Path, command: str
) -> None:
    result = holdfast(network, *command.split(), "--data", str(tmp_path))

    assert result.exit_code == 3
    assert str(tmp_path) in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_databases_are_named_by_urls_that_we_know(network: Network) -> None:
    result = holdfast(
        network, "verify", "--orders-db", "mysql://db", "--inventory-db", "mysql://db"
    )

    assert result.exit_code == 2
    assert "postgresql://" in result.stderr


@pytest.mark.parametrize(
    ("contents", "why"),
    [(b"", "schema none"), (b"no database" * 500, "file is not a database")],
    ids=["empty", "another file"],
)
@pytest.mark.parametrize("command", ["verify", "dead-letters list"])
def test_files_that_are_no_databases_of_ours_are_told_and_end_with_4(
    network: Network, tmp_path: Path, command: str, contents: bytes, why: str
) -> None:
    for service in SERVICES:
        (tmp_path / f"{service}.db").write_bytes(contents)

    result = holdfast(network, *command.split(), "--data", str(tmp_path))

    assert result.exit_code == 4
    assert why in result.stderr


@pytest.mark.parametrize("days", ["-1", "1e9"])
def test_events_are_kept_for_a_number_of_days_that_can_be(network: Network, days: str) -> None:
    assert holdfast(network, "verify", "--kept-days", days).exit_code == 2
