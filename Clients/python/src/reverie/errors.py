"""What can go wrong, as exceptions that name the field and the next step."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .models import Job


class ReverieError(Exception):
    """Base of all that this package raises."""


class Unreachable(ReverieError):
    """No studio answers."""


class Refused(ReverieError):
    """The studio says no: an RFC 9457 problem."""

    def __init__(
        self,
        detail: str,
        *,
        status: int | None = None,
        title: str = "",
        field: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(detail)
        #: For people, with the next step.
        self.detail = detail
        #: The status of HTTP; None where the studio was not even asked.
        self.status = status
        self.title = title
        #: The field that is to blame, as the studio spells it.
        self.field = field
        #: Seconds after which to try again, where the studio says so.
        self.retry_after = retry_after


class NotFound(Refused):
    """There is no such job, picture, collection, file or model."""


class BadParameter(Refused, ValueError):
    """A parameter that there is not, or whose value cannot be used."""

    def __init__(
        self, detail: str, *, field: str, nearest: str | None = None, status: int | None = None, title: str = ""
    ) -> None:
        super().__init__(detail, status=status, title=title, field=field)
        #: What it is perhaps meant to be.
        self.nearest = nearest


class JobFailed(ReverieError):
    """A job was taken and could not be painted."""

    def __init__(self, job: Job) -> None:
        error = job.error
        super().__init__(error.reason if error else f"Job {job.id} failed.")
        self.job = job
        #: The field of the request that is to blame, where it is one.
        self.field = error.field if error else None
