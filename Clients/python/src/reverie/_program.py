"""A studio that a client starts and ends."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import weakref
from collections.abc import Iterator, Sequence
from pathlib import Path

from .errors import ReverieError


def checkouts() -> Iterator[Path]:
    """Folders with Reverie's sources: round the working folder, and round this file."""
    for start in (Path.cwd(), Path(__file__).resolve()):
        for folder in (start, *start.parents):
            if (folder / "reverie").is_file() and (folder / "Sources/reverie-studio").is_dir():
                yield folder


def find() -> list[str]:
    """The command that opens a studio here."""
    for folder in checkouts():
        return [str(folder / "reverie"), "serve"]
    for name in ("reverie-studio", "reverie"):
        if path := shutil.which(name):
            return [path, "serve"]
    raise ReverieError(
        "No studio runs on this machine, and there is no Reverie to start one: no checkout round this folder, "
        "and no reverie-studio or reverie on PATH. Clone Reverie and go into its folder, or give the address "
        "of a studio: Reverie('http://…')"
    )


class Program:
    """A studio in a process of its own, on a free port."""

    def __init__(
        self,
        command: Sequence[str] | None = None,
        *,
        data: str | Path | None = None,
        options: Sequence[str] = (),
        keep_running: bool = False,
    ) -> None:
        self._command = [*(command or find()), *(["--data", str(data)] if data else []), *options]
        self._keep_running = keep_running
        self._process: subprocess.Popen[bytes] | None = None
        self._port = 0

    async def start(self) -> str:
        """Starts it, and gives its address once it is open."""
        command = [*self._command, "--port", str(self._port)]
        keeper = shutil.which("setpriv")
        if keeper and not self._keep_running and sys.platform == "linux":
            # It ends also when this process is killed, and leaves what it paints at a checkpoint.
            command = [keeper, "--pdeathsig", "TERM", "--", *command]
        log = tempfile.TemporaryFile()
        out = tempfile.TemporaryFile()
        # In a session of its own: what interrupts a cell or a script is not meant for it.
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=log, start_new_session=True)
        if not self._keep_running:
            self._end = weakref.finalize(self, end, process)
        told = 0
        while True:
            text = os.pread(log.fileno(), 1 << 20, told)
            address = os.pread(out.fileno(), 1000, 0)
            if address.endswith(b"\n"):
                break
            if process.poll() is not None:
                raise ReverieError(
                    f"{' '.join(self._command)} did not open: "
                    + (text.decode(errors="replace").strip()[-2000:] or f"it ended with {process.returncode}.")
                )
            # What is built before it opens takes its time.
            if text.endswith(b"\n"):
                sys.stderr.write(text.decode(errors="replace"))
                told += len(text)
            await asyncio.sleep(0.05)
        self._process = process
        found = address.decode().split()[0]
        self._port = int(found.split("?")[0].rstrip("/").rpartition(":")[2])
        return found

    async def revive(self) -> None:
        """Starts it again if it has ended by itself: its jobs go on."""
        if self._process and self._process.poll() is not None:
            await self.start()

    def close(self) -> None:
        """Ends it, unless it was to be kept."""
        if self._process and not self._keep_running:
            self._end()


def end(process: subprocess.Popen[bytes]) -> None:
    """Ends a studio as it wishes: what is being painted is left at a checkpoint."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=45)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
