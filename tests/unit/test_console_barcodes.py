"""Barcodes say what they stand for: each is read back from its drawing, as scanners read it."""

import re

import pytest
import zxingcpp

from holdfast.console.barcodes import barcode

DOTS = 4  # of the picture, a square


def read(drawn: str) -> str:
    """The text of the one code in a drawing, whose rows are strokes one square high."""
    told = re.search(r'viewBox="0 0 (\d+) (\d+)".* d="M(\d+) (\d+)\.5([^"]+)"', drawn)
    assert told is not None
    assert told[3] == told[4] == "4", "a quiet zone of four squares, without which scanners fail"
    width, height, x, y = (int(one) for one in told.groups()[:4])
    picture = [bytearray(b"\xff" * (width * DOTS)) for _ in range(height * DOTS)]
    for move, right, down, stroke in re.findall(r"(m)(-?\d+) (-?\d+)|h(\d+)", told[5]):
        if move:
            x, y = x + int(right), y + int(down)
            continue
        for row in picture[y * DOTS : (y + 1) * DOTS]:
            row[x * DOTS : (x + int(stroke)) * DOTS] = bytes(int(stroke) * DOTS)
        x += int(stroke)
    grey = memoryview(b"".join(picture)).cast("B", (height * DOTS, width * DOTS))
    (found,) = zxingcpp.read_barcodes(grey)
    return found.text


@pytest.mark.parametrize(
    "text",
    [
        "1",
        "LAMP-RED",
        "019be0a2-1234-7abc-8def-0123456789ab",
        'Lämpchen-<&">',
        "灯-🪔",
        "é" * 128,  # a product's id has at most so many characters, a tracking number 200
        "🚚" * 200,
    ],
)
def test_a_barcode_is_read_as_the_text_that_it_stands_for(text: str) -> None:
    assert read(barcode(text)) == text


def test_a_barcode_has_no_styles_and_nothing_of_its_text_in_the_page() -> None:
    drawn = barcode('Lämpchen-<&">')

    assert set(re.findall(r"<(\w+)", drawn)) == {"svg", "path"}
    assert "style" not in drawn
    assert "Lämp" not in drawn
