"""The settings of the chosen method alone, searched, changed, put back; objectives and filters as controls."""
from common import check


def tell(view):
    page = view.page
    page.click("#all > summary")
    shown = "[...document.querySelectorAll('.setting')].filter(one => !one.hidden).length"
    automatic = page.evaluate(shown)
    view.choose_method("vqgan-clip")
    own = page.evaluate(shown)
    declared = view.studio.ask("GET", "/api/v1/parameters")
    shared = [one["name"] for one in declared["parameters"] if len(one["methods"]) == len(declared["methods"]) - 1]
    check(automatic <= len(shared), f"with Automatic {automatic} settings are shown, and methods share {len(shared)}")
    taken = [one for one in declared["parameters"] if "vqgan-clip" in one["methods"]]
    check(automatic < own <= len(taken) + 40, f"{own} settings of vqgan-clip")
    check(not page.is_visible("#field-candidates"), "what another method has is not shown")
    check(not page.evaluate("[...document.querySelectorAll('.group')].some(group => group.open)"), "groups are closed")
    view.seen("groups", full=True)

    # Found by its words, changed, seen above, put back.
    page.fill("#find", "views of the picture shown")
    view.until("!document.getElementById('field-cutouts').hidden && document.getElementById('field-optimizer').hidden")
    page.fill("#set-cutouts", "5")
    page.fill("#find", "optimizer")
    page.select_option("#set-optimizer", label="adamw")
    page.fill("#find", "")
    view.until("document.querySelectorAll('#changed li').length === 2")
    view.seen("changed")
    page.click("#changed li:has-text('Cutouts') button[aria-label]")
    view.until("document.querySelectorAll('#changed li').length === 1")
    check(page.input_value("#set-cutouts") == "", "it is put back")
    # From above one gets to it.
    page.click("#changed li:has-text('Optimizer') button.link")
    check(page.evaluate("document.activeElement.id") == "set-optimizer", "what was changed is found")

    # An objective with colours, a filter with a choice: by hand, never as JSON.
    view.until("document.querySelector('#set-objectives') !== null")
    for group in ("objectives", "filters"):
        page.evaluate(f"document.getElementById('group-{group}').open = true")
    page.select_option("#set-objectives", "palette")
    page.click("#field-objectives button[aria-label='Another colour']")
    page.click("#field-objectives button[aria-label='Another colour']")
    page.fill("#field-objectives .pot:first-child input", "#ff0000")
    page.fill("#field-objectives .parts input[type=number]", "0.5")
    page.select_option("#set-filters", "wallpaper")
    page.wait_for_selector("#field-filters .parts select")
    page.evaluate("document.getElementById('group-objectives').scrollIntoView()")
    view.seen("parts")
    view.shot("parts-whole", full=True)
    view.set("iterations", 3)
    view.set("cutouts", 2)
    page.fill("#prompt", "a flag")
    page.click("#go")
    view.until("document.querySelector('.job, #recent a')")
    view.idle()
    request = view.last_job()["request"]
    check(request["objectives"] == [{"name": "palette", "weight": 0.5, "colors": "[#ff0000,#6a35c9]"}], f"{request['objectives']}")
    check(request["filters"][0]["name"] == "wallpaper", f"{request['filters']}")
    check(request["optimizer"] == "adamw", "a choice")
    check(not page.query_selector_all("#settings textarea"), "nothing is written as JSON")

    # What a picture's request says comes back into the same controls; what is usual is left open.
    picture = view.last_job()["pictures"][0]
    page.click("#reset") if page.is_visible("#reset") else None
    view.open(picture)
    page.click("#viewer button:has-text('Use these settings')")
    view.until("document.querySelectorAll('#field-objectives .pot').length === 2")
    names = page.evaluate("[...document.querySelectorAll('#changed li')].map(one => one.textContent)")
    check(len(names) <= 6, f"only what differs from the usual is changed: {names}")
    view.shot("taken", full=True)
    page.click("#reset")
    view.until("document.getElementById('changed-box').hidden")
