"""How a job shows itself: in the cells of a real kernel, and on a terminal."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from typing import Any

import nbformat
import pytest
from conftest import LONG, QUICK
from nbclient import NotebookClient

from reverie import Job, Reverie

#: Without types of their own.
v4: Any = nbformat.v4


def run(studio: Reverie, *cells: str) -> list[list[Any]]:
    """The outputs of cells that a kernel runs."""
    first = f"from reverie import Reverie\nstudio = Reverie({studio.address!r})\nQUICK = {QUICK}\nLONG = {LONG}"
    notebook = v4.new_notebook(cells=[v4.new_code_cell(cell) for cell in (first, *cells)])
    NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    return [cell.outputs for cell in notebook.cells[1:]]


def kinds(outputs: list[Any]) -> set[str]:
    return {kind for output in outputs for kind in output.get("data", {})}


def words(outputs: list[Any]) -> str:
    return "\n".join(output.data.get("text/html", "") for output in outputs if "data" in output)


def test_waiting_shows_the_result_with_its_settings(studio: Reverie) -> None:
    (outputs,) = run(studio, 'studio.paint("a <red> fox", seed=7, **QUICK).wait()\nNone')
    assert "image/png" in kinds(outputs)
    assert "a &lt;red&gt; fox · pixel · seed 7 · 64 × 64" in words(outputs)
    assert "painted in" in words(outputs)
    # The settings are a call that can be run.
    call = words(outputs).partition("<pre")[2].partition(">")[2].partition("</pre>")[0]
    assert "iterations=3," in call
    assert "Interrupt" not in words(outputs)


def test_what_is_over_shows_itself(studio: Reverie, fox: Job) -> None:
    job, picture = run(studio, f"studio.job({fox.id!r})", f"studio.picture({fox.picture.id!r})")
    assert {"image/png", "text/html"} <= kinds(job)
    assert "image/png" in kinds(picture)


def test_it_goes_on_showing_itself_while_nobody_waits(studio: Reverie) -> None:
    # nbclient hears only what comes while the cell runs; browsers hear it later, too.
    (outputs,) = run(
        studio,
        'import time\njob = studio.paint("a fox", **QUICK | {"iterations": 60})\ndisplay(job)\n'
        "while not job.is_over: time.sleep(0.1)\ntime.sleep(0.5)",
    )
    assert "image/png" in kinds(outputs)
    assert "painted in" in words(outputs)


def test_the_button_stops(studio: Reverie) -> None:
    (_, outputs) = run(
        studio,
        'job = studio.paint("a fox", **LONG)\nwhile not job.refresh().progress: pass',
        "import ipywidgets\njob._ipython_display_()\n"
        "button = [one for one in ipywidgets.Widget.widgets.values() if isinstance(one, ipywidgets.Button)][-1]\n"
        "button.click()\njob.wait(show=False)\nprint(job.state.value, job.record.stopped, len(job.pictures))",
    )
    assert "finished True 1" in "".join(output.get("text", "") for output in outputs)
    assert "application/vnd.jupyter.widget-view+json" in kinds(outputs)


def test_films_and_sheets_are_inline(studio: Reverie) -> None:
    film, several, grid = run(
        studio,
        'studio.film("zoom", "leaves", frames=2, every=2, **QUICK).wait()\nNone',
        'studio.paint("a fox", count=2, **QUICK).wait()\nNone',
        'grid = studio.grid("a fox", {"seed": [1, 2]}, **QUICK).wait()\nNone',
    )
    assert 'src="data:video/mp4;base64,' in words(film)
    assert "image/png" in kinds(several)
    assert "image/png" in kinds(grid)
    assert "2 of 2" in words(grid)


def test_errors_end_a_cell_with_a_sentence(studio: Reverie) -> None:
    with pytest.raises(Exception, match="Did you mean 'iterations'") as caught:
        run(studio, 'studio.paint("a fox", iteration=3)')
    # How the client came to it is nothing to read in a cell.
    assert str(caught.value).count("/reverie/") < 4


def test_await_works_in_cells(studio: Reverie) -> None:
    (outputs,) = run(
        studio,
        "from reverie import AsyncReverie\n"
        f"async with AsyncReverie({studio.address!r}) as other:\n"
        '    job = await (await other.paint("a fox", **QUICK)).wait()\n'
        "    picture = (await job.pictures())[0]\n"
        "    print(picture)",
    )
    assert "image/png" in kinds(outputs)
    assert "<AsyncPicture" in "".join(output.get("text", "") for output in outputs)


def test_a_terminal_has_a_line(studio: Reverie) -> None:
    script = (
        f"from reverie import Reverie\nstudio = Reverie({studio.address!r})\n"
        f"studio.paint('a red fox', **{QUICK | {'iterations': 100}}).wait()"
    )
    ours, theirs = pty.openpty()
    with subprocess.Popen([sys.executable, "-c", script], stderr=theirs) as process:
        os.close(theirs)
        told = b""
        try:
            while part := os.read(ours, 4096):
                told += part
        except OSError:
            # So a terminal's end is told on Linux.
            pass
        assert process.wait() == 0
    os.close(ours)
    lines = told.decode().split("\r\x1b[K")
    assert "painted in" in lines[-1]
    assert any("/100 " in line and "█" in line for line in lines)


def test_elsewhere_there_is_silence(studio: Reverie, capfd: pytest.CaptureFixture[str]) -> None:
    studio.paint("a fox", **QUICK).wait()
    assert capfd.readouterr() == ("", "")
