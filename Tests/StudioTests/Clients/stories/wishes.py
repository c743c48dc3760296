"""What is not wanted, more prompts with weights, scenes, and a picture: to begin from, to be like, for its style."""
import pathlib

from common import check


def tell(view):
    page = view.page
    picture = view.paint("a red ball", iterations=3, cutouts=2)
    file = pathlib.Path(view.folder) / f"{view.name}-ball.png"
    file.write_bytes(view.studio.ask("GET", f"/api/v1/pictures/{picture}/file", raw=True))

    # Without any syntax.
    view.choose_method("fft")
    view.set("iterations", 4)
    view.set("cutouts", 2)
    page.fill("#prompt", "a red fox")
    page.fill("#not", "text")
    page.click("#more-prompts > summary")
    page.click("#add-prompt")
    page.fill("#rows li:last-child input[type=text]", "snow: the first")
    page.focus("#rows li:last-child input[type=range]")
    for _ in range(10):
        page.keyboard.press("ArrowLeft")
    page.click("#add-scene")
    page.fill("#scenes li:last-child input", "a blue whale")
    page.evaluate("document.getElementById('not-field').scrollIntoView()")
    view.seen("wishes")
    page.set_input_files("#begin-file", file)
    page.wait_for_selector("#begin-full:not([hidden])")
    page.fill("#amount", "0.4")
    view.until("document.getElementById('amount-value').textContent.includes('40')")
    page.evaluate("document.getElementById('begin').scrollIntoView({block: 'center'})")
    view.seen("picture")
    view.until("!document.getElementById('size-picture').hidden")
    page.select_option("#size", "picture")
    page.click("#go")
    view.until("document.querySelector('.job')")
    view.idle()
    request = view.last_job()["request"]
    check(request["prompt"] == "a red fox ^ a blue whale", request["prompt"])
    check(request["negativePrompt"] == "text", "what is not wanted")
    check(request["prompts"][0]["text"] == "snow: the first" and abs(request["prompts"][0]["weight"] - 0.5) < 1e-6, f"{request['prompts']}")
    check(request["initImage"]["sha256"], "begins from the picture")
    check((request["width"], request["height"]) == (64, 64), f"the picture's proportions: {request['width']}x{request['height']}")

    # As what the result is to be like, and for its style.
    page.select_option("#begin-use", "like")
    page.fill("#amount", "0.5")
    page.click("#scenes li button:last-child")
    page.click("#rows li button:last-child")
    page.click("#go")
    view.until("document.querySelector('.job')")
    view.idle()
    request = view.last_job()["request"]
    check(request["prompts"][0]["weight"] == 0.5 and "image" in request["prompts"][0], f"{request['prompts']}")
    check("initImage" not in request, "it is not begun from")
    page.select_option("#begin-use", "style")
    page.fill("#amount", "2")
    page.click("#go")
    view.until("document.querySelector('.job')")
    view.idle()
    request = view.last_job()["request"]
    style = [one for one in request["objectives"] if one["name"] == "style"][0]
    check(style["weight"] == 2 and style["file"]["sha256"], f"{style}")

    # Strength goes by what the method knows: diffusion takes the picture up later.
    job = view.studio.ask("POST", "/api/v1/jobs", {"strength": 0.3, "request": {
        "prompt": "a fox", "method": "diffusion", "initImage": request["objectives"][0]["file"], "width": 64, "height": 64}})
    check(abs(job["request"]["start"] - 0.3) < 1e-6, f"start is {job['request'].get('start')}")
    view.studio.ask("POST", f"/api/v1/jobs/{job['id']}/cancel", {})

    # Its settings are read back.
    page.click("#begin-remove")
    page.set_input_files("#begin-file", file)
    page.wait_for_selector("#begin-settings:not([hidden])")
    page.click("#begin-settings")
    view.until("document.getElementById('prompt').value === 'a red ball'")

    # A method that takes one prompt says so.
    view.choose_method("dalle")
    check(not page.is_visible("#add-prompt") and page.is_visible("#wishes-hint") or not page.evaluate("document.getElementById('more-prompts').open"), "dalle takes one prompt")
    view.idle()
