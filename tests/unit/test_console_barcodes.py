"""Barcodes are drawn square by square, as the QR code of the text has them."""

import re

import segno

from holdfast.console.barcodes import barcode

TEXT = 'Lämpchen-<&">'


def test_a_barcode_is_the_text_in_utf8_drawn_without_styles() -> None:
    drawn = barcode(TEXT)

    matrix = segno.make_qr(TEXT.encode(), error="m", boost_error=False).matrix
    side = len(matrix) + 8  # the quiet zone is of four squares
    assert f'viewBox="0 0 {side} {side}"' in drawn
    path = re.search(r'stroke="#000" d="([^"]+)"', drawn)
    assert path is not None
    assert sum(map(int, re.findall(r"h(\d+)", path[1]))) == sum(map(sum, matrix))
    assert "style" not in drawn
    assert "Lämp" not in drawn
