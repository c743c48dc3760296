"""The real studio, of a build that is there, with a folder of its own."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from reverie import Job, Reverie

ROOT = Path(__file__).resolve().parents[3]
PROGRAM = Path(os.environ.get("REVERIE", ROOT / ".build/release/reverie-studio"))
COMMAND = [str(PROGRAM), "serve"]

#: Painted in less than a second.
QUICK: dict[str, Any] = {"method": "pixel", "iterations": 3, "cutouts": 2, "width": 64, "height": 64}
#: Painted for minutes, if nobody stops it.
LONG: dict[str, Any] = QUICK | {"iterations": 20_000}

#: What was asked of studios in this session, as ("GET", "/api/v1/status").
asked: set[tuple[str, str]] = set()


@pytest.fixture(scope="session")
def program() -> list[str]:
    """The command that opens a studio."""
    if not PROGRAM.exists():
        pytest.skip(f"there is no {PROGRAM}; ./reverie serve builds it")
    return COMMAND


@pytest.fixture(scope="session", autouse=True)
def _usual(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """One thread, no studio of the user's, and a note of what is asked."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OMP_NUM_THREADS", "1")
        patch.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("home")))
        for name in ("REVERIE_STUDIO_URL", "REVERIE_TOKEN", "REVERIE_STUDIO"):
            patch.delenv(name, raising=False)
        send = httpx.AsyncClient.send

        async def noting(self: httpx.AsyncClient, request: httpx.Request, **options: Any) -> httpx.Response:
            asked.add((request.method, request.url.path))
            return await send(self, request, **options)

        patch.setattr(httpx.AsyncClient, "send", noting)
        yield


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the studio keeps what is its own."""
    return tmp_path_factory.mktemp("studio")


@pytest.fixture(scope="session")
def studio(program: list[str], folder: Path) -> Iterator[Reverie]:
    with Reverie(start=True, command=program, data=folder) as studio:
        yield studio


@pytest.fixture(scope="session")
def fox(studio: Reverie) -> Job:
    """A job that is over."""
    return studio.paint("a red fox", seed=7, **QUICK).wait()


def operations(document: dict[str, Any]) -> dict[str, tuple[str, re.Pattern[str]]]:
    """The operations of an OpenAPI document: name, method, and what its addresses look like."""
    return {
        operation["operationId"]: (method.upper(), re.compile(re.sub(r"\{\w+\}", "[^/]+", path)))
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }
