"""The client for scripts and notebooks: `AsyncReverie`, run by a thread of its own."""

from __future__ import annotations

from collections.abc import Coroutine, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from . import models
from ._request import PictureLike, Wish
from .jobs import AsyncJob
from .shown import Grid, Job, Loop, Picture, inner
from .studio import AsyncReverie, Change, Ordering


class Reverie:
    """A studio.

    Without an address it is the one that `REVERIE_STUDIO_URL` names (with `REVERIE_TOKEN`), else one that runs
    on this machine at its usual address, else one that is started and ends with this client or with Python.

        studio = Reverie()
        job = studio.paint("a fox", seed=7)
        job.pictures[0].save("fox.png")
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
        self._loop = Loop()
        self._studio = AsyncReverie(
            address,
            token,
            start=start,
            command=command,
            data=data,
            options=options,
            keep_running=keep_running,
            patience=patience,
        )
        self._loop.run(self._studio.open())

    def __repr__(self) -> str:
        return f"Reverie({self.address!r})"

    def __enter__(self) -> Reverie:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends a studio that was started, and lets go of any other."""
        self._loop.run(self._studio.close())

    @property
    def address(self) -> str:
        """Where the studio is: open it in a browser, too."""
        return self._studio.address

    # Painting

    def paint(
        self,
        prompt: Wish = "",
        *,
        count: int = 1,
        presets: Sequence[str] = (),
        parent: Picture | str | None = None,
        strength: float | None = None,
        key: str | None = None,
        **parameters: Any,
    ) -> Job:
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
        source = parent.id if isinstance(parent, Picture) else parent
        asked = self._studio.paint(
            prompt, count=count, presets=presets, parent=source, strength=strength, key=key, **parameters
        )
        return self._job(asked)

    def estimate(
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
        return self._loop.run(
            self._studio.estimate(prompt, count=count, presets=presets, strength=strength, **parameters)
        )

    def film(self, kind: str, prompt: Wish = "", *, key: str | None = None, **parameters: Any) -> Job:
        """Asks for a film: `zoom`, `progress`, `restyle`, `morph` or `ring`, as `films()` lists them.

        `parameters` are those of the film (`frames`, `rate`, `zoom`, …) and of its pictures, side by side. `source` of
        `restyle` is a video, or a list of pictures.
        """
        return self._job(self._studio.film(kind, prompt, key=key, **parameters))

    def grid(
        self,
        prompt: Wish = "",
        over: Mapping[str, Iterable[Any]] | None = None,
        *,
        labels: Sequence[str] | None = None,
        presets: Sequence[str] = (),
        **parameters: Any,
    ) -> Grid:
        """Asks for a picture of every combination: `over={"method": ["fft", "pixel"], "seed": range(3)}`.

        The last of `over` goes along the rows of the sheet. `prompt` may be among them. `labels` stand under the
        pictures in place of the values.
        """
        return Grid(
            self._loop, self._loop.run(self._studio.grid(prompt, over, labels=labels, presets=presets, **parameters))
        )

    def _job(self, work: Coroutine[Any, Any, AsyncJob]) -> Job:
        return Job(self._loop, self._loop.run(work))

    def hand_in(self, picture: PictureLike, *, video: bool = False) -> models.File:
        """Hands in a picture, or with `video` also a film to paint over, as requests name it.

        Raises `ValueError` where it is neither.
        """
        return self._loop.run(self._studio.hand_in(picture, video=video))

    def settings_of(self, picture: str | Path | bytes | Image.Image) -> models.HandedIn:
        """Hands in a picture, and tells how it was painted if its metadata does."""
        return self._loop.run(self._studio.settings_of(picture))

    def file(self, file: models.File | Mapping[str, str]) -> bytes:
        """The bytes of a file that was handed in, as `job.request["initImage"]` names it."""
        return self._loop.run(self._studio.file(file))

    # Jobs

    def job(self, id: str) -> Job:  # noqa: A002
        """A job by its id."""
        return self._job(self._studio.job(id))

    def jobs(self, *states: models.State | str, limit: int = 50) -> list[Job]:
        """Jobs: those that wait in the order of the queue, else the newest first."""
        return [Job(self._loop, job) for job in self._loop.run(self._studio.jobs(*states, limit=limit))]

    def events(self) -> Iterator[models.Event]:
        """What happens to all jobs from now on, for as long as you like."""
        stream = self._studio.events()
        try:
            while True:
                yield self._loop.run(_next(stream))
        finally:
            self._loop.run(stream.aclose())  # type: ignore[attr-defined]

    # The gallery

    def picture(self, id: str) -> Picture:  # noqa: A002
        """A picture by its id."""
        return Picture(self._loop, self._loop.run(self._studio.picture(id)))

    def pictures(
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
    ) -> list[Picture]:
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
        found = self._studio.pictures(
            search,
            favourites=favourites,
            collection=collection,
            method=method,
            since=since,
            until=until,
            order=order,
            deleted=deleted,
            limit=limit,
        )
        return [Picture(self._loop, picture) for picture in self._loop.run(found)]

    def change_pictures(self, pictures: Iterable[Picture | str], change: Change) -> int:
        """Throws many pictures away, takes them back, or makes them favourites or not; says how many there were.

        `pictures` are pictures or their ids; those that there are not are passed over.
        """
        return self._loop.run(self._studio.change_pictures(inner(pictures), change))

    def empty_bin(self) -> int:
        """Removes for good all pictures that were thrown away; says how many there were."""
        return self._loop.run(self._studio.empty_bin())

    def archive(self, pictures: Iterable[Picture | str], path: str | Path) -> Path:
        """Writes many pictures, 1000 at most, and their films as one ZIP file.

        Raises `NotFound` where none of them is there.
        """
        return self._loop.run(self._studio.archive(inner(pictures), path))

    def collections(self) -> list[models.Collection]:
        """All collections, by name."""
        return self._loop.run(self._studio.collections())

    def delete_collection(self, name: str) -> None:
        """Forgets a collection; its pictures stay."""
        self._loop.run(self._studio.delete_collection(name))

    # What there is

    def status(self) -> models.Status:
        """Version, devices, pack, counts."""
        return self._loop.run(self._studio.status())

    def is_there(self) -> bool:
        """Whether the studio answers now."""
        return self._loop.run(self._studio.is_there())

    def parameters(self) -> models.Parameters:
        """All that a request can say: methods, parameters, objectives, filters and films with their arguments."""
        return self._loop.run(self._studio.parameters())

    def methods(self) -> list[models.Method]:
        """Ways of painting; `available` tells those whose networks are here."""
        return self._loop.run(self._studio.methods())

    def films(self) -> list[models.Kind]:
        """Kinds of films, with their parameters."""
        return self._loop.run(self._studio.films())

    def presets(self) -> list[models.Preset]:
        """Named looks, qualities, shapes and recipes."""
        return self._loop.run(self._studio.presets())

    # Models

    def known_models(self) -> list[models.KnownModel]:
        """Models that `fetch_model` fetches by their names."""
        return self._loop.run(self._studio.known_models())

    def fetches(self) -> list[models.Fetch]:
        """Models that are being fetched, and those whose fetch failed or was stopped."""
        return self._loop.run(self._studio.fetches())

    def fetch_model(self, name: str, *, wait: bool = True) -> None:
        """Fetches a known model, or goes on where that was cut off; one that is installed stays as it is.

        Without `wait` it only begins, and `fetches` tells how far it is. Raises `NotFound` where none of that name
        is known, and `ReverieError` where it cannot be fetched or somebody stops that.
        """
        self._loop.run(self._studio.fetch_model(name, wait=wait))

    def stop_fetch(self, name: str) -> None:
        """Stops fetching a model; what is there of it stays for another time. `NotFound` where it is not fetched."""
        self._loop.run(self._studio.stop_fetch(name))

    def add_model(self, path: str | Path) -> models.InstalledModel:
        """Hands in a file of weights or a vocabulary. What it is is seen from what it holds.

        Raises `BadParameter` where it is nothing that Reverie reads, or its name is taken.
        """
        return self._loop.run(self._studio.add_model(path))

    def verify_model(self, name: str) -> models.Verdict:
        """Compares an installed model's files with the hashes noted when they came; `NotFound` where there is none."""
        return self._loop.run(self._studio.verify_model(name))

    def remove_model(self, name: str) -> None:
        """Removes an installed model, with its files; `NotFound` where there is none."""
        self._loop.run(self._studio.remove_model(name))

    # The last, since below it this name is no module any more.
    def models(self) -> list[models.InstalledModel]:
        """Models that are installed beside the pack."""
        return self._loop.run(self._studio.models())


async def _next(stream: Any) -> models.Event:
    event: models.Event = await anext(stream)
    return event
