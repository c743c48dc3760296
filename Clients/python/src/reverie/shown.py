"""What a studio gives to those who do not write `await`: jobs, grids and pictures, run by a thread of its own."""

from __future__ import annotations

import asyncio
import io
import threading
import weakref
from collections.abc import Coroutine, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from PIL import Image

from . import _display, models
from .errors import ReverieError
from .jobs import AsyncGrid, AsyncJob, Watched
from .pictures import AsyncPicture

if TYPE_CHECKING:
    from .studio import AsyncReverie

T = TypeVar("T")
W = TypeVar("W", bound=Watched)
Self = TypeVar("Self", bound="Shown[Any]")


class Loop:
    """A loop in a thread: painting is watched while a notebook's cells come and go."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, name="reverie", daemon=True).start()
        weakref.finalize(self, self._loop.call_soon_threadsafe, self._loop.stop)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Waits for something; whoever is interrupted ends it."""
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        except ReverieError as error:
            # How the loop came to it is nothing to read in a cell.
            raise error.with_traceback(None) from error.__cause__
        except BaseException:
            future.cancel()
            raise

    def submit(self, work: Coroutine[Any, Any, object]) -> None:
        """Begins something."""
        asyncio.run_coroutine_threadsafe(work, self._loop)


class Shown(Generic[W]):
    """Something that comes about, and shows itself: as the last line of a cell, or while it is waited for."""

    def __init__(self, loop: Loop, watched: W) -> None:
        self._loop = loop
        self._watched = watched

    def __repr__(self) -> str:
        return repr(self._watched).replace("<Async", "<")

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen to it."""
        return self._watched.is_over

    def wait(self: Self, *, show: bool = True) -> Self:
        """Waits until it is over.

        In a notebook it shows itself meanwhile; interrupting the cell keeps what there is so far. On a terminal
        it shows a line; ^C keeps what there is, too, and is then raised as ever.
        """
        if show and not self.is_over:
            self._watched._show(_display.screen(None, "Interrupt the cell to stop, and keep what there is."))
        try:
            self._loop.run(self._watched._followed())
        except KeyboardInterrupt:
            self._loop.run(self._watched.stop())
            self._loop.run(self._watched._followed())
            if not _display.is_notebook():
                raise
        return self

    def stop(self, *, keep: bool = True) -> None:
        """Ends it after its step; `keep` makes a picture of what there is so far."""
        self._loop.run(self._watched.stop(keep=keep))

    def _ipython_display_(self) -> None:
        if self.is_over:
            self._loop.run(self._watched._finish())
            screen = _display.screen(None)
        else:
            screen = _display.screen(lambda: self._loop.submit(self._watched.stop()))
        if screen is None:
            print(repr(self))
            return
        self._watched._show(screen)
        if not self.is_over:
            self._loop.submit(self._watched._followed())


class Job(Shown[AsyncJob]):
    """Pictures that were asked for."""

    @property
    def id(self) -> str:
        return self._watched.id

    @property
    def record(self) -> models.Job:
        """What the studio last told of it."""
        return self._watched.record

    @property
    def state(self) -> models.State:
        return self._watched.state

    @property
    def progress(self) -> models.Progress | None:
        """How far it is."""
        return self._watched.progress

    @property
    def remarks(self) -> list[str]:
        """What was read otherwise than one may think, or has no effect."""
        return self._watched.remarks

    @property
    def request(self) -> models.Fields:
        """What is painted, with everything filled in that was left open."""
        return self._watched.request

    @property
    def pictures(self) -> list[Picture]:
        """Its pictures; waits until all are there."""
        self.wait()
        return [Picture(self._loop, one) for one in self._loop.run(self._watched.pictures())]

    @property
    def picture(self) -> Picture:
        """Its first picture; waits for it."""
        return self.pictures[0]

    def again(self, **changes: Any) -> Job:
        """The same once more, but for `changes`; with the same seed if they name none."""
        return Job(self._loop, self._loop.run(self._watched.again(**changes)))

    def refresh(self) -> Job:
        """Asks how it stands."""
        self._loop.run(self._watched.refresh())
        return self

    def move(self, before: Job | None = None) -> None:
        """Moves it, while it waits, before another one, or to the end of the queue."""
        self._loop.run(self._watched.move(before._watched if before else None))

    def current(self) -> Image.Image | None:
        """The newest picture on the way; None while there is none."""
        data = self._loop.run(self._watched.current())
        return Image.open(io.BytesIO(data)) if data else None


class Grid(Shown[AsyncGrid]):
    """Jobs side by side on one sheet."""

    @property
    def jobs(self) -> list[Job]:
        """One for each combination."""
        return [Job(self._loop, job) for job in self._watched.jobs]

    @property
    def labels(self) -> list[str]:
        """What each of them shows."""
        return self._watched.labels

    @property
    def pictures(self) -> list[Picture]:
        """The pictures of all; waits until they are there."""
        self.wait()
        return [Picture(self._loop, one) for one in self._loop.run(self._watched.pictures())]

    @property
    def sheet(self) -> Image.Image:
        """All of them on a labelled sheet; waits until they are there."""
        self.wait()
        return self._loop.run(self._watched.sheet())


class Picture:
    """A picture of the gallery."""

    def __init__(self, loop: Loop, picture: AsyncPicture) -> None:
        self._loop = loop
        self._picture = picture

    def __repr__(self) -> str:
        return repr(self._picture).replace("<Async", "<")

    @property
    def id(self) -> str:
        return self._picture.id

    @property
    def record(self) -> models.Picture:
        """What the studio last told of it."""
        return self._picture.record

    @property
    def prompt(self) -> str:
        return self._picture.prompt

    @property
    def seed(self) -> int:
        return self._picture.seed

    @property
    def request(self) -> models.Fields:
        """What it was painted by; `paint(**picture.request)` paints it again."""
        return self._picture.request

    @property
    def data(self) -> bytes:
        """Its PNG, with the request in it that made it."""
        return self._loop.run(self._picture.data())

    @property
    def image(self) -> Image.Image:
        """It as a picture of Pillow."""
        return self._loop.run(self._picture.image())

    @property
    def thumbnail(self) -> Image.Image:
        """It in small."""
        return self._loop.run(self._picture.thumbnail())

    @property
    def film(self) -> bytes:
        """The film, as MP4, whose last frame it is."""
        return self._loop.run(self._picture.film())

    @property
    def attention(self) -> Image.Image:
        """A sheet that shows which word painted where; for `attention=True`."""
        return Image.open(io.BytesIO(self._loop.run(self._picture.attention())))

    @property
    def trace(self) -> models.Trace:
        """How it came about, as it was recorded while it was painted; `NotFound` where nothing was."""
        return self._loop.run(self._picture.trace())

    def describe(self) -> str:
        """What it shows, as a prompt, as far as the pack's CLIP finds it; it takes some seconds.

        Raises `Refused` where the studio has no program for that.
        """
        return self._loop.run(self._picture.describe())

    def relatives(self) -> list[Picture]:
        """What it came of and what came of it, itself among them, the oldest first."""
        return [Picture(self._loop, one) for one in self._loop.run(self._picture.relatives())]

    def save(self, path: str | Path) -> Path:
        """Writes its file: PNG as it is, its film for `.mp4` and `.webm`, and what Pillow writes for other endings.

        Where it belongs to a film, that is written for `.gif` and `.webp`, too.
        """
        return self._loop.run(self._picture.save(path))

    def enlarge(self, scale: int = 2) -> Job:
        """Makes it larger by a network."""
        return Job(self._loop, self._loop.run(self._picture.enlarge(scale)))

    def vary(self, *wishes: Any, count: int = 4, **parameters: Any) -> Job:
        """Other pictures of what it shows; `wishes` beside it, as `"in winter", ("in summer", -1)`."""
        return Job(self._loop, self._loop.run(self._picture.vary(*wishes, count=count, **parameters)))

    def favour(self, favourite: bool = True) -> None:
        """Makes it a favourite, or not."""
        self._loop.run(self._picture.favour(favourite))

    def delete(self) -> None:
        """Throws it away; `restore` takes it back for a month."""
        self._loop.run(self._picture.delete())

    def restore(self) -> None:
        """Takes it back."""
        self._loop.run(self._picture.restore())

    def collect(self, collection: str) -> None:
        """Puts it into a collection, which is made if there is none of that name."""
        self._loop.run(self._picture.collect(collection))

    def uncollect(self, collection: str) -> None:
        """Takes it out of a collection."""
        self._loop.run(self._picture.uncollect(collection))

    async def _as_file(self, studio: AsyncReverie) -> models.File:
        return await self._picture._as_file(studio)

    def _repr_mimebundle_(self, **_: object) -> _display.Bundle:
        if self.record.links.film:
            return _display.film(self.film, self.data)
        return _display.picture(self.data)


def inner(pictures: Iterable[Picture | str]) -> list[AsyncPicture | str]:
    return [one._picture if isinstance(one, Picture) else one for one in pictures]
