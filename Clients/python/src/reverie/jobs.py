"""What is being painted: watched, waited for, stopped, asked for again."""

from __future__ import annotations

import asyncio
import time
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any, TypeVar

import httpx
from PIL import Image

from . import _display, _sheet, _views, models
from ._connection import read
from ._request import Order
from .errors import JobFailed, NotFound, Refused, ReverieError
from .pictures import AsyncPicture

if TYPE_CHECKING:
    from .studio import AsyncReverie

Self = TypeVar("Self", bound="Watched")


class Watched(ABC):
    """Something that comes about, and shows itself."""

    def __init__(self, studio: AsyncReverie) -> None:
        self._studio = studio
        self._screens: list[_display.Screen] = []
        self._following: asyncio.Task[None] | None = None

    @property
    @abstractmethod
    def is_over(self) -> bool:
        """Whether nothing more will happen to it."""

    @abstractmethod
    async def stop(self, *, keep: bool = True) -> None:
        """Ends it after its step; `keep` makes a picture of what there is so far."""

    @abstractmethod
    def _changes(self) -> AsyncIterator[None]:
        """Whenever there is something new to see, until it is over."""

    @abstractmethod
    def _view(self) -> _display.View:
        """What there is to see."""

    @abstractmethod
    async def _finish(self) -> None:
        """Fetches what is seen at the end."""

    @abstractmethod
    def _complain(self) -> None:
        """Raises what went wrong."""

    async def wait(self: Self, *, show: bool | None = None) -> Self:
        """Waits until it is over, and shows that in a notebook, or where `show` says so."""
        if show or (show is None and _display.is_notebook()):
            self._show(_display.screen(None))
        await self._followed()
        return self

    async def _followed(self) -> None:
        # Whoever no longer waits does not end it for others.
        await asyncio.shield(self._follow())
        self._complain()

    def _show(self, screen: _display.Screen | None) -> None:
        if screen:
            screen.begin(self._view())
            self._screens.append(screen)

    def _follow(self) -> asyncio.Task[None]:
        if self._following is None or (self._following.done() and not self.is_over):
            self._following = asyncio.get_running_loop().create_task(self._run())
            # It is told on the screen, and raised by `wait`.
            self._following.add_done_callback(lambda task: task.cancelled() or task.exception())
        return self._following

    async def _run(self) -> None:
        shown = 0.0
        try:
            async for _ in self._changes():
                if time.monotonic() - shown >= _display.PACE:
                    self._tell()
                    shown = time.monotonic()
            if self._screens:
                await self._finish()
        except ReverieError as error:
            for screen in self._screens:
                screen.show(_display.View(self._view().title, str(error), is_over=True))
            raise
        self._tell()

    def _tell(self) -> None:
        """Shows how it stands, where somebody looks."""
        if self._screens:
            view = self._view()
            for screen in self._screens:
                screen.show(view)

    def _ipython_display_(self) -> None:
        async def over() -> None:
            await self._finish()
            self._show(_display.screen(None))

        loop = asyncio.get_running_loop()
        if self.is_over:
            self._showing = loop.create_task(over())
        else:
            self._show(_display.screen(lambda: asyncio.run_coroutine_threadsafe(self.stop(), loop)))
            self._follow()


class AsyncJob(Watched):
    """Pictures that were asked for."""

    def __init__(
        self,
        studio: AsyncReverie,
        record: models.Job,
        order: Order | None = None,
        body: models.Fields | None = None,
        key: str | None = None,
    ) -> None:
        super().__init__(studio)
        #: What the studio last told of it.
        self.record = record
        #: The newest picture on the way, as JPEG.
        self.preview: bytes | None = None
        #: What was read otherwise than one may think, or has no effect.
        self.remarks = record.remarks
        self._order = order
        self._body = body
        self._key = key
        self._results: list[_views.Result] = []

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.id}: {self.record.prompt!r}, {self.state.value}>"

    @property
    def id(self) -> str:
        return self.record.id

    @property
    def state(self) -> models.State:
        return self.record.state

    @property
    def is_over(self) -> bool:
        return self.state.is_over

    @property
    def progress(self) -> models.Progress | None:
        """How far it is."""
        return self.record.progress

    @property
    def request(self) -> models.Fields:
        """What is painted, with everything filled in that was left open."""
        return self.record.request

    @property
    def _path(self) -> str:
        return f"/api/v1/jobs/{self.id}"

    async def refresh(self) -> AsyncJob:
        """Asks how it stands."""
        self.record = await self._studio._connection.get(self._path, models.Job)
        return self

    async def events(self) -> AsyncIterator[models.Event]:
        """What happens to it from its beginning, until it is over.

        A studio that goes away is waited for, and nothing is told twice.
        """
        connection = self._studio._connection
        last: int | None = None
        backoff = connection.backoff()
        while True:
            cause: Exception | None = None
            try:
                async for event in connection.events(self._path + "/events", last):
                    if event.kind == "hello":
                        last = event.id
                        continue
                    backoff.reset()
                    last = last if event.id is None else event.id
                    await self._take(event)
                    yield event
                    if event.is_last:
                        return
            except httpx.TransportError as error:
                cause = error
            except NotFound:
                await self._ask_again()
                last = None
            except Refused as problem:
                if problem.status != 429:
                    raise
                cause = problem
            await backoff.wait(cause, getattr(cause, "retry_after", None) or 0)

    async def _take(self, event: models.Event) -> None:
        changes: dict[str, Any] = {}
        if event.kind == "preview":
            self.preview = event.preview
        elif event.kind == "progress":
            changes["progress"] = models.Progress.model_validate(event.fields)
        elif event.kind == "started":
            changes["state"] = models.State.painting
        elif event.kind in ("queued", "retried"):
            changes["state"] = models.State.queued
        if event.is_last or event.kind == "picture":
            await self.refresh()
        elif changes:
            self.record = self.record.model_copy(update=changes)

    async def _ask_again(self) -> None:
        """The studio came back without its folder: the same is asked for once more, under the same key."""
        if self._body is None or self._key is None:
            raise NotFound(f"The studio at {self._studio.address} knows no job {self.id} any more.")
        # What it was told has become its request.
        body = {**self._body, "request": self.record.request, "presets": [], "strength": None}
        self.record = await self._studio._connection.post("/api/v1/jobs", models.Job, body, key=self._key)

    async def stop(self, *, keep: bool = True) -> None:
        try:
            answer = await self._studio._connection.ask(
                # To be ended twice is to be ended.
                "POST",
                self._path + "/cancel",
                is_safe=True,
                json={"keep": keep},
            )
        except Refused as problem:
            # It was over already.
            if problem.status != 409:
                raise
            await self.refresh()
            return
        self.record = read(models.Job, answer, self._studio.address)

    async def move(self, before: AsyncJob | None = None) -> None:
        """Moves it, while it waits, before another one, or to the end of the queue."""
        other = before.id if before else None
        self.record = await self._studio._connection.post(
            self._path + "/move", models.Job, {"before": other}, is_safe=True
        )

    async def current(self) -> bytes | None:
        """The newest picture on the way, as JPEG; None while there is none."""
        try:
            self.preview = await self._studio._connection.ask("GET", self._path + "/preview")
        except NotFound:
            return None
        return self.preview

    async def pictures(self) -> list[AsyncPicture]:
        """Its pictures, once all are there."""
        await self._followed()
        return [await self._studio.picture(name) for name in self.record.pictures]

    async def again(self, **changes: Any) -> AsyncJob:
        """The same once more, but for `changes`; with the same seed if they name none."""
        if self.record.enlargement:
            raise ReverieError("An enlargement has nothing to change. Enlarge the picture again: picture.enlarge(…)")
        order = self._order
        if order is None:
            known = {name: value for name, value in self.request.items() if name not in ("prompt", "schema")}
            order = Order(self.request["prompt"], known, self.record.count, (), self.record.film)
        elif "seed" in self.request:
            order = order.with_changes({"seed": self.request["seed"]})
        own = {name: value for name, value in changes.items() if order.film and name in order.film}
        for name in own:
            del changes[name]
        order = order.with_changes(changes)
        if order.film:
            order = Order(order.prompt, order.parameters, film=order.film | own)
        return await self._studio._order(order)

    # How it is seen

    def _complain(self) -> None:
        if self.state is models.State.failed:
            raise JobFailed(self.record)

    async def _changes(self) -> AsyncIterator[None]:
        async for _ in self.events():
            yield

    async def _finish(self) -> None:
        if self._results:
            return
        for name in self.record.pictures:
            picture = await self._studio.picture(name)
            links = picture.record.links
            self._results.append(
                _views.Result(
                    picture.record,
                    await picture.data(),
                    await picture.film() if links.film else None,
                    await picture.attention() if links.attention else None,
                )
            )

    def _view(self) -> _display.View:
        return _views.of_job(self.record, self.remarks, self.preview, self._results)


class AsyncGrid(Watched):
    """Jobs side by side on one sheet."""

    def __init__(self, studio: AsyncReverie, jobs: list[AsyncJob], labels: list[str], columns: int | None) -> None:
        super().__init__(studio)
        self._jobs = jobs
        #: What each of them shows.
        self.labels = labels
        self._columns = columns
        self._images: dict[str, Image.Image] = {}
        self._shown: tuple[int, _display.Bundle] | None = None

    @property
    def jobs(self) -> list[AsyncJob]:
        """One for each combination."""
        return self._jobs

    @property
    def is_over(self) -> bool:
        return all(job.is_over for job in self._jobs)

    async def stop(self, *, keep: bool = True) -> None:
        for job in reversed(self._jobs):
            await job.stop(keep=keep)

    async def pictures(self) -> list[AsyncPicture]:
        """The pictures of all, once they are there."""
        await self._followed()
        return [picture for job in self._jobs for picture in await job.pictures()]

    async def sheet(self) -> Image.Image:
        """All of them, once they are there, on a labelled sheet."""
        await self._followed()
        await self._finish()
        return self._drawn()

    def _drawn(self) -> Image.Image:
        cells = [(self._images.get(job.id), label) for job, label in zip(self._jobs, self.labels, strict=True)]
        return _sheet.sheet(cells, self._columns)

    def _complain(self) -> None:
        for job in self._jobs:
            job._complain()

    async def _changes(self) -> AsyncIterator[None]:
        # The machine paints one after the other, in this order.
        for job in self._jobs:
            async for event in job.events():
                if event.kind != "preview":
                    yield
            await self._fetch(job)
            yield

    async def _fetch(self, job: AsyncJob) -> None:
        if job.record.pictures and job.id not in self._images:
            picture = await self._studio.picture(job.record.pictures[0])
            self._images[job.id] = await picture.image()

    async def _finish(self) -> None:
        for job in self._jobs:
            await self._fetch(job)

    def _bundle(self) -> _display.Bundle | None:
        """The sheet as far as it is painted."""
        known = len(self._images)
        if known and (self._shown is None or self._shown[0] != known):
            self._shown = known, _display.picture(_sheet.png(self._drawn()), "a sheet")
        return self._shown[1] if self._shown else None

    def _view(self) -> _display.View:
        done = sum(job.is_over for job in self._jobs)
        shares = [1 if job.is_over else _views.share(job.record) or 0 for job in self._jobs]
        current = next((job for job in self._jobs if not job.is_over), None)
        request = self._jobs[0].request
        named = zip(self._jobs, self.labels, strict=True)
        failed = [f"{label}: {_views.status(job.record)}" for job, label in named if job.state is models.State.failed]
        return _display.View(
            f"{len(self._jobs)} pictures · {self._jobs[0].record.prompt or request.get('method')}",
            f"{done} of {len(self._jobs)}" + (f" · {_views.status(current.record)}" if current else ""),
            sum(shares) / len(shares),
            self._bundle(),
            notes=failed,
            is_over=self.is_over,
        )
