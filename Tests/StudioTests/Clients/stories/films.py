"""Films of every kind, at a pace of one's own, and as GIF and WebM."""
import pathlib

from common import check


def tell(view):
    page, studio = view.page, view.studio
    one = view.paint("a red fox", iterations=3, cutouts=2)
    other = view.paint("a blue whale", iterations=3, cutouts=2)

    view.open(one)
    page.click("#viewer button:has-text('Film')")
    page.wait_for_selector("#film-kind")
    page.click("#chooser details summary")
    view.seen("asked")
    page.fill("#film-seconds", "1")
    page.fill("#film-rate", "4")
    page.fill("#film-hold", "0")
    page.click("#chooser button:has-text('Make it')")
    view.until("!document.getElementById('chooser').open")
    job = view.last_job()
    check((job["film"]["kind"], job["film"]["rate"], job["film"]["frames"]) == ("zoom", 4, 4), f"{job['film']}")
    page.click("#viewer button:has-text('Close')")
    view.studio.wait(400)
    view.go("gallery")
    page.wait_for_selector("#pictures .tile .moves")
    page.click("#pictures .tile:has(.moves)")
    view.until("document.querySelector('#viewer video')?.readyState >= 2")
    view.seen("film")
    film = view.last_job()["pictures"][0]
    for kind, head in (("gif", b"GIF89a"), ("webm", b"\x1a\x45\xdf\xa3")):
        with page.expect_download(timeout=60_000) as download:
            page.click(f"#viewer a:has-text('As {kind.upper()}')")
        check(open(download.value.path(), "rb").read().startswith(head), f"a {kind}")
    page.click("#viewer button:has-text('Close')")

    # From one picture to another, by what both show.
    view.open(one)
    page.click("#viewer button:has-text('Film')")
    page.select_option("#film-kind", "morph")
    page.fill("#film-seconds", "1")
    page.fill("#film-rate", "3")
    page.click("#chooser button:has-text('Make it')")
    page.wait_for_selector("#gallery:not([hidden])")
    page.wait_for_selector(f"#tile-{other}")
    page.click(f"#tile-{other}")
    view.toast("queue")
    job = view.last_job()
    check(job["film"]["kind"] == "morph" and [one["scene"] for one in job["request"]["prompts"]] == [0, 1], f"{job['request'].get('prompts')}")
    studio.ask("POST", f"/api/v1/jobs/{job['id']}/cancel", {})

    # A story from the form's scenes, and a video painted over.
    view.go("paint")
    view.choose_method("fft")
    view.set("iterations", 8)
    view.set("cutouts", 2)
    page.fill("#prompt", "a red fox ^ a blue whale")
    page.select_option("#size", "own")
    page.fill("#width", "64")
    page.fill("#height", "64")
    page.click("#film")
    page.wait_for_selector("#film-kind")
    check(page.input_value("#film-kind") == "story", "scenes make a story")
    page.fill("#film-seconds", "1")
    page.fill("#film-rate", "4")
    page.click("#chooser button:has-text('Make it')")
    view.until("!document.getElementById('chooser').open")
    check(view.last_job()["film"]["kind"] == "progress", "a story")
    video = pathlib.Path(view.folder) / f"{view.name}-source.gif"
    video.write_bytes(studio.ask("GET", f"/api/v1/pictures/{film}/film?format=gif", raw=True))
    page.fill("#prompt", "a red fox")
    page.click("#film")
    page.select_option("#film-kind", "restyle")
    page.click("#chooser button:has-text('Make it')")
    page.wait_for_selector(".toast:has-text('Choose the video')")
    page.set_input_files("#film-video", video)
    page.fill("#film-every", "2") if page.query_selector("#film-every") else None
    view.seen("restyle")
    page.click("#chooser button:has-text('Make it')")
    view.until("!document.getElementById('chooser').open")
    view.studio.wait(400)
    job = view.last_job()
    check(job["state"] == "finished" and job["film"]["kind"] == "restyle", f"{job['state']}: {job['error']}")
