"""Barcodes for scanners: QR codes, which take every id there is, drawn into the page."""

import asyncio
from collections.abc import Iterable, Mapping

import segno
from markupsafe import Markup


def barcode(text: str) -> Markup:
    """Return a QR code of a text in UTF-8 as SVG, black on white, with its quiet zone.

    It has no style or script in it. A tenth of it may be unreadable (level M of ISO/IEC 18004).

    :raises segno.DataOverflowError: the text has more than 2,331 bytes.
    """
    code = segno.make_qr(text, error="m", encoding="utf-8", boost_error=False)
    drawn = code.svg_inline(omitsize=True, svgclass="barcode", lineclass=None, light="#fff")
    return Markup(drawn)  # noqa: S704 - made of the squares, not of the text


async def barcodes(texts: Iterable[str]) -> Mapping[str, Markup]:
    """Return the codes of texts, drawn beside all else that goes on: each takes some 10 ms, and
    those of a long list a quarter of a minute.

    :raises segno.DataOverflowError: as `barcode`.
    """
    wanted = list(dict.fromkeys(texts))
    return await asyncio.to_thread(lambda: {text: barcode(text) for text in wanted})
