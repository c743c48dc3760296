"""The guide under /learn, and how a picture came about, by the keyboard alone."""
from common import check


def focused(page, what):
    return page.evaluate(f"document.activeElement?.matches({what!r}) ?? false")


def tab_to(view, what, most=150):
    """Presses Tab until something has the focus."""
    for _ in range(most):
        if focused(view.page, what):
            return
        view.page.keyboard.press("Tab")
    check(False, f"{view.name}: the keyboard does not reach {what}")


def tell(view):
    page = view.page
    tab_to(view, "a[href='/learn']")
    page.keyboard.press("Enter")
    page.wait_for_selector("main.learn h1")
    page.keyboard.press("Tab")
    check(focused(page, "a.skip"), "the first stop is the way past the header")
    page.keyboard.press("Enter")
    chapters = page.eval_on_selector_all("main a[href^='/learn/']", "all => [...new Set(all.map(a => a.getAttribute('href')))]")
    check(len(chapters) >= 8, f"the guide has chapters: {chapters}")
    tab_to(view, f"main a[href='{chapters[0]}']")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{chapters[0]}")
    for chapter in ["/learn", *chapters]:
        page.goto(view.studio.address + chapter)
        page.wait_for_selector("main.learn h1")
        view.until("[...document.images].every(one => one.loading === 'lazy' || (one.complete && one.naturalWidth > 0))")
        wide = page.evaluate("document.documentElement.scrollWidth > innerWidth")
        check(not wide, f"{view.name}: {chapter} is wider than the window")
        view.seen("learn" + chapter.removeprefix("/learn").replace("/", "-"), full=True)

    picture = view.paint("a green pear", iterations=40, cutouts=2)
    view.open(picture)
    tab_to(view, "#viewer details:has(> .trace) > summary")
    page.keyboard.press("Enter")
    view.until("document.querySelectorAll('.trace .looks img').length > 3")
    view.seen("came-about", full=True)
