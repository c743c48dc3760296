"""Models: known ones fetched with progress, stopped and gone on with, a file handed in; verified, used, removed."""
import pathlib

from common import check
from stories.hub import WEIGHTS, Hub


def tell(view):
    page = view.page
    check(page.is_visible("#styles-large"), "styles that want a larger CLIP are told of")
    view.go("models")
    page.wait_for_selector("#models-known li")
    view.seen("none")

    # A known one is fetched, stopped on the way, and gone on with.
    page.fill("#find-model", Hub.name)
    view.until("[...document.querySelectorAll('#models-known li')].filter(one => !one.hidden).length === 1")
    page.click(f"button[aria-label='Fetch {Hub.name}']")
    page.wait_for_selector(".fetch progress")
    view.until("document.querySelector('.fetch progress').value > 0")
    view.seen("fetching")
    page.click(f"button[aria-label='Stop fetching {Hub.name}']")
    page.wait_for_selector(".fetch:has-text('Stopped')", timeout=30_000)
    page.click(".fetch button:has-text('Go on')")
    page.wait_for_selector(f"#model-{Hub.name}", timeout=60_000)
    page.wait_for_selector(".fetch", state="detached")
    check(Hub.last.resumed, "it goes on where it was stopped")

    # A file of one's own.
    name = WEIGHTS.stem
    page.set_input_files("#model-file", WEIGHTS)
    page.wait_for_selector(f"[id='model-{name}']", timeout=60_000)
    wrong = pathlib.Path(view.folder) / f"{view.name}-wrong.safetensors"
    wrong.write_bytes(b"no weights")
    page.set_input_files("#model-file", wrong)
    page.wait_for_selector("#model-error:not([hidden])")
    page.click(f"button[aria-label='Verify {Hub.name}']")
    page.wait_for_selector(f"#model-{Hub.name}:has-text('as they came')")
    view.seen("installed")

    # It can be chosen, and the styles that want it are there.
    view.go("paint")
    check(page.is_visible("#styles label:has-text('photograph')"), "a style that wants a larger CLIP")
    check(not page.is_visible("#styles-large"), "nothing more is to come")
    page.click("#all > summary")
    page.evaluate("document.getElementById('field-clip').closest('details').open = true")
    page.check(f"#field-clip label:has-text('{Hub.name}') input")
    view.until("document.getElementById('changed').textContent.includes('%s')" % Hub.name)
    page.evaluate("document.getElementById('field-clip').scrollIntoView({block: 'center'})")
    view.seen("picked")
    page.click("#reset")

    view.go("models")
    for model in (Hub.name, name):
        page.click(f"button[aria-label='Remove {model}']")
        if model == name:
            view.seen("remove")
        page.click("#chooser button.primary")
        view.toast("is removed")
        page.wait_for_selector(f"[id='model-{model}']", state="detached")
