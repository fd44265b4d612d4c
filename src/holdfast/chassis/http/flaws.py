"""What is wrong with an HTTP request, and where: gathered, so that a caller learns all at once."""

from typing import Literal, NamedTuple

FLAWS_MAX = 100  # told of one request; a body of rubbish has as many as it has values
_CHARACTERS_MAX = 400  # of a name or detail, which may echo what a caller sent

Place = Literal["pointer", "parameter", "header"]


class Flaw(NamedTuple):
    """One thing that is wrong.

    :param name: where: a JSON pointer into the body (RFC 6901; "" is all of it), or the name of a
        parameter of path or query, or of a header.
    """

    place: Place
    name: str
    detail: str


class BadHttpRequest(Exception):
    """A request that is no request of the method; nothing was done.

    :param status: of HTTP: 400, or what says more.
    """

    def __init__(self, flaws: "Flaws", status: int = 400) -> None:
        super().__init__("; ".join(f"{flaw.name}: {flaw.detail}" for flaw in flaws.found[:5]))
        self.flaws, self.status = flaws, status


class Flaws:
    """Gathers flaws; of more than FLAWS_MAX the first.

    :ivar count: of all of them.
    """

    def __init__(self) -> None:
        self.found: list[Flaw] = []
        self.count = 0

    def add(self, name: str, detail: str, *, place: Place = "pointer") -> None:
        self.count += 1
        if self.count <= FLAWS_MAX:
            self.found.append(Flaw(place, _tellable(name), _tellable(detail)))

    def raise_any(self) -> None:
        """:raises BadHttpRequest: if anything was found."""
        if self.found:
            raise BadHttpRequest(self)


def _tellable(text: str) -> str:
    """The same, short, and without halves of characters, which no answer can have."""
    cut = text if len(text) <= _CHARACTERS_MAX else f"{text[:_CHARACTERS_MAX]}..."
    return cut if cut.isascii() else cut.encode(errors="replace").decode()


def refused(
    detail: str, status: int = 400, *, name: str = "", place: Place = "pointer"
) -> BadHttpRequest:
    """Return the refusal of a request that can't be read at all."""
    flaws = Flaws()
    flaws.add(name, detail, place=place)
    return BadHttpRequest(flaws, status)


def pointer_to(pointer: str, part: str | int) -> str:
    """Return the pointer to a member or an element of what `pointer` points to."""
    return f"{pointer}/{str(part).replace('~', '~0').replace('/', '~1')}"
