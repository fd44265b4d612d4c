"""What the console consists of beside its code: vendored files, templates and texts."""

import hashlib
import re
import subprocess
import sys
from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path
from string import Formatter

import pytest

from holdfast.client import (
    BackorderMode,
    ChargeKind,
    DeliveryState,
    Disposition,
    LocationKind,
    MovementKind,
    OrderStatus,
    PaymentKind,
    PaymentStatus,
    ReturnState,
    StockReason,
    TransferState,
    WebhookState,
)
from holdfast.console.intake import Stage
from holdfast.console.jobs import RowState
from holdfast.console.screens.bulk_verbs import VERBS
from holdfast.console.views import LISTS
from holdfast.console.words import chosen, languages
from holdfast.exchange.files import KINDS
from holdfast.exchange.kinds import Outcome
from holdfast.importing.dates import DateOrder
from holdfast.importing.tables import FileKind
from testbed.vendored import files_of

CONSOLE = Path(str(files("holdfast.console")))
VENDORED = (CONSOLE / "static" / "vendor", Path(__file__).parents[1] / "e2e/console/vendor")
TEMPLATES = sorted((CONSOLE / "templates").glob("*.html"))
SAYS = re.compile(
    r"""(?:\bt|\.say|NotSignedIn|ProviderAway)\(\s*["']([a-z_]+(?:\.[\w.]+)?)["']\s*[,)]"""
)
CHARTS = "orders revenue outcomes promised".split()
BUILT: dict[str, Iterable[str]] = {  # texts whose names are put together from a word and a value
    "status": OrderStatus,
    "paid": PaymentStatus,
    "pay": PaymentKind,
    "charge": ChargeKind,
    "return": ReturnState,
    "goods": [one for one in Disposition if one is not Disposition.UNKNOWN],
    "said": [
        *"confirm extend cancel pay ship return receive close adjust".split(),
        *"product_made product_changed receipt set quarantine release".split(),
        *"location_made location_changed transfer_made transfer_received transfer_closed".split(),
        *"profile hook_change hook_on hook_off hook_replay hook_redeliver hook_delete".split(),
        *"key_revoke view_saved view_changed view_deleted".split(),
        *"user_made user_changed user_deleted password".split(),
    ],
    "user": [
        name
        for act in ("lock", "unlock", "password", "rights", "delete")
        for name in (act, f"{act}_hint")
    ],
    "backorder": [one for one in BackorderMode if one is not BackorderMode.UNKNOWN],
    "product": ["any", "yes", "no"],
    "views": [f"of_{path[1:].replace('-', '_')}" for path in LISTS],
    "figures": "rejected missing waiting waited_for".split(),
    "chart": [
        *(one for name in CHARTS for one in (name, f"{name}_note")),
        "stock",
    ],
    "stock": "came went free on_hand".split(),
    "series": "orders revenue at_once waited rejected p50 p95 on_hand free".split(),
    "sent": DeliveryState,
    "hook": [
        *WebhookState,
        *"secret secret_what made rotated failed deliveries".split(),
        *"what_nothing what_failed what_since".split(),
    ],
    "found": "order product transfer customer".split(),
    "key": "secret secret_what made rotated".split(),
    "moved": MovementKind,
    "why": StockReason,
    "place": LocationKind,
    "transit": TransferState,
    "transfer": ["no_product", "no_location"],
    "become": ["sold", "gone"],
    "bulk": [f"{word}_{verb}" for verb in VERBS for word in ("title", "will")],
    "job": [*VERBS, *RowState],
    "next": (
        "changed in_part HoldExpired Unavailable DeadlineExceeded Overloaded EditUnderWay "
        "PermissionDenied LEFT"
    ).split(),
    "kind": KINDS,
    "stage": Stage,
    "stage_next": Stage,
    "would": (*Outcome, "refused", "notes"),
    "did": (*Outcome, "refused", "notes"),
    "files": [
        *(f"dates_{one}" for one in DateOrder),
        *(f"format_{one}" for one in FileKind),
    ],
    "today": [
        name
        for matter in ("late", "holds", "rejected", "expired")
        for name in (matter, f"next_{matter}")
    ],
}
BY_CODE = {"language", "number.thousands", "number.point", "time.format"}


def facts_of(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


@pytest.mark.parametrize("folder", VENDORED, ids=lambda folder: folder.parts[-3])
def test_vendored_files_are_those_that_were_published(folder: Path) -> None:
    told = files_of(folder / "VENDORED.md")

    there = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.iterdir()
        if path.name != "VENDORED.md"
    }

    assert there == told


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_no_template_has_a_script_a_style_or_a_handler_in_it(template: Path) -> None:
    text = template.read_text()

    assert not re.search(r"<script(?![^>]*\ssrc=)|<style|\sstyle=|\son\w+=|javascript:|hx-on", text)
    assert "|safe" not in text, "everything is escaped"


@pytest.mark.parametrize("language", sorted(set(languages()) - {"en"}))
def test_every_language_says_everything_with_the_same_facts(language: str) -> None:
    english, other = languages()["en"].catalogue, languages()[language].catalogue

    assert set(other) == set(english)
    for name, text in english.items():
        assert facts_of(other[name]) == facts_of(text), name
        assert other[name].strip() == other[name] != ""


def test_every_text_is_there_that_is_said_and_said_that_is_there() -> None:
    sources = [*TEMPLATES, *CONSOLE.rglob("*.py")]
    said = {name for source in sources for name in SAYS.findall(source.read_text())}
    said |= {f"{word}.{value}" for word, values in BUILT.items() for value in values}

    assert said | BY_CODE == set(languages()["en"].catalogue)


@pytest.mark.parametrize(
    ("wanted", "accepted", "spoken"),
    [
        ("", "de-AT,en;q=0.8", "de"),
        ("en", "de", "en"),
        ("", "fr,xx;q=0.9,de;q=0.1", "de"),
        ("", "", "en"),
        ("../de", "\u0000;;,", "en"),
    ],
)
def test_a_browser_is_answered_in_its_language(wanted: str, accepted: str, spoken: str) -> None:
    assert chosen(wanted, accepted).language == spoken


def test_whoever_never_opens_the_console_does_not_load_its_pages() -> None:
    program = (
        "import sys, holdfast.embedded; print(sorted({'starlette', 'jinja2'} & {*sys.modules}))"
    )

    told = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    ).stdout

    assert told == "[]\n"
