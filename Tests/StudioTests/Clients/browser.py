"""The page in headless Chromium, story by story, at a desktop's size in the light and at a phone's in the dark
with touch; every view is looked at by axe, and screenshots go to the folder named.

browser.py [--swap] [FOLDER [STORY …]]   --swap: a desktop in the dark, a phone in the light"""
import os
import pathlib
import shutil
import sys
import tempfile

from playwright.sync_api import sync_playwright

from common import Studio, done
from stories import edit, films, gallery, languages, learn, models, painting, people, settings, wishes, workers
from stories.hub import Hub
from stories.view import View

swaps, words = "--swap" in sys.argv, [word for word in sys.argv[1:] if word != "--swap"]
folder = pathlib.Path(words[0] if words else "screenshots")
folder.mkdir(parents=True, exist_ok=True)
chromium = os.environ.get("CHROMIUM") or shutil.which("chromium")
if not chromium:
    print("SKIPPED: chromium is not installed (apt-get install chromium)")
    sys.exit(0)
schemes = ["light", "dark"][::-1 if swaps else 1]
sizes = {"desktop": (1280, 800, schemes[0]), "phone": (390, 844, schemes[1])}
stories = {story.__name__.split(".")[-1]: story for story in [
    painting, settings, wishes, gallery, edit, films, models, people, workers, learn, languages]}
chosen = words[1:] or list(stories)
first_paints = []

with Hub() as hub, sync_playwright() as playwright:
    browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
    for name, (width, height, scheme) in sizes.items():
        home = pathlib.Path(tempfile.mkdtemp(prefix="reverie-models-"))
        os.environ.update(REVERIE_MODELS=str(home / "models"), XDG_CACHE_HOME=str(home / "cache"), HF_ENDPOINT=hub.address)
        with Studio("--log-level", "error") as studio:
            for story in chosen:
                view = View(studio, browser, folder, f"{name}-{story}", width, height, scheme)
                first_paints.append(view.first_paint)
                stories[story].tell(view)
                view.close()
                print(f"{name}: {story}", flush=True)
    version = browser.version
    browser.close()
done(f"Chromium {version}: {', '.join(chosen)} at {', '.join(sizes)}; first contentful paint "
     + ", ".join(f"{one:.0f} ms" for one in first_paints) + f"; screenshots in {folder}")
