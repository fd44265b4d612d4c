"""Vendored files held against what their registry has: `python -m testbed.vendored VENDORED.md ...`

Each VENDORED.md has two tables: of packages with their integrity, and of files with where in a
package they come from. Needs npm.
"""

import base64
import hashlib
import re
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

_PACKAGE = re.compile(
    r"^\| (?P<name>\S+) \| (?P<version>[\d.]+) \| .* \| `sha512-(?P<sum>\S+)` \|$"
)
_FILE = re.compile(r"^\| `(?P<file>\S+)` \| (?P<name>\S+) `(?P<path>\S+)` \| `(?P<sum>\w{64})` \|$")


def files_of(page: Path) -> dict[str, str]:
    """The files that a page tells of, with their SHA-256."""
    lines = map(_FILE.match, page.read_text().splitlines())
    return {found["file"]: found["sum"] for found in lines if found}


def flaws_of(page: Path) -> list[str]:
    """What is not as the registry has it."""
    lines, flaws, packed = page.read_text().splitlines(), [], {}
    with tempfile.TemporaryDirectory() as folder:
        for found in filter(None, map(_PACKAGE.match, lines)):
            wanted = f"{found['name']}@{found['version']}"
            command = ["npm", "pack", "--silent", "--pack-destination", folder, wanted]
            name = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            packed[found["name"]] = Path(folder) / name.strip()
            content = packed[found["name"]].read_bytes()
            if base64.b64encode(hashlib.sha512(content).digest()).decode() != found["sum"]:
                flaws.append(f"{page}: {wanted} has another integrity")
        for found in filter(None, map(_FILE.match, lines)):
            with tarfile.open(packed[found["name"]]) as archive:
                member = archive.extractfile(f"package/{found['path']}")
                published = b"" if member is None else member.read()
            if (page.parent / found["file"]).read_bytes() != published:
                flaws.append(f"{page.parent / found['file']} is not what was published")
            if hashlib.sha256(published).hexdigest() != found["sum"]:
                flaws.append(f"{page}: {found['file']} has another SHA-256")
    return flaws


if __name__ == "__main__":
    told = [flaw for page in sys.argv[1:] for flaw in flaws_of(Path(page))]
    print("\n".join(told or ["as published"]))
    sys.exit(bool(told))
