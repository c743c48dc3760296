"""The models of a studio: what is installed beside the pack, and what can be fetched."""

from __future__ import annotations

import asyncio
from pathlib import Path
from urllib.parse import quote

from . import models
from ._connection import UNHURRIED, Connection, read
from .errors import Refused, ReverieError

#: Seconds from look to look at how far a model is.
PACE = 0.5


class Installed:
    """The part of `AsyncReverie` that is about models."""

    @property
    def address(self) -> str:
        """Where the studio is."""
        raise NotImplementedError

    @property
    def _connection(self) -> Connection:
        raise NotImplementedError

    async def known_models(self) -> list[models.KnownModel]:
        """Models that `fetch_model` fetches by their names."""
        return (await self._models()).known

    async def fetches(self) -> list[models.Fetch]:
        """Models that are being fetched, and those whose fetch failed or was stopped."""
        return (await self._models()).fetches

    async def fetch_model(self, name: str, *, wait: bool = True) -> None:
        """Fetches a known model, or goes on where that was cut off; one that is installed stays as it is.

        Without `wait` it only begins, and `fetches` tells how far it is. Raises `NotFound` where none of that name
        is known, and `ReverieError` where it cannot be fetched or somebody stops that.
        """
        try:
            answer = await self._connection.post(_model(name) + "/fetch", models.Models, is_safe=True)
        except Refused as problem:
            # It is installed.
            if problem.status != 409:
                raise
            return
        while wait and (fetch := next((one for one in answer.fetches if one.id == name), None)):
            if fetch.state != "running":
                raise ReverieError(
                    f"{name} was not fetched: {fetch.problem or 'it was stopped'}. fetch_model({name!r}) goes on."
                )
            await asyncio.sleep(PACE)
            answer = await self._models()

    async def stop_fetch(self, name: str) -> None:
        """Stops fetching a model; what is there of it stays for another time. `NotFound` where it is not fetched."""
        await self._connection.ask("DELETE", _model(name) + "/fetch")

    async def add_model(self, path: str | Path) -> models.InstalledModel:
        """Hands in a file of weights or a vocabulary. What it is is seen from what it holds.

        Raises `BadParameter` where it is nothing that Reverie reads, or its name is taken.
        """
        file = Path(path).expanduser()
        before = await self._models()
        installed, fetched = ({one.id for one in those} for those in (before.models, before.fetches))
        answer = await self._connection.ask(
            "POST",
            "/api/v1/models",
            content=file,
            content_type="application/octet-stream",
            params={"name": file.name},
            within=UNHURRIED,
        )
        after = read(models.Models, answer, self.address).models
        # What was being fetched may have come meanwhile.
        return min((one for one in after if one.id not in installed), key=lambda one: one.id in fetched)

    async def verify_model(self, name: str) -> models.Verdict:
        """Compares an installed model's files with the hashes noted when they came; `NotFound` where there is none."""
        return await self._connection.post(_model(name) + "/verify", models.Verdict, is_safe=True, within=UNHURRIED)

    async def remove_model(self, name: str) -> None:
        """Removes an installed model, with its files; `NotFound` where there is none."""
        await self._connection.ask("DELETE", _model(name))

    async def _models(self) -> models.Models:
        return await self._connection.get("/api/v1/models", models.Models)

    # The last, since below it this name is no module any more.
    async def models(self) -> list[models.InstalledModel]:
        """Models that are installed beside the pack."""
        return (await self._models()).models


def _model(name: str) -> str:
    """The address of a model."""
    return f"/api/v1/models/{quote(name, safe='')}"
