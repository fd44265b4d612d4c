"""Scripts, styles and pictures, under names that change with their contents."""

import gzip
import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

NAMES = (
    "vendor/htmx.min.js",
    "vendor/hx-sse.min.js",
    "vendor/oat.min.css",
    "console.css",
    "charts.css",
    "console.js",
    "icon.svg",
)
_TYPES = {"js": "text/javascript", "css": "text/css", "svg": "image/svg+xml"}
FOR_GOOD = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class StaticFile:
    """One file, ready to be sent."""

    path: str
    kind: str
    content: bytes
    compressed: bytes


@cache
def static_files() -> dict[str, StaticFile]:
    """All files by their names in the source."""
    folder, found = files("holdfast.console") / "static", {}
    for name in NAMES:
        content = (folder / name).read_bytes()
        digest = hashlib.sha256(content).hexdigest()[:16]
        stem, _, suffix = name.rpartition("/")[2].rpartition(".")
        kind = _TYPES[suffix]
        path = f"{stem}.{digest}.{suffix}"
        found[name] = StaticFile(path, kind, content, gzip.compress(content, mtime=0))
    return found


async def serve(request: Request) -> Response:
    """Answer with a file; one of another version is not there any more."""
    for file in static_files().values():
        if file.path == request.path_params["name"]:
            headers = {"cache-control": FOR_GOOD, "vary": "accept-encoding"}
            if "gzip" in request.headers.get("accept-encoding", ""):
                headers["content-encoding"] = "gzip"
                return Response(file.compressed, media_type=file.kind, headers=headers)
            return Response(file.content, media_type=file.kind, headers=headers)
    return PlainTextResponse("there is no such file", 404)
