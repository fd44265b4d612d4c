"""Where one process keeps its data, by URL: two schemas, and a name that tells no secret; and the
keys beside them.
"""

from contextlib import nullcontext
from pathlib import Path

import pytest

from holdfast.home import (
    DataMissing,
    KeyUnusable,
    in_folder,
    in_postgres,
    kept_key,
    kept_sealing_keys,
    require_whole,
)


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("postgresql://anna:secret@db/shop", "postgresql://db/shop"),
        ("postgres://anna@db:5433/shop?sslmode=require", "postgresql://db:5433/shop"),
        ("postgresql://a:b@one:1,two:2/shop", "postgresql://one:1,two:2/shop"),
        ("postgresql://a:b@[::1]:5432/shop?password=secret", "postgresql://[::1]:5432/shop"),
        ("postgresql:///shop", "postgresql:///shop"),
    ],
)
def test_a_database_is_named_without_user_and_password(url: str, name: str) -> None:
    assert in_postgres(url).name == name


@pytest.mark.parametrize(
    ("url", "orders"),
    [
        ("postgresql:///shop", "postgresql:///shop?search_path=holdfast_orders"),
        ("postgresql://db/shop?", "postgresql://db/shop?search_path=holdfast_orders"),
        ("postgresql://db/shop?a=b", "postgresql://db/shop?a=b&search_path=holdfast_orders"),
    ],
)
def test_each_service_has_a_schema_of_its_own(url: str, orders: str) -> None:
    home = in_postgres(url)

    assert home.orders == orders
    assert home.inventory == orders.replace("holdfast_orders", "holdfast_inventory")


@pytest.mark.parametrize(
    "url",
    [
        "mysql://anna:secret@db/shop",
        "sqlite:///secret.db",
        "postgresql://a:secret@db:x/shop",
        "postgresql://a:secret#x@db/shop",
        "postgresql://secret:1234#x@db/shop",
        "postgresql://a:secret/x@db/shop",
        "postgresql://secret:1234/x@db/shop",
        "postgresql://secret:1234?x@db/shop",
    ],
)
def test_a_url_that_leads_nowhere_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(ValueError, match=r"postgresql://|HOST:PORT") as refused:
        in_postgres(url)

    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("damaged", [b"", b"\n", b"hello\n", b"\xff\xfe\n"])
def test_a_file_without_a_key_opens_nothing_to_anybody(damaged: bytes, tmp_path: Path) -> None:
    for name in ("operator.key", "sealing.key"):
        (tmp_path / name).write_bytes(damaged)

    for kept in (kept_key, kept_sealing_keys):
        with pytest.raises(KeyUnusable, match="holds no key: restore it, or delete it"):
            kept(in_folder(tmp_path))


@pytest.mark.parametrize(
    ("there", "whole"),
    [
        ("", True),
        ("orders", True),  # killed as it was made
        ("orders inventory", True),
        ("orders inventory notifier", True),
        ("inventory notifier", False),
        ("orders notifier", False),
        ("inventory", False),
    ],
)
def test_a_folder_that_has_lost_a_database_is_not_whole(
    there: str, whole: bool, tmp_path: Path
) -> None:
    for service in there.split():
        (tmp_path / f"{service}.db").touch()

    with nullcontext() if whole else pytest.raises(DataMissing, match="is not there, and"):
        require_whole(in_folder(tmp_path))


def test_keys_that_are_made_once_stay(tmp_path: Path) -> None:
    home = in_folder(tmp_path)

    made = kept_key(home), kept_sealing_keys(home)

    assert (kept_key(home), kept_sealing_keys(home)) == made


def test_a_new_sealing_key_in_front_seals_and_the_old_one_still_opens(tmp_path: Path) -> None:
    (old,) = kept_sealing_keys(in_folder(tmp_path))

    (tmp_path / "sealing.key").write_text(f"{'new' * 20} {old}\n")

    assert kept_sealing_keys(in_folder(tmp_path)) == ["new" * 20, old]
