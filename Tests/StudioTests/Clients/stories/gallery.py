"""Find pictures, look at them, go on from them; many at once; what came of what; the bin."""
import io
import zipfile

from common import check


def tell(view):
    page = view.page
    foxes = [view.paint("a red fox", iterations=40, cutouts=2, seed=seed) for seed in (1, 2)]
    whale = view.paint("a blue whale", iterations=3, cutouts=2)
    view.paint("a pixel house", method="pixel", iterations=3, cutouts=2)

    view.go("gallery")
    page.wait_for_selector("#pictures .tile")
    page.fill("#q", "red fo")
    view.until("document.querySelectorAll('#pictures .tile').length >= 2 && [...document.querySelectorAll('#pictures .tile img')].every(i => i.alt.includes('red fox'))")
    view.seen("found")
    page.fill("#q", "")
    if not page.evaluate("document.getElementById('filters').open"):
        page.click("#filters summary")
    page.select_option("#by-method", "pixel")
    view.until("document.querySelectorAll('#pictures .tile').length >= 1 && [...document.querySelectorAll('#pictures .tile img')].every(i => i.alt.includes('pixel house'))")
    page.select_option("#by-method", "")
    page.select_option("#order", "oldest")
    view.until("document.querySelector('#pictures .tile')")
    first = page.get_attribute("#pictures .tile", "id")
    page.select_option("#order", "newest")
    view.until(f"document.querySelector('#pictures .tile') && document.querySelector('#pictures .tile').id !== '{first}'")
    page.fill("#since", "2999-01-01")
    page.wait_for_selector("#gallery-state:has-text('Ask for less')")
    page.fill("#since", "")
    page.wait_for_selector("#pictures .tile")

    # One picture.
    view.open(foxes[0])
    view.until("document.querySelector('#viewer img').naturalWidth > 0")
    view.seen("picture")
    page.click("#viewer button:has-text('Favourite')")
    page.wait_for_selector("#viewer button[aria-pressed=true]")
    with page.expect_download():
        page.click("#viewer a:has-text('Download')")
    page.click("#viewer button:has-text('What does it show')")
    page.wait_for_selector("#described:has-text('nearest')", timeout=120_000)
    page.click("#viewer summary:has-text('How this came about')")
    view.until("document.querySelectorAll('.trace .looks img').length > 3")
    view.seen("trace")
    if page.viewport_size["width"] > 1000:
        view.until("document.querySelector('#viewer .stage img').getBoundingClientRect().bottom <= innerHeight")
    page.click("#viewer button:has-text('See it come about')")
    page.wait_for_selector(".replayed")
    view.until("Number(document.querySelector('#chooser input[type=range]').value) >= 1")
    view.seen("replay")
    page.click("#chooser button:has-text('Close')")
    page.click("#viewer button:has-text('Collect')")
    page.fill("#collection-name", f"Foxes {view.name}")
    view.seen("collect")
    page.click("#chooser button:has-text('Put it in')")
    view.toast("Foxes")
    page.click("#viewer button:has-text('Enlarge')")
    view.toast("queue")
    view.idle()

    # Of several the third is varied, and not the best; what came of what is seen as a tree.
    job = view.studio.ask("POST", "/api/v1/jobs", {
        "request": {"prompt": "a green apple", "method": "fft", "width": 64, "height": 64, "iterations": 3, "cutouts": 2, "seed": 5}, "count": 3})
    view.studio.wait()
    third = view.studio.ask("GET", f"/api/v1/jobs/{job['id']}")["pictures"][2]
    view.open(third)
    page.click("#viewer button:has-text('Vary')")
    view.toast("queue")
    varied = view.last_job()
    file = view.studio.ask("POST", f"/api/v1/pictures/{third}/input")
    check(varied["request"]["prompts"][0]["image"]["sha256"] == file["sha256"], "the third of several is what is varied")
    check(varied["parent"] == third, "and is what it comes of")
    view.idle()
    view.open(varied["id"] + "-1")
    page.click("#viewer .family summary")
    view.until("document.querySelectorAll('#viewer .family img').length === 2")
    check(page.get_attribute("#viewer .family li li a", "aria-current") == "true", "this one hangs below the third")
    page.evaluate("document.querySelector('#viewer .family').scrollIntoView()")
    view.seen("family")

    # Compared side by side.
    page.click("#viewer button:has-text('Compare')")
    page.wait_for_selector("#gallery:not([hidden])")
    page.wait_for_selector("#pictures .tile")
    page.click(f"#tile-{whale}")
    page.wait_for_selector("#viewer.pair[open]")
    view.seen("compared")
    page.click("#viewer button:has-text('Close')")

    # Many at once: by pointer and by keys.
    page.fill("#q", "red fox")
    view.until("[...document.querySelectorAll('#pictures .tile img')].every(i => i.alt.includes('red fox')) && document.querySelector('#pictures .tile')")
    page.click("#select")
    page.click(f"#tile-{foxes[0]}")
    page.focus(f"#tile-{foxes[1]}")
    page.keyboard.press(" ")
    page.wait_for_selector("#select-count:has-text('2 selected')")
    view.seen("selected")
    with page.expect_download() as download:
        page.click("#select-tools button:has-text('ZIP')")
    archive = zipfile.ZipFile(io.BytesIO(open(download.value.path(), "rb").read()))
    check(archive.testzip() is None and len(archive.namelist()) == 2, f"the archive holds {archive.namelist()}")
    check(all(archive.read(name)[:4] == b"\x89PNG" for name in archive.namelist()), "they are pictures")
    page.click("#select-tools button:has-text('Collect')")
    page.fill("#collection-name", f"Foxes {view.name}")
    page.click("#chooser button:has-text('Put it in')")
    view.toast("2 are in")
    page.click("#select")
    page.click(f"#tile-{foxes[1]}")
    page.click("#select-delete")
    view.toast("Thrown away")
    check(not page.query_selector(f"#tile-{foxes[1]}"), "it is not shown any more")
    page.click(".toast button:has-text('Undo')")
    page.wait_for_selector(f"#tile-{foxes[1]}")

    # The bin: thrown away for good.
    view.open(foxes[1])
    page.click("#viewer button:has-text('Throw away')")
    view.toast("Thrown away")
    page.fill("#q", "")
    page.select_option("#shelf", "deleted")
    page.wait_for_selector(f"#tile-{foxes[1]}")
    view.seen("bin")
    page.click("#empty-bin")
    view.shot("bin-sure")
    page.click("#chooser button.primary")
    view.toast("gone")
    page.wait_for_selector("#gallery-state:has-text('Nothing was thrown away')")
    gone = None
    try:
        view.studio.ask("GET", f"/api/v1/pictures/{foxes[1]}")
    except Exception as error:
        gone = error.status
    check(gone == 404, "it is gone for good")
    page.select_option("#shelf", "")
