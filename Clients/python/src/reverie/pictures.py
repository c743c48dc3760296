"""Pictures of the gallery."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image

from . import _views, models
from ._connection import UNHURRIED, read

if TYPE_CHECKING:
    from . import jobs
    from .studio import AsyncReverie


#: Kinds of files that films have, and those of them that still pictures have, too.
FILMS = {".mp4", ".webm", ".gif", ".webp"}
STILLS = {".gif", ".webp"}


class AsyncPicture:
    """A picture of the gallery."""

    def __init__(self, studio: AsyncReverie, record: models.Picture) -> None:
        self._studio = studio
        #: What the studio last told of it.
        self.record = record
        self._data: bytes | None = None

    def __repr__(self) -> str:
        one = self.record
        size = f"{one.width} × {one.height}"
        return f"<{type(self).__name__} {self.id}: {one.prompt!r}, {one.method}, seed {one.seed}, {size}>"

    @property
    def id(self) -> str:
        return self.record.id

    @property
    def prompt(self) -> str:
        return self.record.prompt

    @property
    def seed(self) -> int:
        return self.record.seed

    @property
    def request(self) -> models.Fields:
        """What it was painted by; `paint(**picture.request)` paints it again."""
        return {name: value for name, value in (self.record.request or {}).items() if name != "schema"}

    @property
    def _path(self) -> str:
        return f"/api/v1/pictures/{self.id}"

    async def _ask(self, method: str, path: str = "", **options: Any) -> bytes:
        return await self._studio._connection.ask(method, self._path + path, **options)

    async def data(self) -> bytes:
        """Its PNG, with the request in it that made it."""
        if self._data is None:
            self._data = await self._ask("GET", "/file")
        return self._data

    async def image(self) -> Image.Image:
        """It as a picture of Pillow."""
        return _views.opened(await self.data())

    async def thumbnail(self) -> Image.Image:
        """It in small."""
        return _views.opened(await self._ask("GET", "/thumbnail"))

    async def film(self, format: str = "mp4") -> bytes:  # noqa: A002
        """The film whose last frame it is: as `mp4`, `webm`, `gif` or `webp`.

        Raises `NotFound` where it belongs to no film, and `BadParameter` where that is too long for the format.
        """
        return await self._ask("GET", "/film", params={"format": format}, within=UNHURRIED)

    async def attention(self) -> bytes:
        """A sheet, as PNG, that shows which word painted where; for `attention=True`."""
        return await self._ask("GET", "/attention")

    async def trace(self) -> models.Trace:
        """How it came about, as it was recorded while it was painted; `NotFound` where nothing was."""
        return await self._studio._connection.get(self._path + "/trace", models.Trace)

    async def describe(self) -> str:
        """What it shows, as a prompt, as far as the pack's CLIP finds it; it takes some seconds.

        Raises `Refused` where the studio has no program for that.
        """
        connection = self._studio._connection
        answer = await connection.post(self._path + "/describe", models.Description, is_safe=True, within=UNHURRIED)
        return answer.caption

    async def relatives(self) -> list[AsyncPicture]:
        """What it came of and what came of it, itself among them, the oldest first."""
        page = await self._studio._connection.get(self._path + "/relatives", models.PicturePage)
        return [AsyncPicture(self._studio, record) for record in page.pictures]

    async def save(self, path: str | Path) -> Path:
        """Writes its file: PNG as it is, its film for `.mp4` and `.webm`, and what Pillow writes for other endings.

        Where it belongs to a film, that is written for `.gif` and `.webp`, too.
        """
        target = Path(path).expanduser()
        ending = target.suffix.lower()
        if ending in ("", ".png"):
            target.with_suffix(".png").write_bytes(await self.data())
            return target.with_suffix(".png")
        if ending in FILMS and (self.record.links.film or ending not in STILLS):
            target.write_bytes(await self.film(ending[1:]))
        else:
            (await self.image()).convert("RGB").save(target)
        return target

    async def enlarge(self, scale: int = 2) -> jobs.AsyncJob:
        """Makes it larger by a network."""
        return await self._studio._enlarge(self, scale)

    async def vary(self, *wishes: Any, count: int = 4, **parameters: Any) -> jobs.AsyncJob:
        """Other pictures of what it shows; `wishes` beside it, as `"in winter", ("in summer", -1)`."""
        return await self._studio.paint([self, *wishes], count=count, parent=self.id, **parameters)

    async def favour(self, favourite: bool = True) -> None:
        """Makes it a favourite, or not."""
        answer = await self._studio._connection.ask("PATCH", self._path, json={"favourite": favourite})
        self.record = read(models.Picture, answer, self._studio.address)

    async def delete(self) -> None:
        """Throws it away; `restore` takes it back for a month."""
        await self._ask("DELETE")

    async def restore(self) -> None:
        """Takes it back."""
        connection = self._studio._connection
        self.record = await connection.post(self._path + "/restore", models.Picture, is_safe=True)

    async def collect(self, collection: str) -> None:
        """Puts it into a collection, which is made if there is none of that name."""
        connection = self._studio._connection
        await connection.ask("POST", "/api/v1/collections", is_safe=True, json={"name": collection})
        found = await self._studio._collection(collection)
        await connection.ask("PUT", f"/api/v1/collections/{found.id}/pictures/{self.id}")

    async def uncollect(self, collection: str) -> None:
        """Takes it out of a collection."""
        found = await self._studio._collection(collection)
        await self._studio._connection.ask("DELETE", f"/api/v1/collections/{found.id}/pictures/{self.id}")

    async def _as_file(self, studio: AsyncReverie) -> models.File:
        """It as a file that requests of a studio can name."""
        if studio.address != self._studio.address:
            return await studio.hand_in(await self.data())
        return await self._studio._connection.post(self._path + "/input", models.File, is_safe=True)
