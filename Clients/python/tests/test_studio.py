"""Finding a studio, starting one, and surviving its absence."""

from __future__ import annotations

import http.server
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from conftest import LONG, QUICK

import reverie.studio
from reverie import Job, Refused, Reverie, ReverieError, State, Unreachable

TOKEN = "a-word-to-know"
#: Painted in some seconds: long enough to be interrupted.
SLOW = QUICK | {"iterations": 80}


def answers(address: str) -> bool:
    try:
        return httpx.get(address + "/healthz", timeout=5).is_success
    except httpx.TransportError:
        return False


def until(truth: Callable[[], object]) -> None:
    end = time.monotonic() + 60
    while not truth():
        assert time.monotonic() < end
        time.sleep(0.02)


class Foreign:
    """A studio that the client has not started, always at one address."""

    def __init__(self, program: list[str], data: Path, *options: str) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            self.port: int = taken.getsockname()[1]
        self.command = [*program, "--port", str(self.port), *options]
        self.address = f"http://127.0.0.1:{self.port}"
        self.start(data)

    def start(self, data: Path) -> None:
        self.process = subprocess.Popen(
            [*self.command, "--data", str(data)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        assert self.process.stdout
        self.printed = self.process.stdout.readline().decode().strip()

    def end(self, how: signal.Signals = signal.SIGTERM) -> None:
        self.process.send_signal(how)
        self.process.wait(60)


@pytest.fixture
def foreign(program: list[str], tmp_path: Path) -> Iterator[Foreign]:
    foreign = Foreign(program, tmp_path)
    yield foreign
    foreign.end()


# Finding and starting


def test_a_studio_ends_with_its_client(program: list[str], tmp_path: Path) -> None:
    with Reverie(start=True, command=program, data=tmp_path) as studio:
        address = studio.address
        assert repr(studio) == f"Reverie({address!r})"
        assert answers(address)
    assert not answers(address)
    with pytest.raises(ReverieError, match="not open"):
        studio.status()


def test_a_studio_is_left_running_if_wanted(program: list[str], tmp_path: Path) -> None:
    studio = Reverie(start=True, command=program, data=tmp_path, keep_running=True)
    address, started = studio.address, studio._studio._program
    studio.close()
    assert answers(address)
    assert started
    assert started._process
    started._process.terminate()
    started._process.wait(60)


@pytest.mark.skipif(not shutil.which("setpriv"), reason="util-linux's setpriv is not here")
def test_a_studio_ends_with_python_however_that_ends(program: list[str], tmp_path: Path) -> None:
    studio = f"reverie.Reverie(start=True, command={program}, data={str(tmp_path)!r})"
    script = f"import reverie, time; studio = {studio}; print(studio.address, flush=True); time.sleep(99)"
    python = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE)
    assert python.stdout
    address = python.stdout.readline().decode().strip()
    assert answers(address)
    python.kill()
    python.communicate()
    until(lambda: not answers(address))


def test_a_studio_that_runs_is_found(foreign: Foreign, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reverie.studio, "USUAL_ADDRESS", foreign.address)
    with Reverie() as studio:
        assert studio.address == foreign.address
    assert answers(foreign.address)
    monkeypatch.setattr(reverie.studio, "USUAL_ADDRESS", "http://127.0.0.1:1")
    monkeypatch.setenv("REVERIE_STUDIO_URL", foreign.address)
    with Reverie() as studio:
        assert studio.address == foreign.address


def test_a_token_is_told(program: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    foreign = Foreign(program, tmp_path, "--token", TOKEN)
    try:
        with pytest.raises(Refused, match=r"wants its token.*REVERIE_TOKEN") as caught:
            Reverie(foreign.address)
        assert caught.value.status == 401
        assert Reverie(foreign.address, TOKEN).is_there()
        # The address that it prints has it in it, and may be given as it is.
        assert TOKEN in foreign.printed
        assert Reverie(foreign.printed).status().program == "reverie"
        monkeypatch.setenv("REVERIE_TOKEN", TOKEN)
        monkeypatch.setattr(reverie.studio, "USUAL_ADDRESS", foreign.address)
        assert Reverie().address == foreign.address
    finally:
        foreign.end()


def test_nobody_there_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reverie.studio, "USUAL_ADDRESS", "http://127.0.0.1:1")
    with pytest.raises(Unreachable, match=r"\./reverie serve"):
        Reverie("127.0.0.1:1")
    with pytest.raises(Unreachable, match=r"Reverie\(\)"):
        Reverie(start=False)
    with pytest.raises(ReverieError, match="did not open: no such luck"):
        Reverie(start=True, command=["sh", "-c", "echo no such luck >&2; exit 1"])


def test_another_program_is_told_from_a_studio() -> None:
    class Other(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b'{"hello": "world"}')

        def log_message(self, *_: object) -> None: ...

    with http.server.HTTPServer(("127.0.0.1", 0), Other) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with pytest.raises(Refused, match="does not answer as a studio"):
            Reverie(f"http://127.0.0.1:{server.server_port}")
        server.shutdown()


# A studio that goes away


def begun(job: Job) -> Job:
    until(lambda: job.refresh().progress)
    return job


def test_a_job_survives_its_studio(foreign: Foreign, tmp_path: Path) -> None:
    with Reverie(foreign.address) as studio:
        job = begun(studio.paint("a red fox", seed=7, **SLOW))
        waiting = threading.Thread(target=job.wait)
        waiting.start()
        for how in (signal.SIGKILL, signal.SIGTERM):
            foreign.end(how)
            time.sleep(0.3)
            foreign.start(tmp_path)
            time.sleep(0.3)
        waiting.join(120)
        assert job.state is State.finished
        assert [picture.id for picture in studio.pictures()] == [job.picture.id]


def test_no_event_is_told_twice(foreign: Foreign, tmp_path: Path) -> None:
    with Reverie(foreign.address) as studio:
        job = begun(studio.paint("a red fox", **SLOW))
        heard: list[int] = []

        async def hear() -> None:
            async for event in job._watched.events():
                heard.extend([event.id] if event.id else [])

        listening = threading.Thread(target=lambda: studio._loop.run(hear()))
        listening.start()
        until(lambda: heard)
        foreign.end(signal.SIGKILL)
        foreign.start(tmp_path)
        listening.join(120)
        assert heard == sorted(set(heard))
        assert studio.job(job.id).state is State.finished


def test_a_job_that_is_forgotten_is_asked_for_again(foreign: Foreign, tmp_path_factory: pytest.TempPathFactory) -> None:
    with Reverie(foreign.address) as studio:
        job = begun(studio.paint("a red fox", **SLOW))
        known, seed = job.id, job.request["seed"]
        waiting = threading.Thread(target=job.wait)
        waiting.start()
        foreign.end(signal.SIGKILL)
        foreign.start(tmp_path_factory.mktemp("empty"))
        waiting.join(120)
        assert job.id != known
        assert (job.state, job.picture.seed) == (State.finished, seed)


def test_a_studio_of_ones_own_is_started_again(program: list[str], tmp_path: Path) -> None:
    with Reverie(start=True, command=program, data=tmp_path) as studio:
        job = begun(studio.paint("a red fox", **SLOW))
        own = studio._studio._program
        assert own
        assert own._process
        own._process.kill()
        assert job.wait().state is State.finished
        assert studio.status().jobs.finished == 1


def test_asking_waits_for_a_studio_that_is_away(foreign: Foreign, tmp_path: Path) -> None:
    with Reverie(foreign.address) as studio:
        foreign.end()
        assert not studio.is_there()
        later = threading.Timer(0.5, foreign.start, [tmp_path])
        later.start()
        assert studio.paint("a fox", **QUICK).wait().state is State.finished


def test_patience_has_an_end(foreign: Foreign) -> None:
    with Reverie(foreign.address, patience=0.5) as studio:
        job = begun(studio.paint("a fox", **LONG))
        foreign.end(signal.SIGKILL)
        with pytest.raises(Unreachable, match="has not answered"):
            job.wait()
        with pytest.raises(Unreachable, match="Is it running"):
            studio.status()
