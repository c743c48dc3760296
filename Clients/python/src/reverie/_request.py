"""From what a person writes to what the studio takes: names, prompts, files."""

from __future__ import annotations

import difflib
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, runtime_checkable

from PIL import Image

from .errors import BadParameter
from .models import Fields, File

if TYPE_CHECKING:
    from .studio import AsyncReverie


@runtime_checkable
class HasReference(Protocol):
    """A picture of a gallery."""

    async def _as_file(self, studio: AsyncReverie) -> File: ...


#: A picture or a video as a person may name it: a path, bytes of a file, a picture of Pillow or of a gallery.
PictureLike: TypeAlias = str | Path | bytes | Image.Image | HasReference | File
#: A text, a picture, or several of either; `(prompt, weight)` or `{"text": …, "weight": …}` weighs one.
Wish: TypeAlias = (
    str | Path | bytes | Image.Image | HasReference | File | Mapping[str, Any] | tuple[Any, float] | Sequence[Any]
)

_REFERENCE = "#/components/schemas/"


@dataclass(frozen=True)
class Order:
    """What was asked for, as it was asked."""

    prompt: Wish = ""
    parameters: Fields = field(default_factory=dict)
    count: int = 1
    presets: tuple[str, ...] = ()
    film: Fields | None = None
    parent: str | None = None
    strength: float | None = None

    def with_changes(self, changes: Fields) -> Order:
        """Another order: what it has itself and parameters as `changes` say, all else as it was."""
        own: Fields = {name: changes.pop(name) for name in ("prompt", "count", "strength") if name in changes}
        if "presets" in changes:
            own["presets"] = tuple(changes.pop("presets"))
        # One parameter has two spellings, as it is written here and as the studio tells it.
        kept = {name: value for name, value in self.parameters.items() if camel(name) not in map(camel, changes)}
        return replace(self, parameters=kept | changes, **own)


def camel(name: str) -> str:
    """`init_image` as the studio spells it."""
    head, *rest = name.split("_")
    return head + "".join(word[:1].upper() + word[1:] for word in rest)


def snake(name: str) -> str:
    """`initImage` as Python spells it."""
    return re.sub(r"(?<=[a-z0-9])([A-Z])", lambda match: "_" + match[1].lower(), name)


class Declarations:
    """What requests and films may hold, by `/openapi.json`."""

    def __init__(self, document: Fields) -> None:
        schemas = document["components"]["schemas"]
        self.request: Fields = schemas["Request"]["properties"]
        self.film: Fields = {**schemas["NewFilm"]["properties"]}
        del self.film["kind"]

    def checked(self, parameters: Fields, among: Fields, what: str = "parameter") -> Fields:
        """The parameters by the studio's names; those that were left open with None are left out."""
        found: Fields = {}
        for name, value in parameters.items():
            spelled = camel(name)
            if spelled not in among:
                raise unknown(name, (snake(known) for known in among), what)
            if spelled in found:
                raise BadParameter(f"{snake(spelled)} is given twice, also as {spelled}.", field=spelled)
            if value is not None:
                found[spelled] = value
        return found

    def is_file(self, name: str) -> bool:
        """Whether a parameter of requests is a file."""
        return bool(self.request[name].get("$ref") == _REFERENCE + "File")


def unknown(name: str, known: Iterable[str], what: str) -> BadParameter:
    """The complaint about a name that there is not."""
    nearest = next(iter(difflib.get_close_matches(snake(name), sorted(known), 1, 0.5)), None)
    hint = f"Did you mean '{nearest}'?" if nearest else "parameters() lists what there is."
    return BadParameter(f"There is no {what} '{name}'. {hint}", field=name, nearest=nearest)


class HandIn(Protocol):
    """Hands in a picture, or a video where that may stand in its place."""

    async def __call__(self, picture: PictureLike, *, video: bool = False) -> File: ...


async def body(order: Order, declarations: Declarations, hand_in: HandIn) -> Fields:
    """The JSON of a new job. Pictures that it names are handed in."""
    request = declarations.checked(order.parameters, declarations.request)
    for name, value in request.items():
        if declarations.is_file(name):
            request[name] = await _file(value, hand_in)
        else:
            request[name] = await _plain(value, hand_in)
    prompt, prompts = await _prompts(order.prompt, hand_in)
    request["prompt"] = prompt or request.get("prompt", "")
    if prompts:
        request["prompts"] = [*prompts, *request.get("prompts", [])]
    found: Fields = {"request": request, "count": order.count, "presets": list(order.presets)}
    if order.film:
        film = dict(order.film)
        kind = film.pop("kind")
        found["film"] = {"kind": kind, **declarations.checked(film, declarations.film, "parameter of films")}
        if source := film.get("source"):
            sources = source if isinstance(source, list | tuple) else [source]
            found["film"]["source"] = [await _file(one, hand_in, video=True) for one in sources]
    if order.parent:
        found["parent"] = order.parent
    if order.strength is not None:
        found["strength"] = order.strength
    return found


async def _prompts(wish: Wish, hand_in: HandIn) -> tuple[str, list[Fields]]:
    """What is typed, and what is wanted beside it."""
    if isinstance(wish, str):
        return wish, []
    wishes = wish if isinstance(wish, list) else [wish]
    # A text without a weight may have the syntax of prompts in it, and gives the picture its name.
    typed = " | ".join(one for one in wishes if isinstance(one, str))
    return typed, [await _prompt(one, hand_in) for one in wishes if not isinstance(one, str)]


async def _prompt(wish: Any, hand_in: HandIn) -> Fields:
    if isinstance(wish, Mapping):
        fields = dict(wish)
        for name in ("image", "embedding"):
            if name in fields:
                fields[name] = await _file(fields[name], hand_in)
        if "average" in fields:
            fields["average"] = [await _prompt(one, hand_in) for one in fields["average"]]
        return fields
    if isinstance(wish, tuple):
        target, weight = wish
        return {**await _prompt(target, hand_in), "weight": weight}
    if isinstance(wish, str):
        return {"text": wish}
    return {"image": await _file(wish, hand_in)}


async def _file(value: Any, hand_in: HandIn, *, video: bool = False) -> Fields:
    if isinstance(value, Mapping):
        return dict(value)
    return (await hand_in(value, video=video)).model_dump()


async def _plain(value: Any, hand_in: HandIn) -> Any:
    """A value as JSON. In it, only what cannot be a text is taken for a picture."""
    if isinstance(value, Path | bytes | Image.Image | File | HasReference):
        return await _file(value, hand_in)
    if isinstance(value, Mapping):
        return {camel(name): await _plain(one, hand_in) for name, one in value.items()}
    if isinstance(value, list | tuple | range):
        return [await _plain(one, hand_in) for one in value]
    return value


#: Kinds of files: where what tells them stands, and their media types.
_PICTURES = (
    (0, b"\x89PNG", "image/png"),
    (0, b"\xff\xd8", "image/jpeg"),
    (0, b"RIFF", "image/webp"),
)
_VIDEOS = (
    (0, b"GIF8", "image/gif"),
    (0, b"\x1aE\xdf\xa3", "video/webm"),
    (4, b"ftyp", "video/mp4"),
)


def encoded(picture: str | Path | bytes | Image.Image, *, video: bool = False) -> tuple[bytes, str, str]:
    """The file of a picture, or of a video where that may be one, its media type, and a name for it."""
    name = "picture"
    if isinstance(picture, str | Path):
        path = Path(picture).expanduser()
        name, data = path.name, path.read_bytes()
    elif isinstance(picture, bytes):
        data = picture
    else:
        file = io.BytesIO()
        picture.save(file, "PNG")
        data = file.getvalue()
    known = _PICTURES + _VIDEOS if video else _PICTURES
    kind = next((kind for start, magic, kind in known if data.startswith(magic, start)), None)
    if kind is None and video:
        raise ValueError(f"{name} is no MP4, WebM or GIF video, and no picture. Make it one with ffmpeg.")
    if kind is None:
        raise ValueError(f"{name} is no PNG, JPEG or WebP picture. Open it with Pillow and give that: Image.open(…)")
    return data, kind, name
