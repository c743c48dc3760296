"""The gallery of the real studio."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import pytest
from conftest import QUICK

from reverie import BadParameter, Job, NotFound, Reverie


def test_pictures_are_found(studio: Reverie, fox: Job) -> None:
    mine = fox.picture
    assert studio.picture(mine.id).seed == 7
    assert mine.id in [picture.id for picture in studio.pictures("red fox", limit=200)]
    assert studio.pictures("a walrus that nobody painted") == []
    assert len(studio.pictures(limit=1)) == 1


def test_pages_are_joined(studio: Reverie) -> None:
    studio.grid("a pebble", {"seed": range(5)}, **QUICK).wait()
    whole = [picture.id for picture in studio.pictures("pebble")]
    # As when there are more than fit on a page.
    paged = studio._loop.run(pages(studio))
    assert paged == whole
    assert len(whole) == 5


async def pages(studio: Reverie) -> list[str]:
    from reverie import models

    inner = studio._studio
    found = await inner._pages("/api/v1/pictures", models.PicturePage, 5, 2, {"q": "pebble"})
    assert len(found) == 3
    return [picture.id for page in found for picture in page.pictures]


def test_favourites_and_collections(studio: Reverie, fox: Job) -> None:
    picture = fox.picture
    picture.favour()
    assert picture.record.favourite
    assert [one.id for one in studio.pictures(favourites=True)] == [picture.id]
    picture.favour(False)
    picture.collect("foxes")
    assert [(one.name, one.pictures) for one in studio.collections()] == [("foxes", 1)]
    assert [one.id for one in studio.pictures(collection="foxes")] == [picture.id]
    picture.uncollect("foxes")
    assert studio.pictures(collection="foxes") == []
    studio.delete_collection("foxes")
    with pytest.raises(NotFound, match=r"collections\(\)"):
        studio.pictures(collection="foxes")


def test_thrown_away_and_taken_back(studio: Reverie) -> None:
    picture = studio.paint("a pear", **QUICK).picture
    picture.delete()
    assert [one.id for one in studio.pictures("pear", deleted=True)] == [picture.id]
    picture.restore()
    assert picture.record.deleted is None
    assert studio.pictures("pear", deleted=True) == []


def test_pictures_are_chosen_and_ordered(studio: Reverie) -> None:
    first, second = (studio.paint("a quince", method=method, iterations=2, cutouts=2, width=64, height=64).picture
                     for method in ("pixel", "fft"))  # fmt: skip

    def found(**choice: Any) -> list[str]:
        return [picture.id for picture in studio.pictures("quince", **choice)]

    assert found(order="oldest") == [first.id, second.id]
    assert sorted(found(order="best")) == sorted([first.id, second.id])
    assert found(method="fft") == [second.id]
    assert found(since=first.record.created) == [second.id, first.id]
    assert found(until=first.record.created) == []


def test_many_are_changed_and_removed_for_good(studio: Reverie) -> None:
    pictures = studio.paint("a plum", count=3, **QUICK).pictures

    def found(**choice: Any) -> list[str]:
        return sorted(picture.id for picture in studio.pictures("plum", **choice))

    assert studio.change_pictures(pictures, "favourite") == 3
    assert found(favourites=True) == [picture.id for picture in pictures]
    assert studio.change_pictures([pictures[0], pictures[1].id], "unfavourite") == 2
    assert found(favourites=True) == [pictures[2].id]
    assert studio.change_pictures(pictures, "delete") == 3
    assert studio.change_pictures(pictures[:1], "restore") == 1
    assert studio.empty_bin() >= 2
    assert found(deleted=True) == []
    assert found() == [pictures[0].id]
    with pytest.raises(NotFound):
        studio.picture(pictures[1].id)
    assert studio.change_pictures([], "delete") == 0
    # More than a studio changes at once.
    assert studio.change_pictures([pictures[0]] + ["0" * 26] * 1000, "favourite") == 1
    with pytest.raises(BadParameter, match="change must be one of"):
        studio.change_pictures(pictures, "paint")  # type: ignore[arg-type]


def test_many_are_taken_away_in_one_file(studio: Reverie, fox: Job, tmp_path: Path) -> None:
    other = studio.paint("a cherry", **QUICK).picture
    with zipfile.ZipFile(studio.archive([fox.picture, other.id], tmp_path / "both.zip")) as archive:
        assert [archive.read(name) for name in archive.namelist()] == [fox.picture.data, other.data]
    with pytest.raises(NotFound):
        studio.archive(["0" * 26], tmp_path / "none.zip")
    assert not (tmp_path / "none.zip").exists()


def test_a_picture_is_explained(fox: Job) -> None:
    picture = fox.picture
    assert picture.record.links.trace
    way = picture.trace.panels[0]
    assert (way.is_sequence, way.looks[-1].caption, way.looks[-1].image.size) == (True, "3", (64, 64))
    loss = next(panel.curve for panel in picture.trace.panels if panel.curve)
    assert (loss.first, loss.last, len(loss.values)) == (1, 3, 3)
    assert picture.describe()
    later = picture.vary("in winter", count=1, **QUICK).picture
    assert [one.id for one in later.relatives()] == [picture.id, later.id]
    assert later.id in [one.id for one in picture.relatives()]
    with pytest.raises(NotFound):
        _ = picture.enlarge(2).picture.trace


def test_all_that_happens_is_heard(studio: Reverie) -> None:
    heard = studio.events()
    job = None
    kinds = []
    # The stream begins with what happens after it is opened: painted until something is heard.
    job = studio.paint("an owl", **QUICK)
    again = job.again(seed=2)
    for event in heard:
        kinds.append(event.kind)
        if event.job == again.id and event.is_last:
            break
    heard.close()  # type: ignore[attr-defined]
    assert kinds[-1] == "finished"
    assert "picture" in kinds
