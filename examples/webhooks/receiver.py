"""Receives webhooks of Holdfast: verifies, keeps, answers, and works afterwards.

    pip install standardwebhooks
    WEBHOOK_SECRET=whsec_... python receiver.py 8000 inbox.db

What matters is the order: nothing of a request is believed before its signature is verified over
the very bytes that came; the answer leaves when the event is kept; the work comes after it.
"""

import json
import os
import sqlite3
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from standardwebhooks import Webhook, WebhookVerificationError

BODY_BYTES_MAX = 256_000  # Holdfast sends no more
REQUEST_S_MAX = 10  # for one that sends slowly


class Inbox:
    """Events that came, each once however often it was sent; it outlives the process."""

    def __init__(self, file: Path) -> None:
        self._lock = threading.Lock()
        self.waiting = threading.Event()
        self._database = sqlite3.connect(file, check_same_thread=False, isolation_level=None)
        self._database.executescript("""
            PRAGMA journal_mode = WAL;
            PRAGMA synchronous = FULL;
            CREATE TABLE IF NOT EXISTS inbox (
                webhook_id TEXT PRIMARY KEY, body BLOB NOT NULL, handled INTEGER NOT NULL DEFAULT 0
            );
            CREATE TABLE IF NOT EXISTS cursors (source TEXT PRIMARY KEY, cursor TEXT NOT NULL);
        """)
        self.waiting.set()  # the process before may have left some

    def keep(self, webhook_id: str, body: bytes, event: dict[str, Any]) -> None:
        """Keep an event and the cursor behind it, or neither; one that is there stays as it is."""
        with self._lock:
            self._database.execute("BEGIN IMMEDIATE")
            try:
                kept = self._database.execute(
                    "INSERT INTO inbox (webhook_id, body) VALUES (?, ?) ON CONFLICT DO NOTHING",
                    (webhook_id, body),
                )
                if kept.rowcount and "cursor" in event:  # an event of a test has none
                    self._database.execute(
                        "INSERT INTO cursors VALUES (?, ?)"
                        " ON CONFLICT (source) DO UPDATE SET cursor = excluded.cursor",
                        (event["source"], event["cursor"]),
                    )
                self._database.execute("COMMIT")
            except BaseException:
                self._database.execute("ROLLBACK")
                raise
        self.waiting.set()

    def next(self) -> tuple[str, bytes] | None:
        """Return what came first of what is not handled."""
        with self._lock:
            return self._database.execute(
                "SELECT webhook_id, body FROM inbox WHERE NOT handled ORDER BY rowid LIMIT 1"
            ).fetchone()

    def done(self, webhook_id: str) -> None:
        with self._lock:
            self._database.execute(
                "UPDATE inbox SET handled = 1 WHERE webhook_id = ?", (webhook_id,)
            )


def handle(event: dict[str, Any]) -> None:
    """Your work. It may begin twice for one event, where the machine stopped between the two."""
    print(event["id"], event["type"], event["subject"], flush=True)


def work(inbox: Inbox) -> None:
    while True:
        inbox.waiting.wait()
        inbox.waiting.clear()
        while (found := inbox.next()) is not None:
            webhook_id, body = found
            handle(json.loads(body))
            inbox.done(webhook_id)


def make_handler(webhook: Webhook, inbox: Inbox) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = REQUEST_S_MAX

        def do_POST(self) -> None:
            length = self.headers.get("Content-Length", "")
            if not length.isdecimal() or int(length) > BODY_BYTES_MAX:
                self.close_connection = True  # the body stays unread
                return self.answer(413)
            body = self.rfile.read(int(length))
            try:
                # Over the bytes as they came: JSON that is parsed and written again is another.
                event = webhook.verify(body, dict(self.headers.items()))
            except (WebhookVerificationError, ValueError):
                return self.answer(401)
            inbox.keep(self.headers["webhook-id"], body, event)
            return self.answer(204)

        def answer(self, status: int) -> None:
            self.send_response(status)
            if status != 204:
                self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing of each request."""

    return Handler


def main() -> None:
    port, file = int(sys.argv[1]), Path(sys.argv[2])
    webhook, inbox = Webhook(os.environ["WEBHOOK_SECRET"]), Inbox(file)
    server = ThreadingHTTPServer(("127.0.0.1", port), make_handler(webhook, inbox))
    threading.Thread(target=work, args=(inbox,), daemon=True).start()
    print(f"ready on 127.0.0.1:{port}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
