"""A page that is looked at: pictures of it, what axe says, what its console says, whom it asks."""
import time

from axe_playwright_python.sync_playwright import Axe

from common import check


class View:
    def __init__(self, studio, browser, folder, name, width, height, scheme, language="en-US"):
        self.studio, self.browser, self.folder, self.name = studio, browser, folder, name
        self.is_phone = width < 600
        self.page = browser.new_context(
            viewport={"width": width, "height": height}, color_scheme=scheme, locale=language,
            has_touch=self.is_phone, accept_downloads=True).new_page()
        self.problems = []
        self.page.on("console", lambda message: self.hear(message))
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))
        self.page.on("request", lambda request: self.watch(request.url))
        self.number = 0
        self.page.goto(studio.address)
        self.page.wait_for_selector("#examples button[lang=en]")
        self.first_paint = self.page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")

    def hear(self, message):
        # Chromium itself writes down what was answered with a problem, which stories do on purpose.
        if "the server responded with a status of 4" not in message.text:
            self.problems.append(f"{message.type}: {message.text}")

    def watch(self, url):
        if not url.startswith((self.studio.address, "blob:", "data:")):
            self.problems.append(f"asks {url}")

    def shot(self, what, full=False):
        self.number += 1
        self.page.screenshot(path=self.folder / f"{self.name}-{self.number}-{what}.png", full_page=full)

    def accessible(self, what):
        found = Axe().run(self.page).response["violations"]
        check(not found, f"{self.name} {what}: " + "; ".join(
            f"{one['id']} ({one['impact']}) at {[node['target'] for node in one['nodes']][:3]}" for one in found))

    def seen(self, what, full=False):
        """A picture of a view, and what axe says of it."""
        self.shot(what, full)
        self.accessible(what)

    def until(self, expression, seconds=60):
        """Waits for a truth of the page; Playwright's own way would need eval, which the page forbids."""
        end = time.time() + seconds
        while not self.page.evaluate(expression):
            check(time.time() < end, f"{self.name}: not in time: {expression}")
            time.sleep(0.1)

    def toast(self, text, seconds=60):
        """Waits for one that was not seen before."""
        self.page.wait_for_selector(f".toast:not([data-seen]):has-text('{text}')", timeout=seconds * 1000).evaluate(
            "toast => { toast.dataset.seen = '' }")

    def go(self, view):
        self.page.click(f"#tab-{view}")
        self.page.wait_for_selector(f"#{view}:not([hidden])")

    def choose_method(self, name):
        self.page.select_option("#method", name)

    def set(self, name, value):
        """Fills a setting, wherever its group is."""
        if not self.page.evaluate("document.getElementById('all').open"):
            self.page.click("#all > summary")
        self.page.evaluate(f"document.querySelector('#field-{name}').closest('details').open = true")
        self.page.fill(f"#set-{name}", str(value))

    def paint(self, prompt, method="fft", seconds=240, **settings):
        """Paints a small picture and waits for it; gives its name."""
        job = self.studio.ask("POST", "/api/v1/jobs", {
            "request": {"prompt": prompt, "method": method, "width": 64, "height": 64, **settings}})
        end = time.time() + seconds
        while True:
            job = self.studio.ask("GET", f"/api/v1/jobs/{job['id']}")
            check(job["state"] not in ("failed", "cancelled"), f"{prompt}: {job}")
            if job["state"] == "finished":
                return job["pictures"][0]
            check(time.time() < end, f"{prompt} was not painted in time")
            time.sleep(0.1)

    def idle(self, seconds=240):
        """Waits until nothing is painted any more, as the page shows it."""
        self.studio.wait(seconds)
        self.page.wait_for_selector("#queue-empty:not([hidden])", state="attached", timeout=60_000)

    def open(self, picture):
        self.page.goto(f"{self.studio.address}/#/picture/{picture}")
        self.page.wait_for_selector("#viewer[open] h2")

    def last_job(self):
        return max(self.studio.jobs("queued,painting,finished,failed,cancelled"), key=lambda job: job["created"])

    def close(self):
        check(not self.problems, f"{self.name}: {self.problems}")
        self.page.context.close()
