"""The page speaks the browser's language, or the one that is chosen."""
from common import check
from stories.view import View


def tell(view):
    for language, words, gallery in (("de-DE", "Was soll es sein?", "Galerie"), ("es-ES", "¿Qué ha de ser?", "Galería")):
        size = view.page.viewport_size
        other = View(view.studio, view.browser, view.folder, f"{view.name}-{language[:2]}", size["width"], size["height"],
                     "dark" if view.is_phone else "light", language)
        page = other.page
        check(page.inner_text("label[for=prompt]") == words, f"{language}: {page.inner_text('label[for=prompt]')}")
        check(page.get_attribute("html", "lang") == language[:2], "the document says so")
        other.seen("paint")
        other.go("gallery")
        check(page.inner_text("#tab-gallery") == gallery, "the tab")
        other.seen("gallery")
        other.go("models")
        page.wait_for_selector("#models-known li")
        other.seen("models")
        # Another one is chosen and stays.
        page.select_option("#language", "en")
        page.wait_for_selector("#examples button[lang=en]", state="attached")
        other.until("document.documentElement.lang === 'en'")
        page.reload()
        other.until("document.documentElement.lang === 'en'")
        other.close()
    check(view.page.inner_text("label[for=prompt]") == "What shall it be?", "English elsewhere")
