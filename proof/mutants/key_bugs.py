"""Bugs in who is let in by a key, and to what."""

from holdfast.chassis.grpc.rpc_boundary import RpcBoundary
from holdfast.chassis.identity import known_keys
from holdfast.chassis.identity.fetching import KeyFetching
from holdfast.chassis.identity.gate import Gate
from holdfast.chassis.identity.known_keys import KnownKeys
from proof.mutants.planting import bug, edited

KEYS = "tests/unit/test_keys.py"
WHY_NOT_GOOD = f"{KEYS}::test_only_who_has_the_secret_learns_why_a_key_is_not_good"
ONE_CALLER = "all who call in a simulated run may do everything"

BUGS = (
    bug(
        "requests are received before it is known whose they are",
        "Strangers fill the memory.",
        edited(
            RpcBoundary,
            "_guard",
            ("request = call.request = await read(body)", "request = call.request = sent"),
            (
                "await self._admit(name, context)",
                "sent = await read(body); await self._admit(name, context)",
            ),
        ),
        tests=(
            "tests/integration/test_wire.py"
            "::test_who_may_not_call_is_told_so_before_the_request_is_there",
        ),
        why_tests="a simulated network hands over whole requests",
    ),
    bug(
        "a revoked key is served",
        "Who had a key keeps it.",
        edited(known_keys, "_require_good", ("if known.is_revoked:", "if False:")),
        tests=(WHY_NOT_GOOD,),
        why_tests=ONE_CALLER,
    ),
    bug(
        "keys are read once",
        "What is made or revoked after the start is known only to the next.",
        edited(KnownKeys, "_look", ("if revision != self._revision:", "if self._revision < 0:")),
        tests=(f"{KEYS}::test_a_revoked_key_is_known_as_such_at_the_next_look",),
        why_tests=ONE_CALLER,
    ),
    bug(
        "the Notifier fetches keys once",
        "What is made or revoked after its start is known there only to the next.",
        edited(
            KeyFetching,
            "fetch",
            ("if revision == self._revision:", "if self._revision:"),
        ),
        tests=(
            "tests/integration/test_identity.py"
            "::test_a_key_is_known_to_all_services_and_a_revoked_one_to_none",
        ),
        why_tests=ONE_CALLER,
    ),
    bug(
        "a key never ends",
        "The time to which a key was made is told, and not kept.",
        edited(known_keys, "_require_good", ("if at >= known.ends_at:", "if False:")),
        tests=(WHY_NOT_GOOD,),
        why_tests=ONE_CALLER,
    ),
    bug(
        "a key is good from anywhere",
        "The networks of a key are told, and not kept.",
        edited(
            KnownKeys,
            "find",
            ("if known.networks and not keys.is_in(peer, known.networks):", "if False:"),
        ),
        tests=(WHY_NOT_GOOD,),
        why_tests=ONE_CALLER,
    ),
    bug(
        "a key's id is enough",
        "Whoever has seen the name of a key needs no secret.",
        edited(
            KnownKeys,
            "find",
            (
                "if not compare_digest(known.digest, keys.digest(self._pepper, key.secret)):",
                "if False:",
            ),
        ),
        tests=(WHY_NOT_GOOD,),
        why_tests=ONE_CALLER,
    ),
    bug(
        "who is known may do everything",
        "The table of rights is not looked at.",
        edited(Gate, "admit", ("if found.scopes.isdisjoint(needed):", "if False:")),
        tests=("tests/integration/issuers/test_gate.py::test_another_scope_is_none",),
        why_tests=ONE_CALLER,
    ),
    bug(
        "what is not in the table is open",
        "A method that somebody forgot to write down may be called by all who are known.",
        edited(
            Gate,
            "admit",
            ("self._rights.get(method, NOBODY)", "self._rights.get(method, found.scopes)"),
        ),
        tests=(
            "tests/integration/issuers/test_gate.py"
            "::test_a_method_that_nobody_wrote_down_may_be_called_by_nobody",
        ),
        why_tests=ONE_CALLER,
    ),
)
