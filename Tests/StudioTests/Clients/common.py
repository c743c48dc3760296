"""A studio of its own for each check: started, asked, killed, started again. Standard library only."""
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[3]
PROGRAM = pathlib.Path(os.environ.get("REVERIE", ROOT / ".build/release/reverie-studio"))


class Studio:
    def __init__(self, *options, data=None):
        self.data = pathlib.Path(data or tempfile.mkdtemp(prefix="reverie-studio-"))
        self.options = options
        self.process = None
        self.headers = {}
        self.log = open(self.data.parent / f"{self.data.name}.log", "ab")

    def start(self):
        environment = dict(os.environ, OMP_NUM_THREADS="1")
        self.process = subprocess.Popen(
            [str(PROGRAM), "serve", "--port", "0", "--data", str(self.data), *self.options],
            stdout=subprocess.PIPE, stderr=self.log, env=environment)
        line = self.process.stdout.readline().decode().strip()
        if not line.startswith("http"):
            raise SystemExit(f"the studio did not start: {pathlib.Path(self.log.name).read_text()[-2000:]}")
        self.address = line.rstrip("/")
        return self

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    def stop(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        code = self.process.wait(timeout=60)
        self.process.stdout.close()
        return code

    def workers(self):
        """Numbers of the worker processes of this studio's folder."""
        found = []
        for entry in pathlib.Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if b"worker" in words and str(self.data).encode() in words:
                found.append(int(entry.name))
        return found

    def ask(self, method, path, body=None, headers=None, raw=False):
        data = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        request = urllib.request.Request(
            self.address + path, data=data, method=method,
            headers={"Content-Type": "application/json", **self.headers, **(headers or {})})
        try:
            with urllib.request.urlopen(request, timeout=120) as response:
                content = response.read()
        except urllib.error.HTTPError as error:
            content = error.read()
            raise Refused(error.code, content) from None
        return content if raw else json.loads(content) if content else None

    def jobs(self, states=""):
        found, after = [], None
        while True:
            path = f"/api/v1/jobs?limit=500&state={states}" + (f"&after={after}" if after else "")
            page = self.ask("GET", path)
            found += page["jobs"]
            after = page["next"]
            if not after:
                return found

    def wait(self, seconds=600):
        """Waits until nothing is queued or painted."""
        end = time.time() + seconds
        while time.time() < end:
            if not self.ask("GET", "/api/v1/jobs?state=queued,painting&limit=1")["jobs"]:
                return
            time.sleep(0.1)
        raise SystemExit("jobs are not done in time")


class Refused(Exception):
    def __init__(self, status, content):
        super().__init__(f"{status}: {content[:400]!r}")
        self.status, self.content = status, content


def check(truth, what):
    if not truth:
        raise SystemExit(f"FAILED: {what}")


def done(text):
    print(text, flush=True)
    sys.exit(0)
