"""Workers: who paints what, as it changes."""
from common import check


def tell(view):
    page = view.page
    view.go("workers")
    page.wait_for_selector("#workers-view li")
    check(page.is_visible("#workers-view li:has-text('waits for a job')"), "the device of this machine waits")
    job = view.studio.ask("POST", "/api/v1/jobs", {
        "request": {"prompt": "a fox for the workers", "method": "fft", "iterations": 100000, "cutouts": 2}})["id"]
    page.wait_for_selector("#workers-view li:has-text('a fox for the workers')", timeout=30_000)
    view.until("document.querySelector('#workers-view progress')?.value > 0")
    view.seen("painting")
    view.studio.ask("POST", f"/api/v1/jobs/{job}/cancel", {})
    page.wait_for_selector("#workers-view li:has-text('waits for a job')", timeout=60_000)
