"""`holdfast user`: what it asks, prints, and never shows."""

import json
import subprocess
import sys
from datetime import UTC, datetime

import pytest
from typer.testing import CliRunner, Result

from holdfast.cli.main import app
from holdfast.contracts.identity.v1 import keys_pb2, users_pb2
from tests.unit.test_client_network import Network, network

__all__ = ["network"]  # a fixture

PASSWORD = "a lamp for the window"
NOON = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)


def user() -> users_pb2.User:
    made = users_pb2.User(name="ann", grants=["support"])
    made.create_time.FromDatetime(NOON)
    return made


def holdfast(network: Network, *arguments: str, typed: str = "") -> Result:
    env = {"HOLDFAST_ORDERS": network.address}
    return CliRunner().invoke(app, arguments, env=env, input=typed)


@pytest.mark.parametrize(
    ("options", "typed"),
    [
        (["--password-stdin"], f"{PASSWORD}\r\nwhat follows\n"),
        ([], f"{PASSWORD}\n{PASSWORD}\n"),
        ([], f"{PASSWORD}\nanother one\n{PASSWORD}\n{PASSWORD}\n"),
    ],
)
def test_a_password_is_read_from_standard_input_or_asked_until_it_is_twice_the_same(
    network: Network, options: list[str], typed: str
) -> None:
    network.answer("CreateUser", user())

    result = holdfast(network, "user", "create", "ann", "--role=support", *options, typed=typed)

    (request,) = network.asked(users_pb2.CreateUserRequest)
    assert (request.name, list(request.grants), request.password) == ("ann", ["support"], PASSWORD)
    assert result.exit_code == 0
    assert result.stdout.endswith("ann can sign in as support\n")
    assert PASSWORD not in result.output


def test_that_nothing_came_is_said_and_nothing_asked(network: Network) -> None:
    result = holdfast(network, "user", "password", "ann", "--password-stdin")

    assert result.exit_code == 2
    assert "nothing came" in result.stderr


@pytest.mark.parametrize(
    ("typed", "wanted"),
    [
        ("lock ann", users_pb2.UpdateUserRequest(name="ann", locked=True)),
        ("unlock ann", users_pb2.UpdateUserRequest(name="ann", locked=False)),
        (
            "role ann --role viewer --role orders:write",
            users_pb2.UpdateUserRequest(name="ann", grants=["viewer", "orders:write"]),
        ),
    ],
)
def test_a_user_is_changed_as_it_is_typed_and_not_otherwise(
    network: Network, typed: str, wanted: users_pb2.UpdateUserRequest
) -> None:
    network.answer("UpdateUser", user())

    result = holdfast(network, "user", *typed.split(), "--output=json")

    assert network.asked(users_pb2.UpdateUserRequest) == [wanted]
    assert json.loads(result.stdout)["name"] == "ann"


def test_users_are_listed_and_a_key_is_printed_for_who_signs_in(network: Network) -> None:
    users = users_pb2.ListUsersResponse(users=[user()])
    network.answer("ListUsers", users, users)
    key = keys_pb2.Key(key_id="k-1", name="ann", user="ann")
    signed_in = users_pb2.SignInResponse(key=key, text="hf_live_x", device="d")
    network.answer("SignIn", signed_in, signed_in)

    listed = holdfast(network, "user", "list")
    told = holdfast(network, "user", "list", "--output", "json")
    asked = holdfast(network, "user", "sign-in", "ann", typed=f"{PASSWORD}\n")
    piped = holdfast(network, "user", "sign-in", "ann", "--password-stdin", typed=PASSWORD)

    assert "support" in listed.stdout
    assert json.loads(told.stdout)[0]["lock_time"] is None
    assert piped.stdout == "hf_live_x\n"
    assert asked.stdout.endswith("hf_live_x\n")
    assert [one.password for one in network.asked(users_pb2.SignInRequest)] == [PASSWORD] * 2


def test_where_there_is_no_terminal_to_ask_at_what_to_do_is_told() -> None:
    """It told of Python's getpass, and "Aborted."."""
    command = [sys.executable, "-m", "holdfast", "user", "create", "ann", "--role=support"]

    result = subprocess.run(
        command,
        input=f"{PASSWORD}\n{PASSWORD}\n",
        capture_output=True,
        text=True,
        check=False,
        start_new_session=True,  # of a terminal's it would ask there
    )

    assert result.returncode == 2
    assert "pipe it in, and give --password-stdin" in " ".join(result.stderr.split())
    assert "getpass" not in result.stderr


def test_one_s_own_password_is_piped_in_behind_the_one_before(network: Network) -> None:
    network.answer("ChangePassword", user())
    old = "a candle for the door"

    piped = holdfast(
        *(network, "user", "own-password", "--password-stdin"), typed=f"{old}\n{PASSWORD}\n"
    )

    (request,) = network.asked(users_pb2.ChangePasswordRequest)
    assert (request.old_password, request.new_password) == (old, PASSWORD)
    assert piped.exit_code == 0
