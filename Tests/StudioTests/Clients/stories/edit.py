"""The canvas: brush, erase, invert, undo, zoom, by pointer, keys, touch and pencil; beyond the border; less of it.
What is kept keeps its pixels."""
import struct
import zlib

from common import check


def pixels(data):
    """Rows of RGB of a PNG with eight bits a channel, without a library."""
    at, chunks, width, height, kind = 8, b"", 0, 0, 0
    while at < len(data):
        length, name = struct.unpack(">I4s", data[at:at + 8])
        body = data[at + 8:at + 8 + length]
        if name == b"IHDR":
            width, height, _, kind = struct.unpack(">IIBB", body[:10])
        if name == b"IDAT":
            chunks += body
        at += 12 + length
    step = {2: 3, 6: 4, 0: 1}[kind]
    raw, rows, before = zlib.decompress(chunks), [], bytearray(width * step)
    for y in range(height):
        filter_, line = raw[y * (width * step + 1)], bytearray(raw[y * (width * step + 1) + 1:(y + 1) * (width * step + 1)])
        for x in range(len(line)):
            a = line[x - step] if x >= step else 0
            b, c = before[x], before[x - step] if x >= step else 0
            if filter_ == 1:
                line[x] = (line[x] + a) & 255
            elif filter_ == 2:
                line[x] = (line[x] + b) & 255
            elif filter_ == 3:
                line[x] = (line[x] + (a + b) // 2) & 255
            elif filter_ == 4:
                p = a + b - c
                near = min((abs(p - a), 0, a), (abs(p - b), 1, b), (abs(p - c), 2, c))[2]
                line[x] = (line[x] + near) & 255
        rows.append([tuple(line[i:i + 3]) for i in range(0, len(line), step)])
        before = line
    return rows


def tell(view):
    page, studio = view.page, view.studio
    picture = view.paint("a red fox", iterations=20, cutouts=2, width=96, height=96)
    before = pixels(studio.ask("GET", f"/api/v1/pictures/{picture}/file", raw=True))
    view.open(picture)
    page.click("#viewer button:has-text('Edit')")
    page.wait_for_selector("#editor[open] canvas.surface")
    masked = """(() => { const canvas = document.querySelector('#editor .surface'); return canvas.width > 0; })()"""
    view.until(masked)
    view.seen("opened")

    # Nothing painted over is told; then a part is, by pointer.
    page.fill("#edit-prompt", "a yellow star")
    page.click("#editor button.primary")
    check(page.is_visible("#edit-error"), "nothing painted over is told")
    box = page.query_selector(".surface").bounding_box()
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    side = min(box["width"], box["height"])
    page.mouse.move(middle[0] - side * 0.25, middle[1] - side * 0.25)
    page.mouse.down()
    page.mouse.move(middle[0] - side * 0.1, middle[1] - side * 0.25, steps=4)
    page.mouse.up()
    check(not page.is_disabled("#editor button:has-text('Undo')"), "it can be undone")
    # By keys, undone, done again, turned round and back.
    page.focus(".surface")
    page.keyboard.press("ArrowRight")
    page.keyboard.press(" ")
    page.keyboard.press("Control+z")
    page.keyboard.press("Control+Shift+z")
    page.keyboard.press("Control+z")
    page.click("#editor button:has-text('Invert')")
    view.shot("inverted")
    page.click("#editor button:has-text('Undo')")
    page.click("label[for=tool-erase]")
    page.mouse.move(middle[0] - side * 0.1, middle[1] - side * 0.25)
    page.mouse.down()
    page.mouse.move(middle[0] - side * 0.1, middle[1] - side * 0.15, steps=2)
    page.mouse.up()
    page.click("label[for=tool-brush]")
    # Nearer and back, by wheel and by buttons.
    page.mouse.move(*middle)
    page.mouse.wheel(0, -200)
    page.click("#editor button[aria-label='Come nearer']")
    view.shot("near")
    page.click("#editor button:has-text('See all')")
    if view.is_phone:
        touch(page, middle, side)
    view.seen("painted-over")
    page.select_option("#edit-method", "diffusion", force=True) if page.is_visible("#edit-method") else None
    page.click("#editor button.primary")
    view.until("!document.getElementById('editor').open")
    view.toast("queue")
    view.studio.wait()
    job = view.last_job()
    check(job["state"] == "finished", f"it is filled: {job['error']}")
    after = pixels(studio.ask("GET", f"/api/v1/pictures/{job['pictures'][0]}/file", raw=True))
    check(len(after) == 96 and len(after[0]) == 96, "of the same size")
    lower = [(x, y) for y in range(64, 96) for x in range(96)]
    check(all(before[y][x] == after[y][x] for x, y in lower), "what is kept keeps its pixels")
    changed = sum(before[y][x] != after[y][x] for y in range(0, 40) for x in range(10, 60))
    check(changed > 50, f"the part is painted anew: {changed} pixels")

    # Beyond the border: the picture lies in a larger one, its inside as it was.
    view.open(picture)
    page.click("#viewer button:has-text('Edit')")
    page.wait_for_selector("#editor[open] canvas.surface")
    page.click("#edit-frame summary")
    page.fill("#edit-right", "32")
    page.press("#edit-right", "Tab")
    page.wait_for_selector("#editor p:has-text('128 × 96')")
    view.seen("beyond")
    page.click("#editor button.primary")
    view.until("!document.getElementById('editor').open")
    view.studio.wait()
    job = view.last_job()
    check(job["state"] == "finished", f"it is extended: {job['error']}")
    wide = pixels(studio.ask("GET", f"/api/v1/pictures/{job['pictures'][0]}/file", raw=True))
    check(len(wide[0]) == 128 and len(wide) == 96, f"{len(wide[0])} x {len(wide)}")
    check(all(before[y][x] == wide[y][x] for y in range(96) for x in range(80)), "the picture in it keeps its pixels")

    # Less of it: cut out exactly, without painting; then begun from.
    view.open(picture)
    page.click("#viewer button:has-text('Edit')")
    page.wait_for_selector("#editor[open] canvas.surface")
    page.click("#edit-frame summary")
    page.fill("#edit-left", "-16")
    page.press("#edit-left", "Tab")
    page.fill("#edit-bottom", "-32")
    page.press("#edit-bottom", "Tab")
    page.wait_for_selector("#editor p:has-text('80 × 64')")
    view.seen("less")
    with page.expect_download() as download:
        page.click("#editor button:has-text('Save this part')")
    cut = pixels(open(download.value.path(), "rb").read())
    check([row[:] for row in cut] == [row[16:] for row in before[:64]], "the part has the very pixels")
    page.click("#editor button:has-text('Begin from this part')")
    page.wait_for_selector("#begin-full:not([hidden])")
    view.until("location.hash === '#/paint'")
    page.click("#begin-remove")


def touch(page, middle, side):
    """Two fingers come nearer and leave no stroke; one paints; a pencil's pressure counts."""
    session = page.context.new_cdp_session(page)

    def send(kind, *points):
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [
            {"x": x, "y": y, "id": number} for number, (x, y) in enumerate(points)]})

    strokes = "document.querySelector('#editor button[disabled]') === null"
    x, y = middle
    send("touchStart", (x - 20, y))
    send("touchStart", (x - 20, y), (x + 20, y))
    send("touchMove", (x - 60, y), (x + 60, y))
    send("touchEnd")
    page.click("#editor button:has-text('See all')")
    send("touchStart", (x - side * 0.2, y - side * 0.2))
    send("touchMove", (x - side * 0.15, y - side * 0.2))
    send("touchEnd")
    page.evaluate(strokes)
    page.evaluate("""() => {
      const surface = document.querySelector('.surface'), box = surface.getBoundingClientRect();
      surface.setPointerCapture = () => {};
      const at = (kind, x) => surface.dispatchEvent(new PointerEvent(kind, { pointerId: 9, pointerType: 'pen', pressure: 0.2, bubbles: true, clientX: box.left + x, clientY: box.top + box.height * 0.3 }));
      at('pointerdown', box.width * 0.4); at('pointermove', box.width * 0.45); at('pointerup', box.width * 0.45);
    }""")
