"""Bytes that protobuf's own messages don't write."""


def varint(number: int) -> bytes:
    """A number as protobuf writes it, for values that its messages don't take."""
    number %= 2**64
    parts = []
    while number > 0x7F:
        parts.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*parts, number])
