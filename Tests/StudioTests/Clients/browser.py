"""The whole story in headless Chromium, at a desktop's and a phone's size, with an accessibility check of
every view; screenshots go to the folder named.   browser.py [FOLDER]"""
import os
import pathlib
import shutil
import sys
import time

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright

from common import Studio, check, done

folder = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "screenshots")
folder.mkdir(parents=True, exist_ok=True)
chromium = os.environ.get("CHROMIUM") or shutil.which("chromium")
if not chromium:
    print("SKIPPED: chromium is not installed (apt-get install chromium)")
    sys.exit(0)
sizes = {"desktop": (1280, 800), "phone": (390, 844)}
figures = []


def story(studio, browser, name, width, height, scheme):
    page = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=scheme,
        has_touch=name == "phone", accept_downloads=True).new_page()
    problems = []
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: problems.append(str(error)))

    def shot(what):
        page.screenshot(path=folder / f"{name}-{what}.png")

    def accessible(what):
        found = [one for one in Axe().run(page).response["violations"] if one["impact"] in ("serious", "critical")]
        check(not found, f"{name} {what}: " + "; ".join(
            f"{one['id']} at {[node['target'] for node in one['nodes']][:3]}" for one in found))

    def until(expression):
        """Waits for a truth of the page; Playwright's own way would need eval, which the page forbids."""
        end = time.time() + 60
        while not page.evaluate(expression):
            check(time.time() < end, f"{name}: not in time: {expression}")
            time.sleep(0.1)

    page.goto(studio.address)
    page.wait_for_selector("#examples button")
    figures.append(page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime"))
    shot("1-paint")
    accessible("paint")

    # A mistake is told at its field, by keyboard alone.
    page.focus("#prompt")
    page.keyboard.press("Enter")
    check(page.is_visible("#prompt-error"), "an empty prompt is told")
    page.click("#all summary")
    page.select_option("#set-method", "fft")
    page.fill("#set-cutouts", "0")
    page.fill("#prompt", "a red fox")
    page.click("#go")
    page.wait_for_selector("#set-cutouts-error:not([hidden])")
    shot("2-mistake")
    accessible("settings")

    # Paint, watch, reload in the middle.
    page.fill("#set-cutouts", "2")
    page.fill("#set-iterations", "100000")
    page.click("#go")
    page.wait_for_selector(".job.painting img", timeout=120_000)
    shot("3-painting")
    accessible("painting")
    page.reload()
    page.wait_for_selector(".job.painting img", timeout=60_000)
    until("document.querySelector('.job progress').value > 0")
    page.click(".job.painting button:has-text('Stop and keep')")
    page.wait_for_selector("#recent a", timeout=60_000)
    page.wait_for_selector("#queue-empty:not([hidden])", timeout=60_000)

    # Several at once: moved and cancelled.
    page.click("#all summary")
    page.select_option("#set-method", "fft")
    for prompt in ["a long one", "a blue whale", "a green tree"]:
        page.fill("#prompt", prompt)
        page.fill("#set-iterations", "100000" if prompt == "a long one" else "5")
        page.fill("#set-cutouts", "2")
        page.click("#go")
        page.wait_for_selector(f".job:has-text('{prompt}')")
    page.click(".job:has-text('a green tree') button:has-text('Earlier')")
    until("document.querySelectorAll('.job')[1].textContent.includes('green tree')")
    shot("4-queue")
    page.click(".job:has-text('a blue whale') button:has-text('Cancel')")
    until("![...document.querySelectorAll('.job')].some(job => job.textContent.includes('whale'))")
    page.click(".job:has-text('a long one') button:has-text('Cancel')")
    page.wait_for_selector("#queue-empty:not([hidden])", timeout=60_000)

    # Find it in the gallery, look at it, like it, take its settings.
    page.click("#tab-gallery")
    page.wait_for_selector("#pictures .tile")
    page.fill("#q", "red fo")
    until("[...document.querySelectorAll('#pictures .tile img')].every(i => i.alt.includes('red fox')) && document.querySelector('#pictures .tile')")
    shot("5-gallery")
    accessible("gallery")
    page.click("#pictures .tile")
    page.wait_for_selector("#viewer[open] h2")
    until("document.querySelector('#viewer img').naturalWidth > 0")
    shot("6-picture")
    accessible("picture")
    page.click("#viewer button:has-text('Favourite')")
    page.wait_for_selector("#viewer button[aria-pressed=true]")
    with page.expect_download() as download:
        page.click("#viewer a:has-text('Download')")
    saved = folder / f"{name}-downloaded.png"
    download.value.save_as(saved)
    page.click("#viewer button:has-text('Collect')")
    page.fill("#collection-name", "Foxes")
    page.click("#chooser button:has-text('Put it in')")
    page.wait_for_selector(".toast:has-text('Foxes')")
    page.click("#viewer button:has-text('Throw away')")
    page.click(".toast button:has-text('Undo')")
    page.wait_for_selector(".toast:has-text('back')")
    page.fill("#q", "")
    page.wait_for_selector("#pictures .tile")
    page.click("#pictures .tile")
    page.wait_for_selector("#viewer[open] h2")

    # A part painted over is filled, by a pointer and by keys.
    page.click("#viewer button:has-text('Fill a part')")
    page.wait_for_selector("#chooser canvas.mask")
    page.click("#chooser button:has-text('Fill it')", no_wait_after=True)
    page.fill("#mask-prompt", "a yellow star")
    page.click("#chooser button:has-text('Fill it')")
    check(page.is_visible("#mask-error"), "nothing painted over is told")
    box = page.query_selector("#chooser canvas.mask").bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.3, box["y"] + box["height"] * 0.3)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + box["height"] * 0.5, steps=4)
    page.mouse.up()
    page.focus("#chooser canvas.mask")
    page.keyboard.press("ArrowRight")
    page.keyboard.press(" ")
    shot("6-fill")
    accessible("fill")
    page.click("#chooser button:has-text('Fill it')")
    until("!document.getElementById('chooser').open")
    page.click("#viewer button:has-text('Vary')")
    page.wait_for_selector(".toast:has-text('queue')")

    # Larger, and moving.
    page.click("#viewer button:has-text('Enlarge')")
    page.wait_for_selector(".toast:has-text('queue')")
    page.click("#viewer button:has-text('Make a film')")
    accessible("film")
    page.fill("#film-seconds", "1")
    shot("7-film")
    page.click("#chooser button:has-text('Make it')")
    until("!document.getElementById('chooser').open")
    page.click("#viewer button:has-text('Close')")
    page.click("#tab-paint")
    page.wait_for_selector("#queue-empty:not([hidden])", timeout=240_000)
    page.click("#tab-gallery")
    page.wait_for_selector("#pictures .tile .moves")
    page.click("#pictures .tile:has(.moves)")
    until("document.querySelector('#viewer video')?.readyState >= 2")
    shot("8-film")
    accessible("film seen")
    page.click("#viewer button:has-text('Close')")
    page.click("#pictures .tile:nth-child(2)")
    page.wait_for_selector("#viewer[open] dd:has-text('512 × 512')")
    page.click("#viewer button:has-text('Use these settings')")
    page.wait_for_selector("#paint:not([hidden])")
    until("document.getElementById('set-method').value === 'fft'")

    # Drop a picture: its settings are read back.
    page.set_input_files("#begin-file", saved)
    page.wait_for_selector("#begin-full:not([hidden])")
    page.wait_for_selector("#begin-settings:not([hidden])")
    page.click("#begin-settings")
    until("document.getElementById('prompt').value === 'a red fox'")
    shot("9-dropped")
    check(not problems, f"{name}: the console says {problems}")
    page.context.close()


with Studio("--log-level", "error") as studio, sync_playwright() as playwright:
    browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
    for name, (width, height) in sizes.items():
        story(studio, browser, name, width, height, "light" if name == "desktop" else "dark")
    version = browser.version
    browser.close()
done(f"Chromium {version}: the whole story at {', '.join(sizes)}; first contentful paint "
     + ", ".join(f"{one:.0f} ms" for one in figures) + f"; screenshots in {folder}")
