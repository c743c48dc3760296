"""The gallery of the real studio."""

from __future__ import annotations

import pytest
from conftest import QUICK

from reverie import Job, NotFound, Reverie


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
