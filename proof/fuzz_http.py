"""`make fuzz-http`: Schemathesis asks a running Holdfast whatever its OpenAPI document allows.

Nothing may answer 5xx, or otherwise than the document says, or take what the document forbids. One
check is left out: that all it allows is taken. What an id may be made of, and that units are there,
no schema can say.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path
from urllib.request import Request, urlopen

from testbed.cluster import Embedded
from testbed.keys import BEARER
from testbed.processes import free_port, temporary_folder

LAMP = {"product_id": "LAMP", "active": True, "unit_price": {"amount": "5", "currency": "GBP"}}
# Asked last and alone: Schemathesis tries ids that it was answered, that of its own key among them,
# and nothing lets it in after that.
ENDS_KEYS = ("/v1/keys/{key_id}/revoke", "/v1/keys/{key_id}/rotate")
WAIT_S_MAX = 60  # of a feed that has nothing to tell


def main() -> int:
    options = argparse.ArgumentParser(prog="make fuzz-http", description=__doc__)
    options.add_argument("--schemathesis", type=Path, required=True)
    options.add_argument("--examples", type=int, default=50)
    options.add_argument("--seed", type=int, default=1)
    chosen = options.parse_args()
    with temporary_folder() as folder:
        holdfast = Embedded(folder, http_port=free_port())
        with holdfast.running():
            at = f"http://{holdfast.addresses['http']}"
            kind = {"content-type": "application/json", "authorization": BEARER[0][1]}
            urlopen(Request(f"{at}/v1/products", json.dumps(LAMP).encode(), kind), timeout=20)
            command = [
                *(str(chosen.schemathesis.absolute()), "run", f"{at}/openapi.json"),
                *("--checks", "all", "--exclude-checks", "positive_data_acceptance"),
                *("--header", f"authorization: {BEARER[0][1]}"),
                *("--max-examples", str(chosen.examples), "--seed", str(chosen.seed)),
                *("--phases", "examples,coverage,fuzzing"),
                *("--max-response-time", str(2 * WAIT_S_MAX)),
                *("--request-timeout", str(3 * WAIT_S_MAX)),
            ]
            codes = [_asked(command, "--exclude-path", folder)]
            # All of that was asked by somebody who is let in.
            urlopen(Request(f"{at}/v1/orders", headers=kind), timeout=20)
            codes.append(_asked(command, "--include-path", folder))
        log = holdfast.program("up").log.read_text()
    assert "Traceback" not in log, log
    return max(codes)


def _asked(command: list[str], option: str, folder: Path) -> int:
    paths = [word for path in ENDS_KEYS for word in (option, path)]
    return subprocess.run([*command, *paths], cwd=folder, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
