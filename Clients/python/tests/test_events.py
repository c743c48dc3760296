"""Server-sent events, cut anywhere."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from reverie import models
from reverie._events import events

STREAM = (
    "retry: 2000\nid: 4\nevent: hello\ndata: {}\n\n"
    ": still here\n\n"
    'id: 5\nevent: progress\ndata: {"job":"a","time":1.5,"step":3}\n\n'
    'event: preview\ndata: {"job":"a","step":3,"image":"data:image/jpeg;base64,/9j/"}\n\n'
    # U+2028 ends a line for Python, and not in a stream of events.
    'id: 6\r\nevent: failed\r\ndata: {"job":"a","reason":"a\u2028b"}\r\n\r\n'
    'id: 7\nevent: finished\ndata: {"job":"a"}\n'
).encode()


@pytest.mark.parametrize("size", [1, 7, 64, 10_000])
def test_reads_what_is_whole(size: int) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, len(STREAM), size):
            yield STREAM[start : start + size]

    async def read() -> list[models.Event]:
        return [event async for event in events(chunks())]

    hello, progress, preview, failed = asyncio.run(read())
    assert (hello.kind, hello.id) == ("hello", 4)
    assert (progress.kind, progress.id, progress.job, progress.time) == ("progress", 5, "a", 1.5)
    assert progress.fields == {"step": 3}
    assert (preview.kind, preview.id, preview.preview) == ("preview", None, b"\xff\xd8\xff")
    assert failed.fields == {"reason": "a\u2028b"}
    assert failed.is_last
