"""Bugs of the Notifier: what must not happen between a feed and a receiver."""

from holdfast.notifier.application import deliver
from holdfast.notifier.application.catch_up import CatchUpWebhooks
from holdfast.notifier.application.deliver import Deliver
from holdfast.notifier.application.follow_feed import FollowFeed
from holdfast.notifier.application.mails import send_mail
from holdfast.notifier.application.manage_webhooks import UpdateWebhook
from holdfast.notifier.domain import delivery
from holdfast.notifier.infrastructure import mail_addresses
from holdfast.notifier.infrastructure.guarded_network import Guard
from holdfast.notifier.infrastructure.sealing import Sealer
from holdfast.notifier.infrastructure.sql import SQL
from holdfast.notifier.infrastructure.store import StoreWork
from proof.mutants.planting import bug, edited

RULES = "tests/integration/test_webhook_rules.py"
CATCHING_UP = "tests/integration/test_webhook_catching_up.py"
ANEW = f"{RULES}::test_what_was_told_is_not_told_again_when_a_lost_feed_is_followed_anew"
INACTIVE = f"{RULES}::test_who_was_made_inactive_is_sent_nothing_of_that_time"
NO_NOTIFIER = "no simulated partner gets into that"


def _in_sqlite(name: str, *changes: tuple[str, str]) -> tuple[object, str, object]:
    return edited(SQL["sqlite"], name, *changes)


BUGS = (
    bug(
        "the place moves before the deliveries are written",
        "A page is behind the Notifier though nobody is told of it.",
        edited(
            FollowFeed,
            "_take",
            (
                "now = self._clock.now()\n",
                "now = self._clock.now()\n"
                "    async with self._begin() as first:\n"
                "        await first.move_followed(self._feed, page.next_cursor, anew=False)\n",
            ),
            ("!= before:", "is None:"),
        ),
    ),
    bug(
        "a slow follower moves back",
        "Nobody looks whether the place is still the one that the page follows.",
        edited(FollowFeed, "_take", ("!= before:", "is None:")),
        tests=(f"{RULES}::test_who_follows_more_slowly_moves_nothing_back",),
        why_tests=NO_NOTIFIER,
    ),
    bug(
        "a page that comes again is sent again",
        "An event that a webhook has already is sent once more.",
        _in_sqlite(
            "INSERT_DELIVERIES",
            ("DO NOTHING", "DO UPDATE SET state = 'QUEUED', ended_at = NULL"),
        ),
        tests=(ANEW,),
        why_tests=NO_NOTIFIER,
    ),
    bug(
        "a page that comes again is mailed again",
        "A customer who was told already is told once more.",
        _in_sqlite("INSERT_MAILS", ("DO NOTHING", "DO UPDATE SET state = 'WAITING'")),
        tests=(ANEW,),
        why_tests=NO_NOTIFIER,
    ),
    bug(
        "who lost its place begins with the newest",
        "What the feed still has is told to nobody.",
        edited(
            FollowFeed,
            "_begin_anew",
            ("self._feed, EARLIEST,", "self._feed, await self._feeds.latest(self._feed),"),
        ),
        tests=(ANEW,),
        why_tests=NO_NOTIFIER,
    ),
    bug(
        "events of a subject side by side",
        "No delivery waits for the one before.",
        _in_sqlite("INSERT_DELIVERIES", ("'QUEUED'", "'WAITING'")),
    ),
    bug(
        "the next one of a line stays behind",
        "Nobody lets go on who comes after what has ended.",
        edited(StoreWork, "record", ("if one.next_at is None", "if False")),
    ),
    bug(
        "delivered before the answer",
        "A delivery is recorded as arrived when it leaves.",
        edited(
            Deliver,
            "_deliver",
            (
                "answer = await self.send",
                "await self._record(Attempt(due, Answer(200), self._clock.now(), None))\n"
                "    answer = await self.send",
            ),
        ),
    ),
    bug(
        "a late failure undoes a delivery",
        "What a process that led before records last counts.",
        _in_sqlite(
            "RECORD_ATTEMPTS",
            (
                "   AND delivery.ended_at IS NULL\n"
                "   AND (delivery.state = 'WAITING' AND delivery.attempts = new.column3 - 1\n"
                "        OR new.column2 = 'DELIVERED')\n",
                "",
            ),
        ),
        tests=(f"{RULES}::test_a_late_failure_does_not_undo_a_delivery",),
        why_tests=NO_NOTIFIER,
    ),
    bug(
        "an old attempt counts after a reopening",
        "What was asked for again has the attempts of what was given up.",
        _in_sqlite("RECORD_ATTEMPTS", (" AND delivery.attempts = new.column3 - 1", "")),
        tests=(
            f"{RULES}::test_an_attempt_from_before_it_was_asked_for_again_takes_none_of_its_attempts",
        ),
        why_tests=NO_NOTIFIER,
    ),
    bug(
        "a redirection is a success",
        "Who points elsewhere has taken the event.",
        (
            delivery.Answer,
            "is_success",
            property(lambda answer: 200 <= answer.status < 400),
        ),
        tests=("tests/unit/test_webhook_delivery.py::test_nothing_else_is",),
        why_tests=NO_NOTIFIER,
    ),
    bug(
        "a repeat has another id",
        "A receiver can't know that it has an event already.",
        edited(
            Deliver,
            "_deliver",
            ("webhook, due.event_id,", 'webhook, f"{due.event_id}.{due.attempts}",'),
        ),
    ),
    bug(
        "a repeat has other bytes",
        "What is sent again tells how often it was.",
        edited(Deliver, "_deliver", ("due.body)", 'due.body + b" " * due.attempts)')),
    ),
    bug(
        "the dead have all the room",
        "A receiver that answers nothing is sent everything at once.",
        (deliver._Receiver, "has_room", property(lambda receiver: len(receiver.sent) < 16)),
        (deliver._Receiver, "takes_more", property(lambda receiver: len(receiver.next) < 16)),
        tests=(f"{RULES}::test_who_does_not_answer_has_room_for_one_and_others_go_on",),
        why_tests=NO_NOTIFIER,
    ),
    bug(
        "what is new overtakes what was missed",
        "Who is catching up is told of what comes now at once.",
        _in_sqlite("LISTENING_WEBHOOKS", ("catch_up.feed = ?1)", "catch_up.feed = ?1 AND FALSE)")),
    ),
    bug(
        "a gap at the joint",
        "Catching up ends one event before the place from which all go on.",
        edited(
            CatchUpWebhooks,
            "_bring",
            (
                "del events[cursors.index(joint) :]",
                "del events[max(cursors.index(joint) - 1, 0) :]",
            ),
        ),
    ),
    bug(
        "who was made inactive is told all the same",
        "What happens meanwhile waits for the webhook to be active again.",
        _in_sqlite("LISTENING_WEBHOOKS", ("state = 'ACTIVE'", "state <> 'DISABLED'")),
        tests=(INACTIVE,),
        why_tests=NO_NOTIFIER,
    ),
    bug(
        "what waits outlives its webhook's activity",
        "Made inactive, a webhook gets later what waited for it.",
        edited(
            UpdateWebhook,
            "__call__",
            (
                'await work.give_up_open(webhook_id, FEEDS, "the webhook was made inactive", now)',
                "pass",
            ),
        ),
        tests=(INACTIVE,),
        why_tests=NO_NOTIFIER,
    ),
    bug(
        "what is given up is forgotten",
        "Nobody can have it sent again.",
        (
            SQL["sqlite"],
            "GIVE_UP_OPEN",
            "DELETE FROM delivery WHERE webhook_id = ?1 AND ended_at IS NULL"
            " AND ?2 IS NOT NULL AND ?3 IS NOT NULL AND ?4 IS NOT NULL",
        ),
        tests=(f"{RULES}::test_what_was_given_up_is_kept_and_comes_when_asked_for",),
        why_tests=NO_NOTIFIER,
    ),
    bug(
        "a replay of one feed takes the other with it",
        "What waits of a feed that nobody asked for again is given up, and comes no more.",
        _in_sqlite("GIVE_UP_OPEN", ("AND feed IN", "OR feed IN")),
        tests=(f"{CATCHING_UP}::test_a_replay_of_one_feed_leaves_what_waits_of_the_other",),
        why_tests=NO_NOTIFIER,
    ),
    bug(
        "a feed that is away holds up all",
        "Who is behind in a feed that can be read waits for one that can't.",
        edited(CatchUpWebhooks, "__call__", ("away = away or error", "raise")),
        tests=(
            f"{CATCHING_UP}::test_a_feed_that_is_away_holds_up_nobody_who_is_behind_in_the_other",
        ),
        why_tests=NO_NOTIFIER,
    ),
    bug(
        "an address makes headers",
        "An encoded word before the @ is decoded into the mail, with the line breaks in it.",
        edited(mail_addresses, "read", (" or _ENCODED in local", "")),
        tests=("tests/unit/test_mail_message.py::test_no_address_makes_a_header",),
        why_tests=NO_NOTIFIER,
    ),
    bug(
        "secrets of webhooks lie open",
        "A secret is kept as it is.",
        (Sealer, "seal", lambda _self, secret, _webhook_id: secret.encode()),
        tests=(
            "tests/unit/test_webhook_sealing.py"
            "::test_nothing_of_a_secret_is_seen_and_the_same_is_sealed_otherwise",
        ),
        why_tests=NO_NOTIFIER,
    ),
    bug(
        "a name is looked at once",
        "A name that is public when it is looked at may lead anywhere when it is connected to.",
        edited(Guard, "require_allowed", ("if not self._rule.allows(address):", "if False:")),
        tests=(
            "tests/integration/test_webhook_targets.py"
            "::test_a_name_that_turns_private_after_the_check_is_not_connected_to",
        ),
        why_tests=NO_NOTIFIER,
    ),
    bug(
        "the erased get mail",
        "An order without an address is told to somebody.",
        edited(send_mail.SendMail, "__call__", ("if not order.customer.email:", "if False:")),
        tests=(f"{RULES}::test_who_was_erased_gets_no_mail",),
        why_tests=NO_NOTIFIER,
    ),
    bug(
        "a mail that was sent is sent again",
        "Whoever asks for a repeat gets one, whatever became of the mail.",
        _in_sqlite("RETRY_MAIL", ("   AND state <> 'SENT'\n", "")),
        tests=(f"{RULES}::test_a_mail_that_was_sent_is_not_sent_again",),
        why_tests=NO_NOTIFIER,
    ),
)
