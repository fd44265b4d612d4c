"""/openapi.json, and /docs, which shows it by a Swagger UI of our own copy."""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from importlib.resources import files

import orjson

from holdfast.chassis.http.answers import Answer
from holdfast.chassis.http.headers import names_tag

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'"
)
_TYPES = {"html": "text/html; charset=utf-8", "css": "text/css", "js": "text/javascript"}
_SHOWN = {
    ("docs",): "docs.html",
    ("docs", "docs.js"): "docs.js",
    ("docs", "swagger-ui.css"): "swagger-ui.css",
    ("docs", "swagger-ui-bundle.js"): "swagger-ui-bundle.js",
}


class Pages:
    """What is served beside the methods.

    :param templates: of the paths that are served here: the others are left out of what is told.
    """

    def __init__(self, templates: Iterable[str]) -> None:
        text = (files("holdfast.contracts") / "openapi.json").read_text()
        described = json.loads(text)
        # A parameter has one name in OpenAPI; in a template it is the path of a field.
        here = {told(template) for template in templates}
        described["paths"] = {
            path: found for path, found in described["paths"].items() if path in here
        }
        document = orjson.dumps(described)
        self._pages: dict[tuple[str, ...], Answer] = {
            ("openapi.json",): _page("application/json", document)
        }
        vendored = files("holdfast.chassis.http") / "static"
        for path, name in _SHOWN.items():
            kind = _TYPES[name.rpartition(".")[2]]
            self._pages[path] = _page(kind, (vendored / name).read_bytes())

    def find(self, segments: Sequence[str], headers: Mapping[str, str]) -> Answer | None:
        """Return the page at a path, or that the caller has it already; None: there is none."""
        page = self._pages.get(tuple(segments))
        if page and names_tag(headers.get("if-none-match", ""), page.headers["etag"]):
            return Answer(304, page.headers, b"")
        return page


def _page(kind: str, content: bytes) -> Answer:
    tag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    headers = {
        "content-type": kind,
        "etag": tag,
        "cache-control": "no-cache",
        "content-security-policy": POLICY,
        "referrer-policy": "no-referrer",
    }
    return Answer(200, headers, content)


def told(template: str) -> str:
    """A template as OpenAPI writes it: {product.product_id} is {product_id}."""
    return re.sub(r"\{(?:\w+\.)*(\w+)\}", r"{\1}", template)
