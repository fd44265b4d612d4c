"""The ground that the other tests stand on: private servers that keep data and leave no trace."""

import asyncio
import signal
import subprocess
import sys
import time
from pathlib import Path

import aio_pika
import asyncpg
import pytest

from testbed.processes import temporary_folder
from testbed.servers import PostgresServer, RabbitmqServer, postgres

ROOT = Path(__file__).parents[2]

# Another process with a server of its own, which tells where and waits to be killed.
HOST = """
import signal
from testbed.processes import temporary_folder
from testbed.servers import postgres
with temporary_folder() as folder, postgres(folder):
    print(folder, flush=True)
    signal.pause()
"""


async def test_a_database_of_ones_own_is_empty(postgres_url: str) -> None:
    connection = await asyncpg.connect(postgres_url)
    tables = await connection.fetchval("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")
    await connection.close()

    assert tables == 0


async def test_a_vhost_of_ones_own_carries_messages(rabbitmq_url: str) -> None:
    async with await aio_pika.connect(rabbitmq_url) as connection:
        channel = await connection.channel()
        queue = await channel.declare_queue("q", durable=True, arguments={"x-queue-type": "quorum"})
        await channel.default_exchange.publish(aio_pika.Message(b"hello"), "q")

        message = await queue.get(timeout=5)
        await message.ack()

    assert message.body == b"hello"


async def test_a_broker_taken_away_refuses_and_comes_back(
    rabbitmq_server: RabbitmqServer, rabbitmq_url: str
) -> None:
    await asyncio.to_thread(rabbitmq_server.stop_app)
    with pytest.raises(aio_pika.exceptions.AMQPConnectionError):
        await aio_pika.connect(rabbitmq_url)

    await asyncio.to_thread(rabbitmq_server.start_app)

    async with await aio_pika.connect(rabbitmq_url) as connection:
        assert not connection.is_closed


def test_a_killed_database_server_keeps_what_was_committed(
    postgres_server: PostgresServer,
) -> None:
    postgres_server.create_database("kept")

    postgres_server.kill()
    postgres_server.start()

    assert postgres_server.has_database("kept")
    postgres_server.drop_database("kept")


def test_a_server_is_used_again_on_the_same_folder() -> None:
    with temporary_folder() as folder:
        with postgres(folder) as server:
            server.create_database("kept")
        with postgres(folder) as server:
            assert server.has_database("kept")
    assert not folder.exists()


def test_a_killed_run_leaves_no_server_and_no_folder() -> None:
    host = subprocess.Popen(
        [sys.executable, "-c", HOST], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    with host:
        assert host.stdout is not None
        folder = Path(host.stdout.readline().strip())
        server = int((folder / "postgres" / "postmaster.pid").read_text().split()[0])

        host.send_signal(signal.SIGKILL)

    while folder.exists() or Path(f"/proc/{server}").exists():
        time.sleep(0.05)  # until the test's time is up
