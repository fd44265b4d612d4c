"""A TypeScript client that is made from /openapi.json compiles, places an order and reads it."""

import json
import shutil
import subprocess
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from testbed.cluster import Embedded
from testbed.keys import BEARER
from testbed.processes import free_port

EXAMPLE = Path(__file__).parents[2] / "examples" / "typescript"
LAMP = {"product_id": "LAMP", "active": True, "unit_price": {"amount": "2.5", "currency": "GBP"}}
STEP_S_MAX = 280


def run(folder: Path, *command: str) -> str:
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=STEP_S_MAX, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def sent(verb: str, address: str, content: object) -> None:
    headers = {"content-type": "application/json", **dict(BEARER)}
    request = Request(address, json.dumps(content).encode(), headers, method=verb)
    with urlopen(request, timeout=20) as answer:
        assert answer.status in (200, 201)


@pytest.mark.proof
@pytest.mark.timeout(900)
def test_a_generated_client_places_an_order_and_reads_it(tmp_path: Path) -> None:
    folder = tmp_path / "typescript"
    shutil.copytree(EXAMPLE, folder)
    run(folder, "npm", "install", "--silent", "--no-audit", "--no-fund")
    holdfast = Embedded(tmp_path, http_port=free_port())
    with holdfast.running():
        at = f"http://{holdfast.addresses['http']}"
        sent("POST", f"{at}/v1/products", LAMP)
        sent("PUT", f"{at}/v1/products/LAMP/stock/main", {"quantity": 5})
        with urlopen(f"{at}/openapi.json", timeout=20) as described:
            (folder / "openapi.json").write_bytes(described.read())
        run(folder, "npm", "run", "generate")
        run(folder, "npm", "run", "build")

        told = json.loads(run(folder, "node", "built/place_order.js", at))

    assert told == {"status": "CONFIRMED", "total": "5.00", "quantity": 2, "refused": "/lines"}
