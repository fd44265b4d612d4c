"""Generate src/holdfast/contracts from the protos, or tell with --check whether it is up to date.

With --third-party FOLDER, copy the protos that ours import there, for tools that need their text.
"""

import filecmp
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from google.rpc import status_pb2

ROOT = Path(__file__).parent.parent
TARGET = ROOT / "src" / "holdfast" / "contracts"
THIRD_PARTY = Path(status_pb2.__file__).parents[2]
GENERATED_NOTE = '"""Generated from proto/ by proto/generate.py; never edited by hand."""\n'

# The protos keep their public package names; their Python code lives in a folder of its own.
_PACKAGES = re.compile(
    r"\b(?:holdfast|io)\.(orders|inventory|notifier|identity|feeds|cloudevents)\.v1\b(?=[ .]\w+)"
)
_IMPORTS = re.compile(r"(from|import) (holdfast|io)\b")
_ANNOTATIONS = re.compile(r": (_?holdfast|_io)\.")


def main() -> int:
    if sys.argv[1:2] == ["--third-party"]:
        copy_third_party(Path(sys.argv[2]))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        fresh = Path(folder)
        generate(fresh)
        if "--check" in sys.argv:
            stale = differences(fresh, TARGET)
            for name in stale:
                print(f"contracts/{name} differs from proto/; run: make proto", file=sys.stderr)
            return 1 if stale else 0
        shutil.rmtree(TARGET, ignore_errors=True)
        shutil.copytree(fresh, TARGET)
    return 0


def copy_third_party(into: Path) -> None:
    wanted = ("google/api/annotations.proto", "google/api/http.proto", "google/[rt]*/*.proto")
    for proto in (found for pattern in wanted for found in THIRD_PARTY.glob(pattern)):
        target = into / proto.relative_to(THIRD_PARTY)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(proto, target)


def generate(into: Path) -> None:
    with tempfile.TemporaryDirectory() as raw_folder:
        raw = Path(raw_folder)
        compile_protos(raw)
        for source in [*raw.glob("holdfast/*/v1/*.py*"), *raw.glob("io/*/v1/*.py*")]:
            if re.match(r"(events|feeds|cloudevents)_pb2_grpc\.", source.name):
                continue  # no service in there
            target = into.joinpath(*source.relative_to(raw).parts[1:])
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(rehome(source.read_text()))
    for folder in [into, *(path for path in into.rglob("*") if path.is_dir())]:
        (folder / "__init__.py").write_text(GENERATED_NOTE)


def compile_protos(into: Path) -> None:
    command = [sys.executable, "-m", "grpc_tools.protoc"]
    command += [f"-I{ROOT / 'proto'}", f"-I{THIRD_PARTY}"]
    command += [f"--python_out={into}", f"--grpc_python_out={into}"]
    command += [f"--mypy_out=quiet:{into}", f"--mypy_grpc_out=quiet:{into}"]
    command += sorted(str(path) for path in (ROOT / "proto").rglob("*.proto"))
    # protoc finds its mypy plugins beside the interpreter.
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    subprocess.run(command, check=True, env={**os.environ, "PATH": path})


def rehome(code: str) -> str:
    """Import from holdfast.contracts; descriptors and method paths keep the public names."""
    return "".join(
        _PACKAGES.sub(r"holdfast.contracts.\1.v1", line)
        if _IMPORTS.match(line) or _ANNOTATIONS.search(line)
        else line
        for line in code.splitlines(keepends=True)
    )


def differences(expected: Path, actual: Path) -> list[str]:
    names = {path.relative_to(root) for root in (expected, actual) for path in root.rglob("*.py*")}
    return sorted(
        str(name)
        for name in names
        if "__pycache__" not in name.parts
        if not ((expected / name).exists() and (actual / name).exists())
        or not filecmp.cmp(expected / name, actual / name, shallow=False)
    )


if __name__ == "__main__":
    sys.exit(main())
