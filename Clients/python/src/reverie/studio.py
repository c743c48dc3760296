"""The client for asyncio. `Reverie` is the same one, for those who do not write `await`."""

from __future__ import annotations

import itertools
import json
import math
import os
import uuid
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, TypeAlias, TypeVar

import httpx
from PIL import Image

from . import _request, models
from ._connection import Connection, M, read
from ._program import Program
from ._request import Declarations, Order, PictureLike, Wish
from .errors import BadParameter, NotFound, Refused, ReverieError, Unreachable
from .installed import Installed
from .jobs import AsyncGrid, AsyncJob
from .pictures import AsyncPicture

P = TypeVar("P", models.JobPage, models.PicturePage)

#: What can be done with many pictures at once.
Change: TypeAlias = Literal["delete", "restore", "favourite", "unfavourite"]
#: Which pictures come first; `best` is by CLIP's score.
Ordering: TypeAlias = Literal["newest", "oldest", "best"]

#: Most pictures that a studio changes at once.
MOST = 1000

#: Where a studio usually is.
USUAL_ADDRESS = "http://127.0.0.1:7860"


class AsyncReverie(Installed):
    """A studio.

    Without an address it is the one that `REVERIE_STUDIO_URL` names (with `REVERIE_TOKEN`), else one that runs
    on this machine at its usual address, else one that is started and ends with this client.

        async with AsyncReverie() as studio:
            job = await studio.paint("a fox", seed=7)
            await job.wait()
    """

    def __init__(
        self,
        address: str | None = None,
        token: str | None = None,
        *,
        start: bool | None = None,
        command: Sequence[str] | None = None,
        data: str | Path | None = None,
        options: Sequence[str] = (),
        keep_running: bool = False,
        patience: float = 120,
    ) -> None:
        """
        Args:
            address: As the studio prints it; its token may stand in it.
            token: The word that the studio wants, where it is open to a network.
            start: True starts a studio even where one runs, False never does. Left out, one is started where
                none is found.
            command: What opens a studio, as `["/opt/reverie/reverie", "serve"]`. Left out, the checkout round
                the working folder, or `reverie-studio` or `reverie` on PATH.
            data: The folder of queue and pictures of a studio that is started; its usual one if left out.
            options: More options of `reverie serve`, as `["--device", "cuda"]`.
            keep_running: Leaves a studio that was started running.
            patience: Seconds for which a studio may be away before that is an error.
        """
        self._address = address or (None if start else os.environ.get("REVERIE_STUDIO_URL"))
        self._token = token or os.environ.get("REVERIE_TOKEN")
        self._start = start
        self._patience = patience
        self._program: Program | None = None
        self._make_program: Callable[[], Program] = lambda: Program(
            command, data=data, options=options, keep_running=keep_running
        )
        self._open: Connection | None = None
        self._declared: Declarations | None = None

    # Opening and closing

    async def open(self) -> AsyncReverie:
        """Finds a studio, or starts one."""
        if self._open is None:
            address = self._address
            if address is None:
                address = await self._found_or_started()
            connection = Connection(address, self._token, self._patience)
            if self._program:
                connection.revive = self._program.revive
            else:
                await self._greet(connection)
            self._open = connection
        return self

    async def _found_or_started(self) -> str:
        if not self._start:
            async with httpx.AsyncClient(trust_env=False, timeout=2) as client:
                try:
                    answer = await client.get(USUAL_ADDRESS + "/api/v1/status")
                    # Other programs like this port, too.
                    wants_token = 'realm="Reverie"' in answer.headers.get("WWW-Authenticate", "")
                    if wants_token or (answer.is_success and answer.json().get("program") == "reverie"):
                        return USUAL_ADDRESS
                except (httpx.TransportError, ValueError):
                    pass
        if self._start is False:
            raise Unreachable(
                f"No studio runs at {USUAL_ADDRESS}. Start it with ./reverie serve, or have it started: Reverie()"
            )
        self._program = self._make_program()
        return await self._program.start()

    async def _greet(self, connection: Connection) -> None:
        """Says at once what is wrong with an address or a token."""
        patience, connection.patience = connection.patience, 0
        try:
            await connection.get("/api/v1/status", models.Status)
        except Refused as problem:
            await connection.close()
            if problem.status == 401:
                problem.args = (problem.detail + " Give it as Reverie(token=…) or in REVERIE_TOKEN.",)
            raise
        except Unreachable as error:
            await connection.close()
            raise Unreachable(
                f"No studio answers at {connection.address}. Start it with ./reverie serve, or leave the address out "
                "(and REVERIE_STUDIO_URL) to have one started."
            ) from error
        connection.patience = patience

    async def close(self) -> None:
        """Ends a studio that was started, and lets go of any other."""
        if self._open:
            await self._open.close()
            self._open = None
        if self._program:
            self._program.close()
            self._program = None

    async def __aenter__(self) -> AsyncReverie:
        return await self.open()

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @property
    def _connection(self) -> Connection:
        if self._open is None:
            raise ReverieError(
                "The studio is not open. Use: async with AsyncReverie() as studio, or await studio.open()"
            )
        return self._open

    @property
    def address(self) -> str:
        """Where the studio is: open it in a browser, too."""
        return self._connection.address

    # Painting

    async def paint(
        self,
        prompt: Wish = "",
        *,
        count: int = 1,
        presets: Sequence[str] = (),
        parent: AsyncPicture | str | None = None,
        strength: float | None = None,
        key: str | None = None,
        **parameters: Any,
    ) -> AsyncJob:
        """Asks for pictures.

        Args:
            prompt: A text, a picture, or a list of them, as `[picture, "in winter", ("in summer", -1)]`.
            count: How many pictures: of the next seeds, or where a method writes candidates the next best.
            presets: Names of looks and qualities, as `["watercolour"]`.
            parent: The picture that this is made from, for the gallery.
            strength: How much of `init_image` may change, from 0 to 1; all that the method changes if left out.
            key: Of two jobs with one key the second is the first one.
            parameters: `method`, `seed`, `iterations` and all else that `parameters()` lists. Files are paths,
                pictures of Pillow, or pictures of the gallery.
        """
        source = parent.id if isinstance(parent, AsyncPicture) else parent
        return await self._order(Order(prompt, parameters, count, tuple(presets), None, source, strength), key)

    async def estimate(
        self,
        prompt: Wish = "",
        *,
        count: int = 1,
        presets: Sequence[str] = (),
        strength: float | None = None,
        **parameters: Any,
    ) -> models.Estimate:
        """How `paint` with these arguments would paint, and how long that would take. Nothing is queued.

        Raises `BadParameter` and `Refused` as `paint` does.
        """
        order = Order(prompt, parameters, count, tuple(presets), strength=strength)
        return await self._submit("/api/v1/estimates", models.Estimate, await self._body(order))

    async def film(self, kind: str, prompt: Wish = "", *, key: str | None = None, **parameters: Any) -> AsyncJob:
        """Asks for a film: `zoom`, `progress`, `restyle`, `morph` or `ring`, as `films()` lists them.

        `parameters` are those of the film (`frames`, `rate`, `zoom`, …) and of its pictures, side by side. `source` of
        `restyle` is a video, or a list of pictures.
        """
        declared = await self._declarations()
        own = {name: value for name, value in parameters.items() if _request.camel(name) in declared.film}
        rest = {name: value for name, value in parameters.items() if name not in own}
        known = declared.request | declared.film
        for name in rest:
            if _request.camel(name) not in known:
                raise _request.unknown(name, map(_request.snake, known), "parameter")
        return await self._order(Order(prompt, rest, film={"kind": kind, **own}), key)

    async def grid(
        self,
        prompt: Wish = "",
        over: Mapping[str, Iterable[Any]] | None = None,
        *,
        labels: Sequence[str] | None = None,
        presets: Sequence[str] = (),
        **parameters: Any,
    ) -> AsyncGrid:
        """Asks for a picture of every combination: `over={"method": ["fft", "pixel"], "seed": range(3)}`.

        The last of `over` goes along the rows of the sheet. `prompt` may be among them. `labels` stand under the
        pictures in place of the values.
        """
        axes = {name: list(values) for name, values in (over or {"seed": range(1, 5)}).items()}
        for name, values in axes.items():
            if not values:
                raise BadParameter(f"'{name}' has no values to go over.", field=name)
        if labels is not None and len(labels) != math.prod(map(len, axes.values())):
            raise BadParameter("'labels' must have one for each picture.", field="labels")
        cells = [dict(zip(axes, values, strict=True)) for values in itertools.product(*axes.values())]
        jobs: list[AsyncJob] = []
        try:
            for cell in cells:
                asked = {"prompt": prompt, **parameters, **cell}
                jobs.append(await self.paint(asked.pop("prompt"), presets=presets, **asked))
        except ReverieError:
            # All or nothing: what was handed in already would be painted for nobody.
            for job in jobs:
                await job.stop(keep=False)
            raise
        columns = len(list(axes.values())[-1]) if len(axes) > 1 else None
        named = list(labels or [", ".join(map(_label, cell.items())) for cell in cells])
        return AsyncGrid(self, jobs, named, columns)

    async def _order(self, order: Order, key: str | None = None) -> AsyncJob:
        key = key or uuid.uuid4().hex
        body = await self._body(order)
        return AsyncJob(self, await self._submit("/api/v1/jobs", models.Job, body, key), order, body, key)

    async def _body(self, order: Order) -> models.Fields:
        return await _request.body(order, await self._declarations(), self.hand_in)

    async def _submit(self, path: str, model: type[M], body: models.Fields, key: str | None = None) -> M:
        """Sends a new job, which does no harm twice."""
        try:
            return await self._connection.post(path, model, body, key=key, is_safe=True)
        except BadParameter as problem:
            # The studio knows what belongs to which method; it is told as this language spells it.
            spelled = _request.snake(problem.field or "")
            if spelled != problem.field and problem.field:
                problem.args = (problem.detail.replace(problem.field, spelled),)
            raise

    async def _enlarge(self, picture: AsyncPicture, scale: int) -> AsyncJob:
        path = f"/api/v1/pictures/{picture.id}/enlarge"
        return AsyncJob(self, await self._connection.post(path, models.Job, {"scale": scale}))

    async def _declarations(self) -> Declarations:
        if self._declared is None:
            self._declared = Declarations(json.loads(await self._connection.ask("GET", "/openapi.json")))
        return self._declared

    async def hand_in(self, picture: PictureLike, *, video: bool = False) -> models.File:
        """Hands in a picture, or with `video` also a film to paint over, as requests name it.

        Raises `ValueError` where it is neither.
        """
        if isinstance(picture, models.File):
            return picture
        if isinstance(picture, _request.HasReference):
            return await picture._as_file(self)
        return (await self._hand_in(picture, video)).file

    async def settings_of(self, picture: str | Path | bytes | Image.Image) -> models.HandedIn:
        """Hands in a picture, and tells how it was painted if its metadata does."""
        return await self._hand_in(picture, video=False)

    async def _hand_in(self, picture: str | Path | bytes | Image.Image, video: bool) -> models.HandedIn:
        data, kind, name = _request.encoded(picture, video=video)
        answer = await self._connection.ask(
            # The same bytes twice are one file.
            "POST",
            "/api/v1/files",
            is_safe=True,
            content=data,
            content_type=kind,
            params={"name": name},
        )
        return read(models.HandedIn, answer, self.address)

    async def file(self, file: models.File | Mapping[str, str]) -> bytes:
        """The bytes of a file that was handed in, as `job.request["initImage"]` names it."""
        return await self._connection.ask("GET", f"/api/v1/files/{models.File.model_validate(file).sha256}")

    # Jobs

    async def job(self, id: str) -> AsyncJob:  # noqa: A002
        """A job by its id."""
        return AsyncJob(self, await self._connection.get(f"/api/v1/jobs/{id}", models.Job))

    async def jobs(self, *states: models.State | str, limit: int = 50) -> list[AsyncJob]:
        """Jobs: those that wait in the order of the queue, else the newest first."""
        wanted = ",".join(models.State(state).value for state in states)
        found = await self._pages("/api/v1/jobs", models.JobPage, limit, 500, {"state": wanted} if wanted else {})
        return [AsyncJob(self, record) for page in found for record in page.jobs][:limit]

    async def events(self) -> AsyncIterator[models.Event]:
        """What happens to all jobs from now on; a studio that goes away is waited for."""
        last: int | None = None
        backoff = self._connection.backoff()
        while True:
            cause: Exception | None = None
            try:
                async for event in self._connection.events("/api/v1/events", last):
                    backoff.reset()
                    last = last if event.id is None else event.id
                    if event.kind != "hello":
                        yield event
            except httpx.TransportError as error:
                cause = error
            await backoff.wait(cause)

    # The gallery

    async def picture(self, id: str) -> AsyncPicture:  # noqa: A002
        """A picture by its id."""
        return AsyncPicture(self, await self._connection.get(f"/api/v1/pictures/{id}", models.Picture))

    async def pictures(
        self,
        search: str | None = None,
        *,
        favourites: bool = False,
        collection: str | None = None,
        method: str | None = None,
        since: float | None = None,
        until: float | None = None,
        order: Ordering = "newest",
        deleted: bool = False,
        limit: int = 60,
    ) -> list[AsyncPicture]:
        """Pictures of the gallery.

        Args:
            search: Words of their prompts.
            favourites: Only those.
            collection: The name of the one that they are in.
            method: The one that painted them.
            since: Those painted then or later, in whole seconds since 1970, as `record.created` tells.
            until: Those painted before.
            order: Which come first; `best` is by CLIP's score.
            deleted: Those that were thrown away, in place of those that were not.
            limit: Most of them.
        """
        query: dict[str, Any] = {
            "q": search,
            "favourites": favourites or None,
            "method": method,
            "since": None if since is None else int(since),
            "until": None if until is None else int(until),
            "order": order,
            "deleted": deleted or None,
        }
        if collection is not None:
            query["collection"] = (await self._collection(collection)).id
        query = {name: value for name, value in query.items() if value is not None}
        found = await self._pages("/api/v1/pictures", models.PicturePage, limit, 200, query)
        return [AsyncPicture(self, record) for page in found for record in page.pictures][:limit]

    async def _pages(self, path: str, model: type[P], limit: int, most: int, query: dict[str, Any]) -> list[P]:
        pages: list[P] = []
        after: str | None = None
        left = limit
        while left > 0:
            asked = {**query, "limit": min(left, most), **({"after": after} if after else {})}
            page = await self._connection.get(path, model, asked)
            pages.append(page)
            left -= most
            after = page.next
            if after is None:
                break
        return pages

    async def change_pictures(self, pictures: Iterable[AsyncPicture | str], change: Change) -> int:
        """Throws many pictures away, takes them back, or makes them favourites or not; says how many there were.

        `pictures` are pictures or their ids; those that there are not are passed over.
        """
        ids = _ids(pictures)
        changed = 0
        for start in range(0, len(ids), MOST):
            asked = {"pictures": ids[start : start + MOST], "change": change}
            answer = await self._connection.post("/api/v1/pictures/changes", models.Changed, asked, is_safe=True)
            changed += answer.pictures
        return changed

    async def empty_bin(self) -> int:
        """Removes for good all pictures that were thrown away; says how many there were."""
        answer = await self._connection.ask("DELETE", "/api/v1/bin")
        return read(models.Changed, answer, self.address).pictures

    async def archive(self, pictures: Iterable[AsyncPicture | str], path: str | Path) -> Path:
        """Writes many pictures, 1000 at most, and their films as one ZIP file.

        Raises `NotFound` where none of them is there.
        """
        asked = {"pictures": _ids(pictures)}
        data = await self._connection.ask("POST", "/api/v1/archives", json=asked, is_safe=True)
        target = Path(path).expanduser()
        target.write_bytes(data)
        return target

    async def collections(self) -> list[models.Collection]:
        """All collections, by name."""
        return (await self._connection.get("/api/v1/collections", models.Collections)).collections

    async def delete_collection(self, name: str) -> None:
        """Forgets a collection; its pictures stay."""
        await self._connection.ask("DELETE", f"/api/v1/collections/{(await self._collection(name)).id}")

    async def _collection(self, name: str) -> models.Collection:
        for collection in await self.collections():
            if collection.name == name:
                return collection
        raise NotFound(f"There is no collection '{name}'. collections() lists them.", field="collection")

    # What there is

    async def status(self) -> models.Status:
        """Version, devices, pack, counts."""
        return await self._connection.get("/api/v1/status", models.Status)

    async def is_there(self) -> bool:
        """Whether the studio answers now."""
        patience, self._connection.patience = self._connection.patience, 0
        try:
            return (await self._connection.get("/healthz", models.Health)).status == "ok"
        except Unreachable:
            return False
        finally:
            self._connection.patience = patience

    async def parameters(self) -> models.Parameters:
        """All that a request can say: methods, parameters, objectives, filters and films with their arguments."""
        return await self._connection.get("/api/v1/parameters", models.Parameters)

    async def methods(self) -> list[models.Method]:
        """Ways of painting; `available` tells those whose networks are here."""
        return (await self.parameters()).methods

    async def films(self) -> list[models.Kind]:
        """Kinds of films, with their parameters."""
        return (await self.parameters()).films

    async def presets(self) -> list[models.Preset]:
        """Named looks, qualities, shapes and recipes."""
        return (await self._connection.get("/api/v1/presets", models.Presets)).presets


def _ids(pictures: Iterable[AsyncPicture | str]) -> list[str]:
    return [one if isinstance(one, str) else one.id for one in pictures]


def _label(cell: tuple[str, Any]) -> str:
    name, value = cell
    return str(value) if isinstance(value, str) else f"{name} {value}"
