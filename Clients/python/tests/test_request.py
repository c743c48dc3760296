"""From what a person writes to what the studio takes."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from reverie import BadParameter, models
from reverie._request import Declarations, Order, PictureLike, body, camel, encoded, snake

FILE = {"$ref": "#/components/schemas/File"}
DECLARED = Declarations(
    {
        "components": {
            "schemas": {
                "Request": {"properties": {"prompt": {}, "prompts": {}, "cutouts": {}, "topK": {}, "filters": {},
                                           "initImage": FILE | {"description": "A picture to begin from."}}},
                "NewFilm": {"properties": {"kind": {}, "frames": {}, "shiftX": {}, "source": {}}},
            }
        }
    }
)  # fmt: skip


def made(order: Order) -> dict[str, Any]:
    async def hand_in(picture: PictureLike, *, video: bool = False) -> models.File:
        return models.File(name=str(picture) + ", or a video" * video, sha256="0" * 64)

    return asyncio.run(body(order, DECLARED, hand_in))


def named(name: str) -> dict[str, str]:
    return {"name": name, "sha256": "0" * 64}


@pytest.mark.parametrize(("python", "studio"), [("init_image", "initImage"), ("top_k", "topK"), ("shift_x", "shiftX")])
def test_names_of_two_languages(python: str, studio: str) -> None:
    assert camel(python) == studio
    assert camel(studio) == studio
    assert snake(studio) == python


def test_unknown_parameters_name_the_nearest() -> None:
    with pytest.raises(BadParameter, match=r"no parameter 'cutoutz'. Did you mean 'cutouts'\?") as caught:
        made(Order("a", {"cutoutz": 3}))
    assert (caught.value.field, caught.value.nearest) == ("cutoutz", "cutouts")
    with pytest.raises(BadParameter, match="parameter of films 'framez'"):
        made(Order("a", film={"kind": "zoom", "framez": 3}))


def test_a_parameter_given_twice_is_refused() -> None:
    with pytest.raises(BadParameter, match="twice"):
        made(Order("a", {"top_k": 3, "topK": 4}))


def test_what_is_left_open_is_left_out() -> None:
    assert made(Order("a", {"cutouts": None}))["request"] == {"prompt": "a"}


def test_pictures_become_files_wherever_they_stand() -> None:
    order = Order("a", {"init_image": "sea.png", "filters": [{"name": "inpaint", "mask": Path("hole.png")}]})
    assert made(order)["request"] == {
        "prompt": "a",
        "initImage": named("sea.png"),
        "filters": [{"name": "inpaint", "mask": named("hole.png")}],
    }


@pytest.mark.parametrize("source", ["sea.mp4", ["sea.mp4"]])
def test_a_film_is_made_of_a_video_or_of_pictures(source: object) -> None:
    order = Order("a", film={"kind": "restyle", "source": source})
    assert made(order)["film"] == {"kind": "restyle", "source": [named("sea.mp4, or a video")]}


def test_prompts_may_be_pictures_and_weighed() -> None:
    wish = [Path("house.png"), "winter | snow:0.5", ("summer", -1), {"average": ["a", Path("b.png")], "stop": 0.8}]
    assert made(Order(wish))["request"] == {
        "prompt": "winter | snow:0.5",
        "prompts": [
            {"image": named("house.png")},
            {"text": "summer", "weight": -1},
            {"average": [{"text": "a"}, {"image": named("b.png")}], "stop": 0.8},
        ],
    }


def test_again_changes_one_spelling_or_the_other() -> None:
    order = Order("a", {"top_k": 3, "cutouts": 2}, presets=("better",))
    changed = order.with_changes({"topK": 5, "prompt": "b", "count": 2})
    assert changed == Order("b", {"cutouts": 2, "topK": 5}, 2, ("better",))


def test_only_pictures_are_handed_in(tmp_path: Path) -> None:
    picture = Image.new("RGB", (4, 4))
    data, kind, _ = encoded(picture)
    assert (data[:4], kind) == (b"\x89PNG", "image/png")
    picture.save(tmp_path / "a.jpg")
    assert encoded(tmp_path / "a.jpg")[1:] == ("image/jpeg", "a.jpg")
    with pytest.raises(ValueError, match="is no PNG"):
        encoded(b"hello")
    picture.save(tmp_path / "a.gif")
    assert encoded(tmp_path / "a.gif", video=True)[1] == "image/gif"
    with pytest.raises(ValueError, match=r"Image\.open"):
        encoded(tmp_path / "a.gif")
    with pytest.raises(ValueError, match="ffmpeg"):
        encoded(b"hello", video=True)
