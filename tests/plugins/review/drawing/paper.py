"""PDFs written by hand, small enough to be understood."""

from __future__ import annotations

import zlib


def pdf(
    content: bytes,
    rotate: int = 0,
    box: str = "0 0 400 300",
    *,
    pages: int = 1,
    resources: bytes = b"",
    more: tuple[bytes, ...] = (),
    squeezed: bool = False,
) -> bytes:
    """A PDF whose pages all show ``content`` (font F1 is Helvetica); ``more`` objects are numbered from 5 + pages."""
    kids = b" ".join(b"%d 0 R" % (5 + at) for at in range(pages))
    body = zlib.compress(content, 9) if squeezed else content
    head = b"<</Length %d%s>>" % (len(body), b"/Filter/FlateDecode" if squeezed else b"")
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[%s]/Count %d>>" % (kids, pages),
        head + b"stream\n" + body + b"\nendstream",
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[%s]/Rotate %d/Contents 3 0 R/Resources<</Font<</F1 4 0 R>>%s>>>>"
    objects += [page % (box.encode(), rotate, resources)] * pages
    objects += more
    out = b"%PDF-1.4\n"
    starts = []
    for number, one in enumerate(objects, start=1):
        starts.append(len(out))
        out += b"%d 0 obj\n" % number + one + b"\nendobj\n"
    table = b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    table += b"".join(b"%010d 00000 n \n" % start for start in starts)
    return out + table + b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % (len(objects) + 1, len(out))
