"""What there is to see of a job."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image

from . import _display, _sheet, models


@dataclass(frozen=True)
class Result:
    """A picture that was painted, and what belongs to it."""

    record: models.Picture
    png: bytes
    film: bytes | None = None
    attention: bytes | None = None


def of_job(record: models.Job, remarks: list[str], preview: bytes | None, results: Sequence[Result]) -> _display.View:
    """A job as it stands, or its results."""
    request = record.request
    method = (f"{record.film['kind']} film, " if record.film else "") + str(request.get("method"))
    size = (request.get("width"), request.get("height"))
    if results:
        size = (results[0].record.width, results[0].record.height)
    title = " · ".join(
        [record.prompt or "a picture as prompt", method, f"seed {request.get('seed')}", "{} × {}".format(*size)]
    )
    # Its place is kept free from the beginning: what comes later goes nowhere else.
    below: _display.Bundle | None = {} if request.get("attention") else None
    if not record.state.is_over:
        shown = _display.picture(preview, "on its way") if preview else None
        return _display.View(title, status(record), share(record), shown, below, remarks)
    if results and results[0].attention:
        below = _display.picture(results[0].attention, "which word painted where")
    again = "" if record.film or record.enlargement else _display.call(request, record.count)
    return _display.View(title, status(record), None, _picture(results), below, remarks, again, is_over=True)


def _picture(results: Sequence[Result]) -> _display.Bundle | None:
    if not results:
        return None
    first = results[0]
    if len(results) > 1:
        # Some methods make several of one seed, the best first.
        seeds = {one.record.seed for one in results}
        named = [
            (opened(one.png), f"seed {one.record.seed}" if len(seeds) > 1 else f"number {number}")
            for number, one in enumerate(results, 1)
        ]
        return _display.picture(_sheet.png(_sheet.sheet(named)), f"{len(named)} pictures")
    return _display.film(first.film, first.png) if first.film else _display.picture(first.png)


def opened(data: bytes) -> Image.Image:
    """A file as a picture of Pillow."""
    return Image.open(io.BytesIO(data))


def status(record: models.Job) -> str:
    """How a job stands, in words."""
    if record.state is models.State.queued:
        return "waits" + (f", number {record.place} of the queue" if record.place else "")
    if record.state is models.State.failed:
        return f"failed: {record.error.reason}" if record.error else "failed"
    if record.state is models.State.cancelled:
        return "stopped; nothing was kept"
    if record.state is models.State.finished:
        time = _display.seconds(record.ended - record.started) if record.ended and record.started else "no time"
        return f"painted in {time}" + (", stopped before its end" if record.stopped else "")
    progress = record.progress
    if progress is None:
        return "begins"
    words = [f"{progress.step}/{progress.total} {progress.unit or 'steps'}"]
    if record.count > 1:
        words.append(f"picture {progress.picture} of {record.count}")
    if progress.loss is not None:
        words.append(f"loss {progress.loss:.3g}")
    if progress.eta is not None:
        words.append(f"{_display.seconds(progress.eta)} left")
    return " · ".join(words)


def share(record: models.Job) -> float | None:
    """How much of a job is done, of 1; None where nobody knows."""
    progress = record.progress
    if record.state is not models.State.painting or progress is None or not progress.total:
        return None
    return min(1, (progress.picture - 1 + progress.step / progress.total) / max(1, record.count))
