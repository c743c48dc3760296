"""Asking the studio: answers as models, problems as exceptions, patience with one that is away."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import parse_qs, urlsplit

import httpx
from pydantic import BaseModel, ValidationError

from . import _events
from .errors import BadParameter, NotFound, Refused, Unreachable
from .models import Event, Problem

M = TypeVar("M", bound=BaseModel)

#: A listener hears a beat every 15 seconds: silence for longer than this is a studio that is gone.
SILENCE = 45.0

#: Seconds that the studio may take for what it reads as a whole or computes before it answers.
UNHURRIED = 1800.0


class Backoff:
    """Waits longer from try to try, and gives up after `patience` seconds without success."""

    def __init__(self, patience: float, revive: Callable[[], Awaitable[None]] | None = None) -> None:
        self.patience = patience
        self.revive = revive
        self.reset()

    def reset(self) -> None:
        self.delay = 0.1
        self.since: float | None = None

    async def wait(self, cause: Exception | None, at_least: float = 0) -> None:
        """Waits before the next try.

        Raises `cause`, or `Unreachable`, when there is no patience left.
        """
        now = time.monotonic()
        if self.since is None:
            self.since = now
        delay = max(self.delay, at_least)
        if now + delay - self.since > self.patience:
            if isinstance(cause, Refused):
                raise cause
            raise Unreachable(
                f"The studio has not answered for {self.patience:.0f} seconds ({cause or 'it closed'}). "
                "Is it running? Its jobs go on when it is started again: job() finds them by their id."
            ) from cause
        self.delay = min(2 * self.delay, 5)
        await asyncio.sleep(delay)
        if self.revive:
            await self.revive()


class Connection:
    """A studio by its address."""

    def __init__(self, address: str, token: str | None, patience: float) -> None:
        parts = urlsplit(address if "://" in address else f"http://{address}")
        # The address that the studio prints has its token in it.
        token = token or next(iter(parse_qs(parts.query).get("token", [])), None)
        host = parts.hostname or ""
        self.address = f"{parts.scheme}://{parts.netloc}"
        self.patience = patience
        self.revive: Callable[[], Awaitable[None]] | None = None
        self._http = httpx.AsyncClient(
            base_url=self.address,
            headers={"Authorization": f"Bearer {token}"} if token else {},
            timeout=httpx.Timeout(60, connect=10),
            # A proxy of the environment does not know this machine.
            trust_env=not (host in ("localhost", "::1") or host.startswith("127.")),
        )

    async def close(self) -> None:
        await self._http.aclose()

    def backoff(self) -> Backoff:
        return Backoff(self.patience, self.revive)

    async def ask(
        self,
        method: str,
        path: str,
        *,
        key: str | None = None,
        is_safe: bool | None = None,
        content: bytes | Path | None = None,
        content_type: str | None = None,
        json: Any = None,
        params: dict[str, Any] | None = None,
        within: float = 60,
    ) -> bytes:
        """The body of an answer, which begins `within` so many seconds. A path as `content` is sent piece by piece.

        While the studio is away, what does no harm twice is asked again: all but a POST, and of those the ones
        with a `key` or that are said to be safe.
        """
        headers = {}
        if key:
            headers["Idempotency-Key"] = key
        if content_type:
            headers["Content-Type"] = content_type
        if is_safe is None:
            is_safe = method != "POST" or key is not None
        backoff = self.backoff()
        while True:
            try:
                response = await self._http.request(
                    method,
                    path,
                    headers=headers,
                    content=_pieces(content) if isinstance(content, Path) else content,
                    json=json,
                    params=params,
                    timeout=httpx.Timeout(60, connect=10, read=within),
                )
            except httpx.TransportError as error:
                never_sent = isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout))
                if not is_safe and not never_sent:
                    raise Unreachable(
                        f"The studio at {self.address} went away before it answered ({error!r}). See whether "
                        "it did what it was asked, and try again."
                    ) from error
                await backoff.wait(error)
                continue
            if response.is_success:
                return response.content
            problem = problem_of(response)
            if problem.status != 429:
                raise problem
            await backoff.wait(problem, problem.retry_after or 1)

    async def get(self, path: str, model: type[M], params: dict[str, Any] | None = None) -> M:
        return self._read(model, await self.ask("GET", path, params=params))

    async def post(self, path: str, model: type[M], json: Any = None, **options: Any) -> M:
        """What is answered to a POST, as a model; `options` are those of `ask`."""
        return self._read(model, await self.ask("POST", path, json=json, **options))

    def _read(self, model: type[M], data: bytes) -> M:
        return read(model, data, self.address)

    async def events(self, path: str, last: int | None) -> AsyncIterator[Event]:
        """A stream of events, until it ends or breaks off."""
        headers = {} if last is None else {"Last-Event-ID": str(last)}
        timeout = httpx.Timeout(10, read=SILENCE)
        async with self._http.stream("GET", path, headers=headers, timeout=timeout) as response:
            if not response.is_success:
                await response.aread()
                raise problem_of(response)
            async for event in _events.events(response.aiter_bytes()):
                yield event


async def _pieces(path: Path) -> AsyncIterator[bytes]:
    """A file piece by piece: one of weights may be larger than memory."""
    with await asyncio.to_thread(path.open, "rb") as file:
        while piece := await asyncio.to_thread(file.read, 1 << 20):
            yield piece


def read(model: type[M], data: bytes, address: str) -> M:
    """An answer as a model."""
    try:
        return model.model_validate_json(data)
    except ValidationError as error:
        raise Refused(
            f"What is at {address} does not answer as a studio that this client knows ({error.error_count()} "
            f"fields, the first: {error.errors()[0]['loc']}). Use the client of the same checkout."
        ) from error


def problem_of(response: httpx.Response) -> Refused:
    """The exception that an answer is."""
    try:
        problem = Problem.model_validate_json(response.content)
    except ValidationError:
        problem = Problem(
            title=response.reason_phrase,
            status=response.status_code,
            detail=f"{response.url} answered {response.status_code} {response.reason_phrase}. Is it a studio?",
        )
    if problem.status == 404:
        return NotFound(problem.detail, status=404, title=problem.title)
    if problem.status == 422 and problem.field:
        return BadParameter(problem.detail, field=problem.field, status=422, title=problem.title)
    wait = response.headers.get("Retry-After", "")
    return Refused(
        problem.detail,
        status=problem.status,
        title=problem.title,
        field=problem.field,
        retry_after=float(wait) if wait.isdecimal() else None,
    )
