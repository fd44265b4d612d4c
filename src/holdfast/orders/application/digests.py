"""Digests of what was asked for: they tell a repeat from another request under the same id."""

import hashlib
import json

ERASED = ""  # in a digest's place once what was asked for is erased: no digest is empty


def digest_of(asked: object) -> str:
    """Digest what was asked for; who asked makes no difference, so that it has no part in it.

    Digests are kept for ever: what is digested of a request never changes its form. A better one
    gets another prefix, and both are compared.
    """
    return f"v1:{hashlib.sha256(json.dumps(asked).encode()).hexdigest()}"


def may_repeat(recorded: str, digest: str) -> bool:
    """Whether what is asked for now may be what was recorded: of what is erased nobody knows."""
    return recorded in (digest, ERASED)
