"""How a bug is planted: one function, SQL text or constant of the product is replaced for a while.

Most bugs are a few words in a function that is right: `edited` plants them there, so that the rest
of the function stays the product's own.

The product has no switch for it: whoever does not import this package can't plant anything.
"""

import inspect
import textwrap
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple


class Patch(NamedTuple):
    """What is replaced: an attribute of a module or class, and what stands there instead."""

    owner: Any
    name: str
    new: object


@dataclass(frozen=True, slots=True)
class Bug:
    """A planted bug.

    :param breaks: what it gets wrong, in a sentence.
    :param patches: usually one. More where Holdfast defends a promise twice and both must fall.
    :param tests: what is to catch it where the simulation can't; names of files, as pytest takes
        them, with `::` and a test's name where one is meant.
    :param why_tests: why the simulation can't.
    """

    name: str
    breaks: str
    patches: tuple[Patch, ...]
    tests: tuple[str, ...] = ()
    why_tests: str = ""

    def __str__(self) -> str:
        return self.name

    @contextmanager
    def planted(self) -> Iterator[None]:
        """Have the product made wrong while the block runs."""
        with ExitStack() as stack:
            for patch in self.patches:
                stack.enter_context(replaced(*patch))
            yield


@contextmanager
def replaced(owner: Any, name: str, new: object) -> Iterator[None]:
    """Put something else in the place of an attribute that is there."""
    assert name in vars(owner), f"{owner.__name__} has no {name} to break"
    old = vars(owner)[name]
    setattr(owner, name, new)
    try:
        yield
    finally:
        setattr(owner, name, old)


def bug(
    name: str,
    breaks: str,
    *patches: tuple[Any, str, object],
    tests: Sequence[str] = (),
    why_tests: str = "",
) -> Bug:
    """Write a bug down. Each patch is (owner, name, what stands there instead)."""
    assert bool(tests) == bool(why_tests), "another layer has a reason"
    return Bug(name, breaks, tuple(Patch(*one) for one in patches), tuple(tests), why_tests)


def edited(owner: Any, name: str, *changes: tuple[str, str]) -> tuple[Any, str, object]:
    """Return the patch that leaves a function or SQL text as it is but for some words.

    :param changes: pairs: what stands there, and what is to stand there instead. The text is that
        of the source without the indentation of the `def`.
    :raises AssertionError: it doesn't stand there exactly once: the product has changed.
    """
    whole = vars(owner)[name]
    text = whole if isinstance(whole, str) else textwrap.dedent(inspect.getsource(whole))
    for old, new in changes:
        assert text.count(old) == 1, f"{name} has this {text.count(old)} times, not once: {old}"
        text = text.replace(old, new)
    if isinstance(whole, str):
        return owner, name, text
    made: dict[str, object] = {}
    exec(compile(text, f"<{name} with a bug>", "exec"), whole.__globals__, made)
    return owner, name, made[name]


def knowing(begin: Any, **known: object) -> Any:
    """Return how to begin transactions that don't look: what these verbs of theirs return was read
    before.
    """

    @asynccontextmanager
    async def begun() -> AsyncIterator[Any]:
        async with begin() as work:
            for verb, found in known.items():
                setattr(work, verb, _returning(found))
            yield work

    return begun


def _returning(found: object) -> Callable[..., Any]:
    async def verb(*_: object) -> object:
        return found

    return verb


def original(owner: Any, name: str) -> Callable[..., Any]:
    """The function that a bug calls in its turn, as it was before anything was planted."""
    found: Callable[..., Any] = vars(owner)[name]
    return found
