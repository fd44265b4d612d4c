"""Bugs in whom a token names: what the token says of itself is believed, or for too long."""

from holdfast.chassis.identity import asking, issuer_keys
from holdfast.chassis.identity.issuer_keys import IssuerKeys
from holdfast.chassis.identity.issuers import Issuer
from holdfast.chassis.identity.tokens import Tokens, Verifier
from proof.mutants.planting import bug, edited

ISSUERS = "tests/integration/issuers"
FORGED, GOOD = f"{ISSUERS}/test_forged_tokens.py", f"{ISSUERS}/test_tokens.py"
KEYS = f"{ISSUERS}/test_issuer_keys.py"
NO_TOKENS = "nobody calls with a token in a simulated run"

BUGS = (
    bug(
        "the token chooses its algorithm",
        "A header with alg: none makes any claims good.",
        edited(
            Verifier,
            "__init__",
            ("algorithms=issuer.algorithms", 'algorithms=["none", *issuer.algorithms]'),
        ),
        edited(
            Verifier,
            "require_signature",
            ("if algorithm not in self._issuer.algorithms:", "if False:"),
        ),
        tests=(
            f"{FORGED}::test_an_algorithm_that_was_not_set_is_refused_whatever_the_header_says",
        ),
        why_tests=NO_TOKENS,
    ),
    bug(
        "the token brings its key",
        "A key in the header is believed to be the issuer's.",
        edited(
            Verifier,
            "require_signature",
            (
                "key = await self.keys.find(algorithm, kid)",
                "from joserfc.jwk import import_key\n"
                "    key = (import_key(header['jwk']) if 'jwk' in header\n"
                "           else await self.keys.find(algorithm, kid))",
            ),
        ),
        tests=(f"{FORGED}::test_a_token_can_t_bring_its_own_key",),
        why_tests=NO_TOKENS,
    ),
    bug(
        "no look at the signature",
        "A token is good if only its header is.",
        edited(Verifier, "require_signature", ("if not is_good:", "if False:")),
        tests=(f"{FORGED}::test_an_altered_token_is_refused",),
        why_tests=NO_TOKENS,
    ),
    bug(
        "any key of the set",
        "A token is checked by a key that it does not name.",
        edited(
            IssuerKeys,
            "_found",
            ('and (kid is None or key.get("kid") == kid)', ""),
        ),
        tests=(f"{FORGED}::test_a_key_id_is_looked_up_and_nothing_else",),
        why_tests=NO_TOKENS,
    ),
    bug(
        "one issuer speaks for another",
        "Whoever is configured first is asked about every token.",
        edited(
            Tokens,
            "require_good",
            ('self._verifiers.get(_text(claims, "iss"))', "next(iter(self._verifiers.values()))"),
        ),
        tests=(f"{GOOD}::test_one_issuer_can_t_speak_for_another",),
        why_tests=NO_TOKENS,
    ),
    bug(
        "no look at the audience",
        "A token that the issuer made for another service is good here.",
        edited(
            Verifier,
            "require_claims",
            ("if not any(one in named for one in self._issuer.audiences):", "if False:"),
        ),
        tests=(f"{GOOD}::test_a_token_for_somebody_else_is_refused",),
        why_tests=NO_TOKENS,
    ),
    bug(
        "a token never expires",
        "What was good once stays good.",
        edited(Verifier, "require_claims", ("if expires_at + leeway_s <= now:", "if False:")),
        tests=(f"{GOOD}::test_a_token_expires_but_for_the_leeway",),
        why_tests=NO_TOKENS,
    ),
    bug(
        "a token is known beyond its expiry",
        "What was found good is taken for a minute, however soon it expires.",
        edited(
            Tokens,
            "principal",
            ("min(good.expires_at, good.now + KNOWN_S_MAX)", "good.now + KNOWN_S_MAX"),
        ),
        tests=(f"{GOOD}::test_a_token_is_not_known_for_longer_than_it_is_good",),
        why_tests=NO_TOKENS,
    ),
    bug(
        "a key that is gone still opens",
        "Tokens stay known although the issuer no longer has the key that signed them.",
        edited(Tokens, "__init__", ("self._known.clear", "dict")),
        tests=(f"{KEYS}::test_a_key_that_is_gone_lets_nobody_in_any_longer",),
        why_tests=NO_TOKENS,
    ),
    bug(
        "old keys serve for ever",
        "An issuer that is never reached again can take no key back.",
        edited(
            IssuerKeys,
            "_found",
            ("if not self._is_younger(self._read_at, STALE_S_MAX):", "if False:"),
        ),
        tests=(
            f"{KEYS}"
            "::test_old_keys_serve_for_an_hour_while_the_issuer_is_away_and_then_nobody_is_let_in",
        ),
        why_tests=NO_TOKENS,
    ),
    bug(
        "callers make us ask",
        "Every token with a key id of its own causes a look at the issuer's keys.",
        (issuer_keys, "UNKNOWN_S_MIN", 0.0),
        tests=(f"{KEYS}::test_unknown_keys_cause_one_look_a_minute_whatever_their_number",),
        why_tests=NO_TOKENS,
    ),
    bug(
        "redirections are followed",
        "Keys are read from wherever an answer points to.",
        edited(asking, "client_for", ("follow_redirects=False", "follow_redirects=True")),
        tests=(
            f"{ISSUERS}/test_issuer_answers.py::test_the_right_answer_in_a_wrong_way_is_not_taken",
        ),
        why_tests=NO_TOKENS,
    ),
    bug(
        "a customer may have more",
        "Who is a shop's customer also has whatever else the token names.",
        edited(
            Issuer,
            "scopes_in",
            (
                "return frozenset({CUSTOMER}) if CUSTOMER in found else scopes_of(found)",
                "return scopes_of(found - {CUSTOMER}) | (found & {CUSTOMER})",
            ),
        ),
        tests=(
            "tests/unit/test_issuers.py"
            "::test_a_customer_is_a_customer_whatever_else_the_token_names",
        ),
        why_tests=NO_TOKENS,
    ),
    bug(
        "everybody's admin is ours",
        "A word that is not translated counts as it is.",
        edited(
            Issuer,
            "scopes_in",
            (
                "self.rights.get(word, ()) if self.rights else OURS & {word}",
                "self.rights.get(word, ()) or OURS & {word}",
            ),
        ),
        tests=(
            "tests/unit/test_issuers.py::test_words_that_are_translated_count_only_as_translated",
        ),
        why_tests=NO_TOKENS,
    ),
)
