"""Names that count how often they are compared: whoever seeks each among all takes the square."""


class Counted(str):
    """A name; `times` counts the comparisons of all of them."""

    __slots__ = ()
    times = 0

    def __eq__(self, other: object) -> bool:
        Counted.times += 1
        return super().__eq__(other)

    def __lt__(self, other: str) -> bool:
        Counted.times += 1
        return super().__lt__(other)

    __hash__ = str.__hash__
