"""The console as people start it: within `holdfast up`, and as a process of its own before it."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2

from testbed.keys import KEY
from testbed.processes import free_port
from testbed.services import HOLDFAST, settings_of
from testbed.waiting import wait_until
from tests.unit.test_cli_embedded import up


@contextmanager
def console(**settings: object) -> Iterator[subprocess.Popen[bytes]]:
    program = subprocess.Popen(
        [HOLDFAST, "console", "serve"], env={**os.environ, **settings_of("console", **settings)}
    )
    try:
        yield program
    finally:
        program.terminate()
        assert program.wait(timeout=20) == 0


def test_up_prints_a_link_that_opens_the_console_once(tmp_path: Path) -> None:
    with up(tmp_path) as (_, at), httpx2.Client(follow_redirects=True) as browser:
        opened = browser.get(at["console"])
        again = httpx2.get(at["console"])

    assert opened.status_code == 200
    assert "What needs a person today" in opened.text
    assert again.status_code == 410


def test_a_console_of_its_own_serves_people_before_services_elsewhere(tmp_path: Path) -> None:
    listen = f"127.0.0.1:{free_port()}"
    with up(tmp_path) as (_, at):
        reached = {name: at[name] for name in ("orders", "inventory")}
        reached["notifier"] = f"127.0.0.1:{free_port()}"  # nobody is there
        reached |= {"oidc_issuer": "https://login.example", "oidc_client_id": "console"}
        with (
            console(listen=listen, https=True, **reached) as program,
            httpx2.Client(base_url=f"http://{listen}", follow_redirects=False) as browser,
        ):

            def is_ready() -> bool:
                assert program.poll() is None
                try:
                    return browser.get("/console/sign-in").status_code == 200
                except httpx2.ConnectError:
                    return False

            wait_until(is_ready, 20.0, lambda: TimeoutError("the console is not ready"))
            entered = browser.post(
                "/console/sign-in", data={"key": KEY}, headers={"sec-fetch-site": "same-origin"}
            )
            elsewhere = browser.get("/v1/orders")
            asked = browser.get("/console/sign-in").text
            cookie = entered.headers["set-cookie"].partition(";")[0]
            today = browser.get("/console", headers={"cookie": cookie})

    assert entered.status_code == 303
    assert entered.headers["set-cookie"].startswith("__Host-holdfast=")
    assert "; Secure" in entered.headers["set-cookie"]
    assert elsewhere.status_code == 404
    assert "Sign in at login.example" in asked
    assert today.status_code == 200
    assert "The Notifier does not answer" in today.text
