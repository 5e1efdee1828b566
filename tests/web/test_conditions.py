"""Conditional and partial requests: every header alone and the ones that work together."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from issbox.rules.content.media_types import content_type
from issbox.web.conditions import Part, choose, http_time

THEN = 1_700_000_000.75
SAME, LATER, EARLIER = http_time(THEN), http_time(THEN + 60), http_time(THEN - 60)
WHOLE = Part(200, 0, 1000)


def ask(**headers: str) -> Part:
    return choose(
        {name.replace("_", "-"): value for name, value in headers.items()}, tag="t1", modified=THEN, size=1000
    )


@pytest.mark.parametrize(
    ("headers", "part"),
    [
        ({}, WHOLE),
        ({"If_None_Match": '"t1"'}, Part(304)),
        ({"If_None_Match": 'W/"t1"'}, Part(304)),
        ({"If_None_Match": '"x", "t1"'}, Part(304)),
        ({"If_None_Match": "*"}, Part(304)),
        ({"If_None_Match": '"x"'}, WHOLE),
        ({"If_None_Match": '"x"', "If_Modified_Since": LATER}, WHOLE),
        ({"If_Modified_Since": SAME}, Part(304)),
        ({"If_Modified_Since": LATER}, Part(304)),
        ({"If_Modified_Since": EARLIER}, WHOLE),
        ({"If_Modified_Since": "yesterday"}, WHOLE),
        ({"If_Modified_Since": "Thu, 01 Jan 99999999 00:00:00 GMT"}, WHOLE),
        ({"If_Match": '"t1"'}, WHOLE),
        ({"If_Match": "*"}, WHOLE),
        ({"If_Match": 'W/"t1"'}, Part(412)),
        ({"If_Match": '"x"'}, Part(412)),
        ({"If_Unmodified_Since": SAME}, WHOLE),
        ({"If_Unmodified_Since": EARLIER}, Part(412)),
        ({"If_Match": '"t1"', "If_Unmodified_Since": EARLIER}, WHOLE),
        ({"Range": "bytes=0-"}, Part(206, 0, 1000)),
        ({"Range": "bytes=0-0"}, Part(206, 0, 1)),
        ({"Range": "bytes=10-19"}, Part(206, 10, 10)),
        ({"Range": "Bytes=10-19"}, Part(206, 10, 10)),
        ({"Range": "bytes=990-5000"}, Part(206, 990, 10)),
        ({"Range": "bytes=-10"}, Part(206, 990, 10)),
        ({"Range": "bytes=-5000"}, Part(206, 0, 1000)),
        ({"Range": "bytes=-0"}, Part(416)),
        ({"Range": "bytes=1000-"}, Part(416)),
        ({"Range": "bytes=9999999999999999999-"}, Part(416)),
        ({"Range": "bytes=20-10"}, WHOLE),
        ({"Range": "bytes=0-1,5-6"}, WHOLE),
        ({"Range": "bytes=-"}, WHOLE),
        ({"Range": "lines=1-2"}, WHOLE),
        ({"Range": "bytes=\u0661-"}, WHOLE),
        ({"Range": "bytes=1-2", "If_Range": '"t1"'}, Part(206, 1, 2)),
        ({"Range": "bytes=1-2", "If_Range": 'W/"t1"'}, WHOLE),
        ({"Range": "bytes=1-2", "If_Range": '"x"'}, WHOLE),
        ({"Range": "bytes=1-2", "If_Range": SAME}, Part(206, 1, 2)),
        ({"Range": "bytes=1-2", "If_Range": LATER}, WHOLE),
        ({"Range": "bytes=1-2", "If_Range": "rubbish"}, WHOLE),
        ({"Range": "bytes=1-2", "If_None_Match": '"t1"'}, Part(304)),
    ],
)
def test_conditions(headers: dict[str, str], part: Part) -> None:
    assert ask(**headers) == part


def test_head_has_no_parts_and_an_empty_file_none_either() -> None:
    assert choose({"Range": "bytes=1-2"}, tag="t", modified=0, size=10, partial=False) == Part(200, 0, 10)
    assert choose({"Range": "bytes=0-"}, tag="t", modified=0, size=0) == Part(416)
    assert choose({}, tag="t", modified=0, size=0) == Part(200, 0, 0)


@given(st.text("bytes=0123456789-, ", max_size=20).map(lambda text: f"bytes={text}") | st.text(max_size=20))
def test_no_range_reaches_outside_of_the_file(text: str) -> None:
    part = choose({"Range": text}, tag="t", modified=0, size=50)
    assert part.status in (200, 206, 416)
    assert part.start >= 0
    assert part.start + part.length <= 50
    assert part.status == 416 or part.length > 0


def test_compressed_files_are_not_the_encoding_of_others() -> None:
    assert content_type("abc-primary.xml.gz") == "application/gzip"
    assert content_type("repomd.xml") == "text/xml"
    assert content_type("a-1.0.noarch.RPM") == "application/x-rpm"
    assert content_type("index.html") == "application/octet-stream"
    assert content_type("noending") == "application/octet-stream"
    assert content_type("listing") == "text/plain; charset=utf-8"
