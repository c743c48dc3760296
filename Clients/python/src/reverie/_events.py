"""Server-sent events (WHATWG HTML, section 9.2.6)."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterable, AsyncIterator
from typing import Any

from .models import Event


async def lines(chunks: AsyncIterable[bytes]) -> AsyncIterator[str]:
    """Lines of a stream. Only CR and LF end them: a prompt may hold what `str.splitlines` takes for an end."""
    rest = b""
    async for chunk in chunks:
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            yield line.removesuffix(b"\r").decode(errors="replace")


async def events(chunks: AsyncIterable[bytes]) -> AsyncIterator[Event]:
    """What a stream tells, `hello` included. A message that is cut off at its end is none."""
    kind, number, data = "message", None, list[str]()
    async for line in lines(chunks):
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if not line:
            if data:
                yield _event(kind, number, json.loads("\n".join(data)))
            kind, number, data = "message", None, []
        elif name == "event":
            kind = value
        elif name == "id" and value.isdecimal():
            number = int(value)
        elif name == "data":
            data.append(value)


def _event(kind: str, number: int | None, fields: dict[str, Any]) -> Event:
    picture: str | None = fields.pop("image", None)
    return Event(
        kind=kind,
        id=number,
        job=fields.pop("job", ""),
        time=fields.pop("time", None),
        fields=fields,
        preview=base64.b64decode(picture.partition(",")[2]) if picture else None,
    )
