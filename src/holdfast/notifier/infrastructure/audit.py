"""Hold the Notifier's own records against each other: lines, deliveries, webhooks and mails."""

from holdfast.chassis.database.audit import Auditor
from holdfast.notifier.domain.events import DeliveryState, FeedName, MailState
from holdfast.notifier.domain.mail import MailKind
from holdfast.notifier.domain.webhook import WebhookState

COUNTS = {
    "webhooks": "webhook",
    "events kept for webhooks": "event",
    "deliveries": "delivery",
    "mails": "mail",
}

QUESTIONS = {
    "webhook {webhook_id} has {waiting} deliveries wait that are first in line '{line}' or said to "
    "be, from {first} on, and {next} is sent next": """
SELECT webhook_id, line, first, waiting, coalesce(next, 0) AS next
  FROM (SELECT webhook_id, line, min(delivery_id) AS first,
               sum(CASE WHEN state = 'WAITING' THEN 1 ELSE 0 END) AS waiting,
               min(CASE WHEN state = 'WAITING' THEN delivery_id END) AS next
          FROM delivery
         WHERE ended_at IS NULL
         GROUP BY webhook_id, line) AS lines
 WHERE waiting <> 1 OR next <> first
""",
    "delivery {delivery_id} is {state} and ended at {ended_at}": """
SELECT delivery_id, state, ended_at
  FROM delivery
 WHERE (state IN ('WAITING', 'QUEUED')) <> (ended_at IS NULL)
""",
    "delivery {delivery_id} is DELIVERED by {attempts} attempts, the last at {attempted_at}, "
    "answered with {status}": """
SELECT delivery_id, attempts, attempted_at, status
  FROM delivery
 WHERE state = 'DELIVERED'
   AND (attempts < 1 OR attempted_at IS NULL OR status NOT BETWEEN 200 AND 299)
""",
    "webhook {webhook_id} is {state}, and {count} deliveries to it are open": """
SELECT webhook.webhook_id, webhook.state, count(*) AS count
  FROM webhook
  JOIN delivery ON delivery.webhook_id = webhook.webhook_id
   AND delivery.ended_at IS NULL
 WHERE webhook.state <> 'ACTIVE'
 GROUP BY webhook.webhook_id, webhook.state
""",
    "delivery {delivery_id} of {event_id} stands in line '{line}', its place is '{place}'": """
SELECT delivery_id, event_id, line, place
  FROM (SELECT delivery_id, delivery.event_id, line,
               CASE WHEN in_order THEN '' ELSE feed || '/' || subject END AS place
          FROM delivery
          JOIN webhook ON webhook.webhook_id = delivery.webhook_id
          JOIN event ON event.event_id = delivery.event_id) AS placed
 WHERE line <> place
""",
    "delivery {delivery_id} is of event {event_id}, which is not kept": """
SELECT delivery_id, delivery.event_id
  FROM delivery
  LEFT JOIN event ON event.event_id = delivery.event_id
 WHERE event.event_id IS NULL
""",
    "delivery {delivery_id} is for {webhook_id}, which is no webhook": """
SELECT delivery_id, delivery.webhook_id
  FROM delivery
  LEFT JOIN webhook ON webhook.webhook_id = delivery.webhook_id
 WHERE webhook.webhook_id IS NULL
""",
    "webhook {webhook_id} was made by request {request_id}, whose contents are {request_hash}": """
SELECT webhook_id, request_id, request_hash
  FROM webhook
 WHERE (request_id IS NULL) <> (request_hash IS NULL)
""",
    "{webhook_id} is being sent what it missed of {feed}, and is no webhook that is ACTIVE": """
SELECT catch_up.webhook_id, feed
  FROM catch_up
  LEFT JOIN webhook ON webhook.webhook_id = catch_up.webhook_id
 WHERE coalesce(state, '') <> 'ACTIVE'
""",
    "mail {mail_id} is {state} by {attempts} attempts, the last at {attempted_at}": """
SELECT mail_id, state, attempts, attempted_at
  FROM mail
 WHERE state <> 'WAITING'
   AND (attempts < 1 OR attempted_at IS NULL)
""",
}

# Of each column, the words that may stand in it.
WORDS = {
    ("delivery", "state"): DeliveryState,
    ("webhook", "state"): WebhookState,
    ("mail", "state"): MailState,
    ("mail", "kind"): MailKind,
    ("event", "feed"): FeedName,
    ("followed", "feed"): FeedName,
}

DUE_DELIVERIES = """
SELECT count(*) AS n, min(next_at) AS oldest
  FROM delivery
 WHERE state = 'WAITING'
   AND next_at <= $1
"""

DUE_MAILS = """
SELECT count(*) AS n, min(next_at) AS oldest
  FROM mail
 WHERE state = 'WAITING'
   AND next_at <= $1
"""


async def audit(auditor: Auditor) -> None:
    """Check all of the Notifier's own records. What is due and not sent yet is only noted: nobody
    but a receiver knows why it takes so long.
    """
    await auditor.count(COUNTS)
    await auditor.refute(QUESTIONS)
    for (table, column), known in WORDS.items():
        rows = await auditor.rows(f"SELECT DISTINCT {column} AS word FROM {table}")  # noqa: S608 - constants only
        auditor.findings.contradict(
            [
                f"{auditor.service}: the {column} of a {table} is {row['word']}"
                for row in rows
                if row["word"] not in list(known)
            ]
        )
    for what, sql in (("deliveries", DUE_DELIVERIES), ("mails", DUE_MAILS)):
        (row,) = await auditor.rows(sql, auditor.at)
        auditor.overdue(
            "{n} " + what + " are due since {oldest}", row["n"], row["oldest"], after_s=float("inf")
        )
