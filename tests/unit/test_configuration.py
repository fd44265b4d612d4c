"""Configuration: the environment over the file over the defaults, and no name that nobody knows."""

from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import SecretStr

from holdfast.inventory import settings as inventory_settings
from holdfast.orders import settings as orders_settings
from holdfast.orders.domain.shipping.paid_first import Required

SERVICE_KEY = "by which Orders is known to Inventory"
SECRET = "postgresql://holdfast:hunter2@db/orders"


@pytest.fixture(autouse=True)
def service_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """What both services can't do without."""
    for service in ("ORDERS", "INVENTORY"):
        monkeypatch.setenv(f"HOLDFAST_{service}_SERVICE_KEY", SERVICE_KEY)


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Sets variables of Orders by their short names."""

    def put(**values: str) -> None:
        for name, value in values.items():
            monkeypatch.setenv(f"HOLDFAST_ORDERS_{name.upper()}", value)

    return put


@pytest.fixture
def file(tmp_path: Path) -> Callable[[str], Path]:
    """Writes a configuration file."""

    def write(text: str) -> Path:
        path = tmp_path / "holdfast.toml"
        path.write_text(text)
        return path

    return write


FILE = """
[orders]
database = "postgresql://file/orders"
broker = "amqp://file"
late_s = 5
listen = "0.0.0.0:7001"

[inventory]
database = "postgresql://file/inventory"
broker = "amqp://file"
"""


def test_the_environment_beats_the_file_and_the_file_beats_the_defaults(
    environment: Callable[..., None], file: Callable[[str], Path]
) -> None:
    environment(database="postgresql://environment/orders", late_s="7.5")

    settings = orders_settings.load(file(FILE))

    assert settings.database.get_secret_value() == "postgresql://environment/orders"
    assert settings.broker.get_secret_value() == "amqp://file"
    assert settings.late_s == 7.5
    assert settings.listen == "0.0.0.0:7001"
    assert settings.inventory == "127.0.0.1:7002"


def test_each_service_reads_its_own_table_and_variables(
    environment: Callable[..., None], file: Callable[[str], Path]
) -> None:
    environment(database="postgresql://environment/orders")

    settings = inventory_settings.load(file(FILE))

    assert settings.database == SecretStr("postgresql://file/inventory")


def test_the_environment_alone_is_enough(environment: Callable[..., None]) -> None:
    environment(database=SECRET, broker="amqp://broker")

    assert orders_settings.load().expire_s == 3_600


def test_everything_that_is_missing_is_named_at_once() -> None:
    with pytest.raises(ValueError, match="HOLDFAST_ORDERS_DATABASE") as error:
        orders_settings.load()

    assert "HOLDFAST_ORDERS_BROKER" in str(error.value)


def test_what_is_to_be_paid_first_is_read_from_a_variable_as_from_a_file(
    environment: Callable[..., None], file: Callable[[str], Path]
) -> None:
    wanted = {"web": Required.PAID, "": Required.AUTHORIZED}
    table = '\n[orders.ship_requires]\nweb = "PAID"\n"" = "AUTHORIZED"\n'
    assert orders_settings.load(file(FILE + table)).ship_requires == wanted

    environment(ship_requires='{"web": "PAID", "": "AUTHORIZED"}')
    assert orders_settings.load(file(FILE)).ship_requires == wanted

    environment(ship_requires="")
    assert orders_settings.load(file(FILE)).ship_requires == {}


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"data_base": "x"}, "HOLDFAST_ORDERS_DATA_BASE"),
        ({"late_s": "soon"}, "HOLDFAST_ORDERS_LATE_S"),
        ({"late_s": "0"}, "HOLDFAST_ORDERS_LATE_S"),
        ({"outbox_events_max": "-1"}, "HOLDFAST_ORDERS_OUTBOX_EVENTS_MAX"),
        ({"late_s": "60", "expire_s": "60"}, "late_s must be less than expire_s"),
    ],
)
def test_a_name_nobody_knows_or_a_value_that_makes_no_sense_is_an_error(
    environment: Callable[..., None], values: dict[str, str], named: str
) -> None:
    environment(database=SECRET, broker="amqp://broker", **values)

    with pytest.raises(ValueError, match=named):
        orders_settings.load()


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://u:hunter2@broker", "must begin with amqp://"),
        ("u:hunter2@broker:5672/v", "must begin with amqp://"),
        ("amqp:/broker", "must begin with amqp://"),
        ("", "must begin with amqp://"),
        ("amqp://u:hunter2@/v", "names no host"),
        ("amqp:///v", "names no host"),
        ("amqp://one,,two/v", "names no host"),
        ("amqp://u:hunter2@broker:port/v", "port"),
        ("amqp://u:hunter2@broker:99999/v", "port"),
        ("amqp://u:hunt/er2@broker/v", "write / as %2F"),
        ("amqp://u:hunt#er2@broker/v", "# as %23"),
        ("amqp://broker/a#b", "# as %23"),
        ("amqp://broker/my shop", "blanks"),
    ],
)
def test_a_broker_that_no_url_can_lead_to_is_an_error_that_tells_the_form_and_no_secret(
    environment: Callable[..., None], url: str, said: str
) -> None:
    environment(database=SECRET, broker=url)

    with pytest.raises(ValueError, match="HOLDFAST_ORDERS_BROKER") as error:
        orders_settings.load()

    assert said in str(error.value)
    assert "hunt" not in str(error.value)


@pytest.mark.parametrize(
    "url",
    [
        "amqp://broker",
        "amqp://u:p@broker:5672//",
        "amqps://u:a%2Fb%40@[::1]:5671,two:5671/%2F?verify=1",
        "amqp://u:@broker/",
    ],
)
def test_a_broker_url_may_leave_out_what_has_a_default(
    environment: Callable[..., None], url: str
) -> None:
    environment(database=SECRET, broker=f" {url}\n")

    assert orders_settings.load().broker.get_secret_value() == url


@pytest.mark.parametrize("text", ["[orders]\nlisten = 1\n", "[orders]\nport = 7001\n"])
def test_an_error_says_where_it_looked(
    environment: Callable[..., None], file: Callable[[str], Path], text: str
) -> None:
    environment(database=SECRET, broker="amqp://broker")

    with pytest.raises(ValueError, match=r"holdfast\.toml"):
        orders_settings.load(file(text))


@pytest.mark.parametrize("text", ["[orders", "orders = 3\n", "orders = [1]\n"])
def test_a_file_that_cannot_be_read_is_an_error_that_names_it(
    file: Callable[[str], Path], text: str
) -> None:
    with pytest.raises(ValueError, match=r"holdfast\.toml"):
        orders_settings.load(file(text))


def test_a_file_that_is_not_there_or_no_text_is_an_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe")

    for name in ("nowhere.toml", "bytes.toml"):
        with pytest.raises(ValueError, match=name):
            orders_settings.load(tmp_path / name)


def test_no_error_and_no_print_shows_a_password(environment: Callable[..., None]) -> None:
    environment(database=SECRET, broker="amqp://user:hunter2@broker", late_s="soon")

    with pytest.raises(ValueError, match="LATE_S") as error:
        orders_settings.load()
    assert "hunter2" not in str(error.value)

    environment(late_s="1")
    assert "hunter2" not in repr(orders_settings.load())


def test_settings_do_not_change_once_they_are_read(environment: Callable[..., None]) -> None:
    environment(database=SECRET, broker="amqp://broker")
    settings = orders_settings.load()

    with pytest.raises(ValueError, match="frozen"):
        settings.listen = "0.0.0.0:1"


def test_a_setting_with_an_invisible_character_is_refused_by_its_name_and_place(
    environment: Callable[..., None], file: Callable[[str], Path]
) -> None:
    environment(inventory="127.0.0.1\u200b:7002")

    with pytest.raises(
        ValueError, match=r"HOLDFAST_ORDERS_INVENTORY: .*U\+200B ZERO WIDTH SPACE.* 10"
    ):
        orders_settings.load(file(FILE))


def test_a_file_that_begins_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    path = tmp_path / "holdfast.toml"
    path.write_text(FILE, "utf-8-sig")

    assert (
        inventory_settings.load(path).database.get_secret_value() == "postgresql://file/inventory"
    )


def test_nobody_is_left_unasked_where_others_can_come(
    environment: Callable[..., None], file: Callable[[str], Path]
) -> None:
    environment(auth="false", listen="127.0.0.1:7001", service_key="")
    assert orders_settings.load(file(FILE)).auth is False

    for name in ("listen", "http"):
        environment(listen="127.0.0.1:7001", http="[::1]:7003")
        environment(**{name: "0.0.0.0:7001"})
        with pytest.raises(ValueError, match="no loopback address"):
            orders_settings.load(file(FILE))


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("service_key", "", "service_key is missing"),
        ("service_key", "too short a word", "less than 32 characters"),
        ("pepper", "too short a word", "less than 32 characters"),
        ("operator_key", "hf_live_and_something_else", "holdfast key new"),
    ],
)
def test_a_secret_of_no_use_is_told_and_not_shown(
    name: str, value: str, told: str, environment: Callable[..., None], file: Callable[[str], Path]
) -> None:
    environment(**{name: value})

    with pytest.raises(ValueError, match=told) as refused:
        orders_settings.load(file(FILE))

    assert not value or value not in str(refused.value)
