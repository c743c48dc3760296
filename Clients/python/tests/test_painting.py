"""Painting with the real studio."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from conftest import LONG, QUICK
from PIL import Image, ImageChops

from reverie import BadParameter, Job, JobFailed, NotFound, Refused, Reverie, ReverieError, State, models


def test_a_job_has_its_pictures(studio: Reverie, fox: Job, tmp_path: Path) -> None:
    assert (fox.state, fox.is_over, fox.remarks) == (State.finished, True, [])
    assert fox.request["iterations"] == 3
    assert fox.progress
    assert fox.progress.total == 3
    (picture,) = fox.pictures
    assert (picture.prompt, picture.seed, picture.request["method"]) == ("a red fox", 7, "pixel")
    assert picture.image.size == (64, 64)
    assert picture.thumbnail.size <= (320, 320)
    assert "a red fox" in repr(picture)
    assert picture.save(tmp_path / "fox").read_bytes() == picture.data
    assert Image.open(picture.save(tmp_path / "fox.jpg")).format == "JPEG"
    assert studio.job(fox.id).pictures[0].data == picture.data


def test_again_is_the_same_but_for_changes(studio: Reverie, fox: Job) -> None:
    assert fox.again().picture.image.tobytes() == fox.picture.image.tobytes()
    other = fox.again(seed=8, iterations=2)
    assert (other.request["seed"], other.request["iterations"]) == (8, 2)
    assert other.picture.image.tobytes() != fox.picture.image.tobytes()
    # Found by its id, nobody knows any more what was left open.
    found = studio.job(fox.id).again()
    assert found.picture.image.tobytes() == fox.picture.image.tobytes()


def test_the_seed_that_was_drawn_is_kept(studio: Reverie) -> None:
    first = studio.paint("a whale", **QUICK)
    second = first.again(prompt="a pig")
    assert second.request["seed"] == first.request["seed"]
    assert second.record.prompt == "a pig"
    first.stop(keep=False)
    second.stop(keep=False)


@pytest.mark.usefixtures("fox")
def test_a_job_is_estimated_before_it_is_asked_for(studio: Reverie) -> None:
    before = studio.status().jobs
    estimate = studio.estimate("a quokka", count=2, seed=1, **QUICK)
    assert (estimate.method, estimate.width, estimate.height) == ("pixel", 64, 64)
    assert "quokka" in estimate.remarks[0]
    assert estimate.measured >= 1
    assert estimate.seconds
    unknown = studio.estimate("a fox", **QUICK | {"width": 72})
    assert (unknown.seconds, unknown.measured) == (None, 0)
    with pytest.raises(BadParameter, match=r"^cut_mode must be one of"):
        studio.estimate("a fox", method="pixel", cut_mode="anyhow")
    assert studio.status().jobs == before


def test_one_key_is_one_job(studio: Reverie) -> None:
    first = studio.paint("a fox", key="one key", **QUICK)
    assert studio.paint("a fox", key="one key", **QUICK).id == first.id


def test_several_pictures_and_presets(studio: Reverie) -> None:
    job = studio.paint("a fox", count=2, presets=["draft"], seed=3, **QUICK)
    assert [picture.seed for picture in job.pictures] == [3, 4]
    assert job.record.presets == ["draft"]


def test_a_prompt_may_be_a_picture(studio: Reverie, fox: Job) -> None:
    job = studio.paint([fox.picture, "snow", ("water", -0.5)], **QUICK)
    image, water = job.request["prompts"]
    assert (job.record.prompt, water) == ("snow", {"text": "water", "weight": -0.5})
    assert len(image["image"]["sha256"]) == 64
    assert job.wait().state is State.finished


def test_files_are_handed_in(studio: Reverie, fox: Job, tmp_path: Path) -> None:
    fox.picture.save(tmp_path / "fox.png")
    hole = Image.new("L", (64, 64))
    hole.paste(255, (32, 0, 64, 64))
    job = studio.paint("a pig", init_image=tmp_path / "fox.png", filters=[{"name": "inpaint", "mask": hole}], **QUICK)
    left = (0, 0, 24, 64)
    before, after = (one.image.convert("RGB").crop(left) for one in (fox.picture, job.picture))
    assert ImageChops.difference(before, after).getbbox() is None
    handed_in = studio.settings_of(tmp_path / "fox.png")
    assert handed_in.settings
    assert handed_in.settings["seed"] == 7
    assert studio.hand_in(handed_in.file) is handed_in.file
    assert studio.file(job.request["initImage"]) == fox.picture.data
    with pytest.raises(NotFound):
        studio.file(models.File(name="none", sha256="0" * 64))


def test_only_so_much_of_a_picture_changes(studio: Reverie, fox: Job) -> None:
    wish = {name: value for name, value in QUICK.items() if name != "iterations"}
    whole, half = (studio.paint("a pig", init_image=fox.picture, strength=strength, **wish) for strength in (1.0, 0.5))
    assert half.request["iterations"] == whole.request["iterations"] // 2
    less = half.again(strength=0.25)
    assert less.request["iterations"] == whole.request["iterations"] // 4
    for job in (whole, half, less):
        job.stop(keep=False)
    with pytest.raises(BadParameter, match="initImage"):
        studio.paint("a pig", strength=0.5, **QUICK)


def test_pictures_are_varied_and_enlarged(fox: Job) -> None:
    varied = fox.picture.vary("in winter", count=1, **QUICK)
    assert varied.record.parent == fox.picture.id
    varied.stop(keep=False)
    larger = fox.picture.enlarge(2)
    assert larger.picture.image.size == (128, 128)
    with pytest.raises(ReverieError, match=r"picture\.enlarge"):
        larger.again()


def test_a_film_plays(studio: Reverie, tmp_path: Path) -> None:
    job = studio.film("zoom", "leaves", frames=2, every=2, zoom=1.1, **QUICK)
    assert job.record.film
    assert (job.record.film["kind"], job.record.film["frames"]) == ("zoom", 2)
    picture = job.picture
    assert picture.film[4:8] == b"ftyp"
    assert picture.save(tmp_path / "leaves.mp4").read_bytes() == picture.film
    with Image.open(picture.save(tmp_path / "leaves.gif")) as gif:
        assert gif.n_frames > 1  # type: ignore[attr-defined]
    # A film is painted over, as well as single pictures.
    for source in (tmp_path / "leaves.mp4", [picture, tmp_path / "leaves.gif"]):
        restyled = studio.film("restyle", "snow", source=source, every=1, **QUICK)
        assert restyled.record.film
        assert len(restyled.record.film["source"]) == (len(source) if isinstance(source, list) else 1)
        restyled.stop(keep=False)
    again = job.again(frames=3, seed=1)
    assert again.record.film
    assert (again.record.film["frames"], again.request["seed"]) == (3, 1)
    again.stop(keep=False)
    with pytest.raises(BadParameter, match="Did you mean 'frames'"):
        studio.film("zoom", "leaves", framess=2)
    with pytest.raises(NotFound):
        _ = studio.paint("a fox", **QUICK).picture.film


def test_a_grid_is_one_sheet(studio: Reverie) -> None:
    grid = studio.grid("a fox", {"method": ["pixel", "fft"], "seed": range(1, 4)}, iterations=2, cutouts=2, width=64,
                       height=64)  # fmt: skip
    assert [job.request["method"] for job in grid.jobs] == ["pixel"] * 3 + ["fft"] * 3
    assert grid.labels[:2] == ["pixel, seed 1", "pixel, seed 2"]
    assert len(grid.pictures) == 6
    sheet = grid.sheet
    assert sheet.width > sheet.height > 128
    # Each picture is on it, in its place.
    corner = sheet.crop((8, 8, 72, 72))
    assert corner.tobytes() == grid.pictures[0].image.convert("RGB").tobytes()


def test_a_grid_is_asked_for_as_a_whole_or_not_at_all(studio: Reverie) -> None:
    with pytest.raises(BadParameter):
        studio.grid("a fox", {"cutouts": [2, -1]}, **{name: QUICK[name] for name in ("method", "iterations")})
    assert not studio.jobs("queued")
    with pytest.raises(BadParameter, match="no values"):
        studio.grid("a fox", {"seed": []})
    with pytest.raises(BadParameter, match="one for each"):
        studio.grid("a fox", {"seed": [1, 2]}, labels=["one"])


def test_stopping_keeps_what_there_is(studio: Reverie) -> None:
    job = studio.paint("a fox", **LONG)
    while not job.refresh().progress:
        pass
    while job.current() is None:
        pass
    job.stop()
    assert job.wait().state is State.finished
    assert job.record.stopped
    assert len(job.pictures) == 1
    job.stop()


def test_stopping_keeps_nothing_if_nothing_is_wanted(studio: Reverie) -> None:
    job = studio.paint("a fox", **LONG)
    job.stop(keep=False)
    assert job.wait().state is State.cancelled
    assert job.pictures == []


def test_waiting_jobs_are_moved(studio: Reverie) -> None:
    busy = studio.paint("a fox", **LONG)
    jobs = [studio.paint(f"a fox {number}", **QUICK) for number in range(3)]
    jobs[2].move(before=jobs[0])
    jobs[0].move()
    waiting = [job.id for job in studio.jobs("queued")]
    assert waiting == [jobs[2].id, jobs[1].id, jobs[0].id]
    for job in [busy, *jobs]:
        job.stop(keep=False)


def test_refusals_name_field_and_next_step(studio: Reverie) -> None:
    with pytest.raises(BadParameter, match="Did you mean 'cut_mode'") as caught:
        studio.paint("a fox", cut_mod="whole")
    assert (caught.value.field, caught.value.nearest, caught.value.status) == ("cut_mod", "cut_mode", None)
    with pytest.raises(BadParameter, match=r"^cut_mode must be one of balanced") as caught:
        studio.paint("a fox", method="pixel", cut_mode="anyhow")
    assert (caught.value.field, caught.value.status) == ("cutMode", 422)
    with pytest.raises(BadParameter, match="Leave it out or choose that method"):
        studio.paint("a fox", method="dalle", cutouts=3)
    with pytest.raises(Refused, match="castle"):
        studio.paint("a fox", presets=["castle"])
    with pytest.raises(NotFound):
        studio.job("0")


def test_a_job_that_fails_says_why(studio: Reverie, folder: Path) -> None:
    busy = studio.paint("a fox", **LONG)
    job = studio.paint("a fox", init_image=Image.new("RGB", (8, 8), "navy"), **QUICK)
    (folder / "inputs" / f"{job.request['initImage']['sha256']}.png").unlink()
    busy.stop(keep=False)
    with pytest.raises(JobFailed, match="file") as caught:
        job.wait()
    assert caught.value.job.error
    assert str(caught.value) == caught.value.job.error.reason
    assert caught.value.job.state is State.failed
    assert job.is_over


def test_what_there_is(studio: Reverie) -> None:
    status = studio.status()
    assert (status.program, studio.is_there()) == ("reverie", True)
    methods = {method.name: method for method in studio.methods()}
    assert methods["pixel"].available
    cutouts = next(one for one in studio.parameters().parameters if one.name == "cutouts")
    assert cutouts.json_schema["minimum"] == 1
    assert "pixel" in cutouts.methods
    assert "watercolour" in {preset.name for preset in studio.presets()}
    assert {film.name for film in studio.films()} >= {"zoom", "restyle"}
    assert studio.models() == []
    assert studio.fetches() == []


def test_pictures_tell_how_they_were_painted(fox: Job) -> None:
    with Image.open(io.BytesIO(fox.picture.data)) as file:
        texts = json.dumps(file.info, default=str)
    assert "a red fox" in texts
