"""Say what it shall be, be told of mistakes, watch, reload, put the queue in order; seeds, sizes, grids."""
from common import check


def tell(view):
    page = view.page
    view.seen("paint")
    view.shot("paint-whole", full=True)

    # A mistake is told at its field, by keyboard alone; Paint is in reach whatever is open.
    page.focus("#prompt")
    page.keyboard.press("Enter")
    check(page.is_visible("#prompt-error"), "an empty prompt is told")
    view.choose_method("fft")
    view.set("cutouts", 0)
    box = page.query_selector("#go").bounding_box()
    check(0 <= box["y"] and box["y"] + box["height"] <= page.viewport_size["height"], "Paint is always in sight")
    page.fill("#prompt", "a red fox")
    page.click("#go")
    page.wait_for_selector("#set-cutouts-error:not([hidden])")
    view.seen("mistake")

    # Paint, watch, reload in the middle.
    view.set("cutouts", 2)
    view.set("iterations", 100000)
    page.click("#go")
    page.wait_for_selector(".job.painting img", timeout=120_000)
    view.seen("painting")
    page.reload()
    page.wait_for_selector(".job.painting img", timeout=60_000)
    view.until("document.querySelector('.job progress').value > 0")
    page.click(".job.painting button:has-text('Stop and keep')")
    page.wait_for_selector("#recent a", timeout=60_000)
    page.wait_for_selector("#queue-empty:not([hidden])", timeout=60_000)

    # Several at once: moved and cancelled.
    view.choose_method("fft")
    view.set("cutouts", 2)
    for prompt in ["a long one", "a blue whale", "a green tree"]:
        page.fill("#prompt", prompt)
        view.set("iterations", 100000 if prompt == "a long one" else 5)
        page.click("#go")
        page.wait_for_selector(f".job:has-text('{prompt}')")
    page.click(".job:has-text('a green tree') button:has-text('Earlier')")
    view.until("document.querySelectorAll('.job')[1].textContent.includes('green tree')")
    view.seen("queue")
    page.click(".job:has-text('a blue whale') button:has-text('Cancel')")
    view.until("![...document.querySelectorAll('.job')].some(job => job.textContent.includes('whale'))")
    page.click(".job:has-text('a long one') button:has-text('Cancel')")
    page.wait_for_selector("#queue-empty:not([hidden])", timeout=60_000)

    # What was painted before is known, and how long the like took and how much memory; chance helps.
    page.fill("#prompt", "a green tree")
    page.wait_for_selector("#estimate:has-text('took about')", timeout=20_000)
    view.until("/of memory/.test(document.querySelector('#estimate').textContent)")
    page.click("#earlier")
    page.fill("#find-prompt", "green")
    view.until("document.querySelectorAll('.prompts button').length === 1")
    view.seen("earlier")
    page.click(".prompts button:has-text('a green tree')")
    check(page.input_value("#prompt") == "a green tree", "an earlier prompt is taken")
    page.click("#surprise")
    check(page.input_value("#prompt") not in ("", "a green tree"), "a surprise is one")

    # Seed, size and several styles at once reach the request.
    page.fill("#prompt", "a boat")
    page.click("#no-style") if page.is_visible("#no-style") else None
    page.click("#dice")
    check(page.get_attribute("#lock", "aria-pressed") == "true", "a thrown seed is held")
    page.fill("#seed", "17")
    page.select_option("#size", "own")
    page.fill("#width", "96")
    page.fill("#height", "64")
    page.fill("#find-style", "neon")
    view.until("[...document.querySelectorAll('#styles label')].filter(one => !one.hidden).length === 1")
    page.check("#styles input[value=neon]", force=True)
    page.fill("#find-style", "")
    page.click("#all-styles")
    page.check("#styles input[value=watercolour]", force=True)
    view.seen("styles")
    page.click("#go")
    view.until("document.querySelector('.job') || document.querySelector('#queue-empty:not([hidden])')")
    view.idle()
    job = view.last_job()
    check(job["presets"] == ["neon", "watercolour"] or job["presets"] == ["watercolour", "neon"], f"two styles: {job['presets']}")
    check((job["request"]["seed"], job["request"]["width"], job["request"]["height"]) == (17, 96, 64), "seed and size")

    # A grid of seeds and settings.
    page.click("#no-style")
    page.click("#grid")
    page.wait_for_selector("#grid-seeds")
    page.fill("#grid-seeds", "2")
    page.select_option("#grid-axis", "iterations")
    page.fill("#grid-values", "3, 5")
    view.seen("grid-asked")
    page.click("#chooser button:has-text('Paint the grid')")
    view.toast("4 pictures")
    view.idle()
    page.click("#grids button")
    view.until("document.querySelectorAll('.sheet img').length === 4")
    view.until("[...document.querySelectorAll('.sheet img')].every(image => image.complete)")
    view.seen("grid")
    with page.expect_download():
        page.click("#chooser button:has-text('Save as one picture')")
    page.keyboard.press("Escape")
