"""The same for asyncio."""

from __future__ import annotations

import asyncio
from pathlib import Path

from conftest import QUICK

from reverie import AsyncPicture, AsyncReverie, Picture, Reverie, State


def test_both_clients_can_do_the_same() -> None:
    def public(kind: type) -> set[str]:
        return {name for name in dir(kind) if not name.startswith("_")}

    # The one that is not for asyncio is open from its beginning.
    assert public(AsyncReverie) - {"open"} == public(Reverie)
    # What is told of a picture is set when it is made.
    assert public(AsyncPicture) | {"record"} == public(Picture)


def test_jobs_side_by_side(studio: Reverie, tmp_path: Path) -> None:
    async def paint() -> None:
        async with AsyncReverie(studio.address) as other:
            jobs = await asyncio.gather(*(other.paint("a fox", seed=seed, **QUICK) for seed in range(3)))
            await asyncio.gather(*(job.wait() for job in jobs))
            assert {job.state for job in jobs} == {State.finished}
            (picture,) = await jobs[0].pictures()
            assert (await picture.image()).size == (64, 64)
            assert (await picture.save(tmp_path / "fox.png")).exists()
            kinds = [event.kind async for event in jobs[1].events()]
            assert kinds[0] == "queued"
            assert kinds[-1] == "finished"
            sheet = await (await other.grid("a fox", {"seed": [1, 2]}, **QUICK)).sheet()
            assert sheet.width > sheet.height

    asyncio.run(paint())


def test_a_studio_is_started_and_ended(program: list[str], tmp_path: Path) -> None:
    async def begin() -> None:
        async with AsyncReverie(start=True, command=program, data=tmp_path) as studio:
            assert (await studio.status()).pictures == 0

    asyncio.run(begin())
