"""The studio's answers. `tests/test_contract.py` compares them with its `/openapi.json`."""

from __future__ import annotations

import io
from enum import Enum
from typing import Any, Literal

from PIL import Image
from pydantic import Base64Bytes, BaseModel, ConfigDict, Field

#: A request, a film or metadata: what they may hold is declared by the studio.
Fields = dict[str, Any]


class Model(BaseModel):
    """An answer. What a newer studio says beside is passed over."""

    model_config = ConfigDict(extra="ignore", frozen=True, populate_by_name=True)


class State(str, Enum):
    """How a job stands."""

    queued = "queued"
    painting = "painting"
    finished = "finished"
    failed = "failed"
    cancelled = "cancelled"

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen to it."""
        return self not in (State.queued, State.painting)


class Progress(Model):
    step: int
    total: int
    unit: str | None
    #: Which picture of the job, counted from 1.
    picture: int = 1
    loss: float | None = None
    #: Seconds that are left.
    eta: float | None = None


class JobError(Model):
    reason: str
    field: str | None


class Job(Model):
    """Something to be painted, and how it stands."""

    id: str
    state: State
    prompt: str
    count: int
    presets: list[str] = []
    #: With everything filled in that was left open.
    request: Fields
    source: str = "api"
    #: The picture that it was made from.
    parent: str | None = None
    created: float
    started: float | None = None
    ended: float | None = None
    device: str | None = None
    #: In the queue, counted from 1.
    place: int | None = None
    progress: Progress | None = None
    #: Whether it was ended before its time and what there was was kept.
    stopped: bool = False
    error: JobError | None = None
    pictures: list[str]
    film: Fields | None = None
    enlargement: int | None = None
    #: What was read otherwise than one may think, or has no effect.
    remarks: list[str] = []


class JobPage(Model):
    jobs: list[Job]
    next: str | None


class Estimate(Model):
    """How something would be painted, before it is asked for."""

    #: The one that `auto` stands for, where it does.
    method: str
    #: In pixels.
    width: int
    height: int
    #: For all its pictures; None where none was painted lately with the same settings, and for films.
    seconds: float | None
    #: How many jobs that is told from.
    measured: int
    #: Most bytes of memory that those took; None where none was told.
    memory: int | None
    #: Bytes of memory that are free; None where the system does not tell.
    free_memory: int | None = Field(alias="freeMemory")
    #: What was read otherwise than one may think, or has no effect.
    remarks: list[str]


class Links(Model):
    file: str = ""
    thumbnail: str = ""
    film: str | None = None
    attention: str | None = None
    trace: str | None = None


class Picture(Model):
    """A finished picture."""

    id: str
    job: str
    place: int = 1
    created: float = 0
    prompt: str
    method: str = ""
    seed: int
    width: int
    height: int
    #: CLIP's similarity, where it was measured.
    score: float | None = None
    stopped: bool = False
    parent: str | None = None
    favourite: bool = False
    #: When it was thrown away.
    deleted: float | None = None
    request: Fields | None = None
    metadata: Fields | None = None
    links: Links


class PicturePage(Model):
    pictures: list[Picture]
    next: str | None
    #: Those by which the pictures of the gallery were painted.
    methods: list[str] = []


class Changed(Model):
    #: How many there were.
    pictures: int


class Description(Model):
    #: As a prompt.
    caption: str


class Look(Model):
    """A small picture of how another came about."""

    caption: str
    #: Its file.
    webp: Base64Bytes = Field(repr=False)

    @property
    def image(self) -> Image.Image:
        """It as a picture of Pillow, of at most 192 pixels a side."""
        return Image.open(io.BytesIO(self.webp))


class Curve(Model):
    """A number over the steps."""

    #: The step of the first value, counted from 1.
    first: int
    #: The step of the last.
    last: int
    #: Means over as many steps each: 240 at most.
    values: list[float]


class Panel(Model):
    """Pictures in a row, a curve, or both."""

    title: str
    #: How to read it.
    text: str
    #: Whether its pictures follow one another in time.
    is_sequence: bool = Field(alias="isSequence")
    looks: list[Look]
    curve: Curve | None = None


class Trace(Model):
    """How a picture came about, as it was recorded while it was painted."""

    panels: list[Panel]


class Collection(Model):
    id: str
    name: str
    created: float = 0
    pictures: int
    cover: str | None = None


class Collections(Model):
    collections: list[Collection]


class File(Model):
    """A file that the studio has, as requests name it."""

    name: str
    sha256: str


class HandedIn(Model):
    file: File
    #: The program that painted it, where its metadata tells.
    origin: str | None
    #: The settings that it was painted with, where its metadata tells.
    settings: Fields | None


class Argument(Model):
    name: str
    help: str
    note: str | None = None
    kind: str
    #: Words that may stand in a value and that its schema does not name.
    words: list[str]
    json_schema: Fields = Field(alias="schema")
    default: Any


class Parameter(Argument):
    """A parameter of requests."""

    flag: str
    group: str
    #: Those that take it.
    methods: list[str]
    #: What stands in for it, by method.
    defaults: Fields


class Method(Model):
    name: str
    title: str
    help: str
    #: Whether what it draws with is installed.
    available: bool
    #: The films that it makes.
    films: list[str]
    #: Installed models that it can draw with.
    models: list[str]
    arguments: list[Argument]


class Kind(Model):
    """An objective, a filter, or a kind of film."""

    name: str
    help: str
    arguments: list[Argument]


class PromptLimit(Model):
    limit: int


class Parameters(Model):
    """All that a request can say."""

    json_schema: int = Field(alias="schema")
    prompt: PromptLimit
    groups: list[str]
    methods: list[Method]
    parameters: list[Parameter]
    objectives: list[Kind]
    filters: list[Kind]
    films: list[Kind]


class Preset(Model):
    """A named look, quality, shape or recipe."""

    name: str
    help: str
    kind: str
    wants_large_clip: bool = Field(alias="wantsLargeCLIP")
    picture: str | None = None
    fields: Fields
    scale: float | None = None
    prompt: str | None = None


class Presets(Model):
    presets: list[Preset]


class InstalledModel(Model):
    id: str
    kind: str
    title: str
    bytes: int
    licence: str | None
    #: Bytes of memory that its weights take as float32; None where it has none.
    memory: int | None
    #: Those that can draw with it; none for what only looks, as CLIP does.
    methods: list[str]


class KnownModel(Model):
    """A model that can be fetched by its name."""

    id: str
    kind: str
    title: str
    #: None where that is not known before.
    bytes: int | None
    licence: str
    #: The address where it is told of.
    page: str
    is_installed: bool = Field(alias="isInstalled")


class Fetch(Model):
    """A model on its way here, or one that did not arrive."""

    #: The model's.
    id: str
    state: Literal["running", "failed", "cancelled"]
    #: Bytes that are here.
    done: int
    #: Bytes in all, once that is known.
    total: int | None
    #: What went wrong.
    problem: str | None


class Models(Model):
    models: list[InstalledModel]
    known: list[KnownModel]
    fetches: list[Fetch]


class Verdict(Model):
    """Whether a model's files are as they came."""

    sound: bool
    #: What is wrong, a sentence for each file.
    problems: list[str]


class JobCounts(Model):
    queued: int
    painting: int
    finished: int
    failed: int
    cancelled: int


class Pack(Model):
    id: str
    version: str
    title: str
    examples: list[str]


class Status(Model):
    """How the studio is."""

    program: str
    version: str
    libtorch: str
    devices: list[str]
    jobs: JobCounts
    pictures: int
    pack: Pack


class Health(Model):
    status: Literal["ok"]
    #: Whether workers on other machines can be given jobs; none where there are none.
    broker: Literal["reached", "away"] | None = None
    workers: int | None = None


class Problem(Model):
    """An error of the studio (RFC 9457)."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    field: str | None = None


class Event(Model):
    """Something that happens to a job."""

    #: queued, started, progress, preview, picture, retried, finished, failed, cancelled, moved, changed
    kind: str
    #: Grows over all jobs; pictures on the way have none.
    id: int | None = None
    job: str = ""
    time: float | None = None
    #: What more there is to tell.
    fields: Fields = {}
    #: A picture on the way, as JPEG.
    preview: bytes | None = Field(default=None, repr=False)

    @property
    def is_last(self) -> bool:
        """Whether the job is over with it."""
        return self.kind in ("finished", "failed", "cancelled")
