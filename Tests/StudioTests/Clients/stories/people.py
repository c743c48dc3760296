"""People by what is chosen of them, and the same person once more."""
from common import check


def tell(view):
    page = view.page
    page.click("#to-portraits")
    page.wait_for_selector("#portraits:not([hidden])")
    page.select_option("#person-gender", "woman")
    page.select_option("#person-skin", "dark")
    page.select_option("#person-what", "firefighter")
    page.select_option("#person-place", "in the snow")
    page.wait_for_selector("#person-says:text-is('a woman firefighter with dark skin in the snow')")
    page.select_option("#person-count", "1")
    view.seen("asked")
    page.click("#person button.primary")
    view.toast("queue")
    view.studio.wait()
    job = view.last_job()
    check(job["state"] == "finished" and not job.get("remarks"), f"{job['error']}")
    view.go("paint")
    page.click("#to-portraits")
    page.wait_for_selector("#people .tile")
    page.select_option("#again-place", "in space")
    page.fill("#again-amount", "0.4")
    view.seen("people")
    page.click("#people button")
    view.toast("queue")
    again = view.last_job()
    check(again["request"]["prompt"] == "a woman firefighter with dark skin in space", again["request"]["prompt"])
    check(again["parent"] == job["pictures"][0] and again["request"]["initImage"], "it begins from the picture")
    check(again["request"]["seed"] == view.studio.ask("GET", f"/api/v1/pictures/{job['pictures'][0]}")["seed"], "the same seed")
    view.studio.wait()
