"""How what is being painted shows itself: in a notebook, or as a line of a terminal."""

from __future__ import annotations

import base64
import html
import importlib
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from ._request import snake
from .models import Fields

Bundle = dict[str, Any]

#: Pictures on the way are shown at most so often, in seconds.
PACE = 0.2


@dataclass(frozen=True)
class View:
    """What there is to see of a job, or of several."""

    #: What it is about, as `a fox · dalle · seed 7`.
    title: str
    #: How it stands, as `60/150 iterations · 12 s left`.
    status: str
    #: How much is done, of 1; None where nobody knows.
    share: float | None = None
    #: Newest picture, or the results in one.
    picture: Bundle | None = None
    #: What stands below that.
    below: Bundle | None = None
    #: Sentences to be noticed.
    notes: list[str] = field(default_factory=list)
    #: The call that paints it again.
    call: str = ""
    is_over: bool = False


class Screen(Protocol):
    """Where something shows itself."""

    def begin(self, view: View) -> None: ...

    def show(self, view: View) -> None: ...


def is_notebook() -> bool:
    """Whether pictures can be shown: a kernel runs this."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return getattr(shell, "kernel", None) is not None


def screen(stop: Callable[[], object] | None, hint: str = "") -> Screen | None:
    """Where to show something; None where nobody would see it.

    `stop` is called when the button is pressed, for cells that are over before the picture is there.
    """
    if is_notebook():
        return Notebook(stop, hint)
    return Terminal() if sys.stderr.isatty() else None


class Terminal:
    """A line on a terminal."""

    def begin(self, view: View) -> None:
        self.show(view)

    def show(self, view: View) -> None:
        bar = ""
        if view.share is not None and not view.is_over:
            filled = round(20 * view.share)
            bar = "█" * filled + "░" * (20 - filled) + " "
        line = f"{bar}{view.status}  {view.title}"
        room = shutil.get_terminal_size().columns - 1
        sys.stderr.write("\r\x1b[K" + line[:room] + ("\n" if view.is_over else ""))
        if view.is_over:
            sys.stderr.writelines(f"  {note}\n" for note in view.notes)
        sys.stderr.flush()


class Notebook:
    """Outputs of a cell: how it stands, the newest picture, and a button where one can be heard."""

    def __init__(self, stop: Callable[[], object] | None, hint: str) -> None:
        self.stop = stop
        self.hint = hint
        self.controls: Any = None

    def begin(self, view: View) -> None:
        display: Any = importlib.import_module("IPython.display").display

        def output(bundle: Bundle) -> Any:
            return display(bundle, raw=True, display_id=True)

        if self.stop and not view.is_over:
            self.controls = controls(self.stop)
            if self.controls:
                display(self.controls)
        self.caption = output(caption(view, self.hint))
        self.picture = output(view.picture or {"text/plain": ""})
        self.below = output(view.below or {"text/plain": ""}) if view.below is not None else None

    def show(self, view: View) -> None:
        self.caption.update(caption(view, self.hint), raw=True)
        if view.picture:
            self.picture.update(view.picture, raw=True)
        if self.below and view.below:
            self.below.update(view.below, raw=True)
        if self.controls and view.is_over:
            self.controls.close()
            self.controls = None


def controls(stop: Callable[[], object]) -> Any:
    """A button that stops, where there are widgets."""
    try:
        ipywidgets: Any = importlib.import_module("ipywidgets")
    except ImportError:
        return None
    button = ipywidgets.Button(description="Stop", icon="stop", tooltip="Keep what there is so far")

    def pressed(_: object) -> None:
        button.disabled = True
        button.description = "Stopping"
        stop()

    button.on_click(pressed)
    return button


def caption(view: View, hint: str) -> Bundle:
    """A view without its picture."""
    text = f"{view.title}\n{view.status}"
    parts = [f"<b>{html.escape(view.title)}</b>"]
    if view.share is not None and not view.is_over:
        parts.append(f'<progress value="{view.share:.4f}" max="1" style="width: 16em"></progress>')
    parts.append(f'<span style="opacity: 0.7">{html.escape(view.status)}</span>')
    if hint and not view.is_over:
        parts.append(f'<small style="opacity: 0.7">{html.escape(hint)}</small>')
    parts += [f"<small>{html.escape(note)}</small>" for note in view.notes]
    if view.call:
        parts.append(
            "<details><summary><small>Settings</small></summary>"
            f'<pre style="white-space: pre-wrap">{html.escape(view.call)}</pre></details>'
        )
    return {"text/html": "<br>".join(parts), "text/plain": "\n".join([text, *view.notes])}


def picture(data: bytes, text: str = "a picture") -> Bundle:
    """A picture as an output."""
    kind = "image/png" if data.startswith(b"\x89PNG") else "image/jpeg"
    return {kind: base64.b64encode(data).decode(), "text/plain": f"<{text}>"}


def film(data: bytes, still: bytes) -> Bundle:
    """A film that plays in its cell, and its last frame for those who show no films."""
    source = base64.b64encode(data).decode()
    return {
        "text/html": '<video controls autoplay loop muted playsinline style="max-width: 100%" '
        f'src="data:video/mp4;base64,{source}"></video>',
        **picture(still, "a film"),
    }


def call(request: Fields, count: int) -> str:
    """The call that asks for a request, one argument a line."""
    given = {snake(name): value for name, value in sorted(request.items()) if name not in ("prompt", "schema")}
    if count != 1:
        given["count"] = count
    lines = [f"    {name}={value!r}," for name, value in given.items()]
    return "\n".join(["studio.paint(", f"    {request.get('prompt', '')!r},", *lines, ")"])


def seconds(value: float) -> str:
    """A time, as people say it."""
    if value < 10:
        return f"{value:.1f} s"
    minutes, rest = divmod(round(value), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
