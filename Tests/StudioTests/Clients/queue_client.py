"""Workers on other machines: a studio and its broker on one end of a bridge, workers in network namespaces of
their own, killed, cut off and started again while they paint, and the broker killed too. All pictures must be
there, none twice, with the pixels that they have to have.

    queue_client.py soak [--jobs 40] [--workers 4] [--kills 8] [--restarts 2] [--cuts 1] [--cut-seconds 20]
                         [--seconds 2] [--lease 5]
    queue_client.py real [--jobs 12] [--kills 6]   the same with what really paints, against an unkilled run
    queue_client.py speed [--jobs 40] [--seconds 1]   four workers against one
    queue_client.py load [--jobs 10000] [--workers 100] [--seconds 10]   times of page and claims

Without root there are no namespaces: workers then share the machine's network, and nobody is cut off.
"""
import argparse
import concurrent.futures
import hashlib
import http.client
import json
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

from common import PROGRAM, Studio, check, done

NAPS = pathlib.Path(__file__).with_name("sleeper.py")
TOKEN = "soak-token-1234"


def ip(*words, quiet=False):
    subprocess.run(["ip", *words], check=not quiet, stderr=subprocess.DEVNULL if quiet else None)


class Network:
    """A bridge of this machine, and a namespace for each worker."""

    def __init__(self, count):
        self.count = count
        self.isThere = count > 0 and os.geteuid() == 0 and shutil.which("ip") is not None
        self.host = "10.77.7.1" if self.isThere else "127.0.0.1"
        if not count:
            return
        if not self.isThere:
            print("SKIPPED: namespaces of their own, since that takes root and ip", flush=True)
            return
        self.remove()
        try:
            ip("link", "add", "rvbr", "type", "bridge")
            ip("addr", "add", "10.77.7.1/24", "dev", "rvbr")
            ip("link", "set", "rvbr", "up")
            for n in range(count):
                ip("netns", "add", f"rv{n}")
                ip("link", "add", f"rvh{n}", "type", "veth", "peer", "name", "eth0", "netns", f"rv{n}")
                ip("link", "set", f"rvh{n}", "master", "rvbr", "up")
                ip("-n", f"rv{n}", "addr", "add", f"10.77.7.{n + 10}/24", "dev", "eth0")
                ip("-n", f"rv{n}", "link", "set", "eth0", "up")
                ip("-n", f"rv{n}", "link", "set", "lo", "up")
        except subprocess.CalledProcessError:
            self.remove()
            self.isThere, self.host = False, "127.0.0.1"
            print("SKIPPED: namespaces of their own, since they cannot be made here", flush=True)

    def inside(self, n):
        return ["ip", "netns", "exec", f"rv{n}"] if self.isThere else []

    def cut(self, n, isCut):
        ip("link", "set", f"rvh{n}", "down" if isCut else "up")

    def remove(self):
        for n in range(self.count):
            ip("netns", "del", f"rv{n}", quiet=True)
            ip("link", "del", f"rvh{n}", quiet=True)
        ip("link", "del", "rvbr", quiet=True)


class Broker:
    def __init__(self, host):
        self.program = shutil.which("nats-server") or "/usr/sbin/nats-server"
        if not os.access(self.program, os.X_OK):
            print("SKIPPED: all of it, since nats-server is not installed")
            sys.exit(0)
        self.host, self.folder = host, tempfile.mkdtemp(prefix="reverie-nats-")
        with socket.socket() as probe:
            probe.bind((host, 0))
            self.port = probe.getsockname()[1]
        self.url = f"nats://{host}:{self.port}"
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            [self.program, "-a", self.host, "-p", str(self.port), "-js", "-sd", self.folder],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def stop(self, how=signal.SIGKILL):
        self.process.send_signal(how)
        self.process.wait()


class Worker:
    def __init__(self, n, network, broker, studio, *options, seconds=None):
        self.n, self.network = n, network
        self.command = [
            *network.inside(n), str(PROGRAM), "worker", "--queue", broker.url, "--studio", studio.address,
            "--token", TOKEN, "--device", "cpu", "--threads", "1", "--log-level", "info",
            "--name", f"worker-{n}", "--data", f"{studio.data}-workers/{n}", *options]
        self.environment = dict(os.environ, OMP_NUM_THREADS="1")
        if seconds is not None:
            self.command += ["--painter", str(NAPS)]
            self.environment["REVERIE_SLEEP"] = str(seconds)
        self.log = open(f"{studio.data}-worker-{n}.log", "ab")
        self.start()

    def start(self):
        self.process = subprocess.Popen(self.command, stderr=self.log, env=self.environment)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        self.process.terminate()
        return self.process.wait(timeout=90)


class Bench:
    """A studio with a broker, and workers."""

    def __init__(self, workers, lease, *options, namespaces=True):
        self.network = Network(workers) if namespaces else Network(0)
        self.broker = Broker(self.network.host)
        self.studio = Studio(
            "--host", self.network.host, "--token", TOKEN, "--queue", self.broker.url, "--lease", str(lease),
            "--queue-limit", "100000", *options)
        self.studio.headers = {"Authorization": f"Bearer {TOKEN}"}
        self.studio.start()
        self.studio.address = self.studio.address.split("/?")[0]
        self.workers = []

    def close(self):
        codes = [worker.stop() for worker in self.workers]
        check(not any(codes), f"workers did not leave in peace: {codes}")
        check(self.studio.stop() == 0, "the studio did not leave in peace")
        self.broker.stop()
        self.network.remove()

    def hand_in(self, requests):
        host = self.studio.address.split("//")[1]
        found = [None] * len(requests)

        def part(places):
            connection = http.client.HTTPConnection(host)
            for n in places:
                connection.request("POST", "/api/v1/jobs", json.dumps({"request": requests[n]}), {
                    "Content-Type": "application/json", "Idempotency-Key": f"job {n}",
                    **self.studio.headers})
                response = connection.getresponse()
                answer = json.loads(response.read())
                check(response.status in (200, 202), f"job {n}: {response.status} {answer}")
                found[n] = answer["id"]

        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            list(pool.map(part, [range(k, len(requests), 4) for k in range(4)]))
        return found

    def pictures(self, jobs):
        """The bytes of each job's one picture."""
        found = []
        for n, job in enumerate(jobs):
            state = self.studio.ask("GET", f"/api/v1/jobs/{job}")
            check(state["state"] == "finished", f"job {n} is {state['state']}: {state['error']}")
            check(len(state["pictures"]) == 1, f"job {n} has {len(state['pictures'])} pictures")
            found.append(self.studio.ask("GET", f"/api/v1/pictures/{state['pictures'][0]}/file", raw=True))
        count, after = 0, ""
        while after is not None:
            page = self.studio.ask("GET", f"/api/v1/pictures?limit=200{after}")
            count += len(page["pictures"])
            after = f"&after={page['next']}" if page["next"] else None
        check(count == len(jobs), f"{count} pictures of {len(jobs)} jobs")
        left = [name for home in ("kept", "runs") for name in os.listdir(self.studio.data / home)]
        check(not left, f"something was left: {left[:5]}")
        return found

    def metrics(self):
        lines = self.studio.ask("GET", "/metrics", raw=True).decode().splitlines()
        return dict(line.rsplit(" ", 1) for line in lines if line and not line.startswith("#"))


def naps(count):
    return [{"prompt": f"a nap {n}", "seed": n, "method": "fft"} for n in range(count)]


def trouble(bench, options):
    """Kills, restarts and cuts at random moments, until they are used up."""
    left = {"kill": options.kills, "restart": options.restarts}
    if bench.network.isThere:
        left["cut"] = options.cuts
    happened, cut = dict.fromkeys(left, 0), None
    pause = options.jobs * options.seconds / options.workers / max(1, sum(left.values()))
    while sum(left.values()):
        time.sleep(random.uniform(0.2, 1.2) * pause)
        if cut and time.time() > cut[1]:
            bench.network.cut(cut[0], False)
            cut = None
        if not bench.studio.ask("GET", "/api/v1/jobs?state=queued,painting&limit=1")["jobs"]:
            print(f"all was painted before the rest of the trouble came: {left}", flush=True)
            break
        what = random.choice([name for name, count in left.items() for _ in range(count)])
        left[what] -= 1
        happened[what] += 1
        if what == "kill":
            worker = random.choice(bench.workers)
            worker.kill()
            worker.start()
        elif what == "restart":
            bench.broker.stop()
            time.sleep(random.uniform(0, 3))
            bench.broker.start()
        elif cut is None:
            cut = (random.randrange(options.workers), time.time() + options.cut_seconds)
            bench.network.cut(cut[0], True)
        else:
            left[what] += 1
            happened[what] -= 1
    if cut:
        time.sleep(max(0, cut[1] - time.time()))
        bench.network.cut(cut[0], False)
    return happened


def soak(options):
    bench = Bench(options.workers, options.lease)
    bench.workers = [
        Worker(n, bench.network, bench.broker, bench.studio, "--checkpoint-every", "0.5",
               seconds=options.seconds) for n in range(options.workers)]
    jobs = bench.hand_in(naps(options.jobs))
    start = time.time()
    happened = trouble(bench, options)
    bench.studio.wait(3600)
    seconds = time.time() - start
    found = bench.pictures(jobs)
    for n, data in enumerate(found):
        check(re.search(rf'"seed": {n}\b', data.decode("latin-1")), f"the picture of job {n} is another one's")
    retried = float(bench.metrics()["reverie_leases_lost_total"])
    bench.close()
    done(f"{options.jobs} jobs, {options.workers} workers in {'namespaces' if bench.network.isThere else 'one network'}, "
         f"{happened}, {retried:.0f} leases lost: {len(found)} pictures, none twice, in {seconds:.0f} s")


def real(options):
    kinds = [
        {"method": "pixel", "iterations": 60, "cutouts": 2}, {"method": "vqgan-clip", "iterations": 40, "cutouts": 2},
        {"method": "dalle", "candidates": 4}, {"method": "fft", "iterations": 60, "cutouts": 2}]
    requests = [{"prompt": f"a red fox {n}", "seed": n, "width": 64, "height": 64, **kinds[n % 4]}
                for n in range(options.jobs)]
    found = []
    for isKilled in (False, True):
        bench = Bench(2, options.lease)
        bench.workers = [
            Worker(n, bench.network, bench.broker, bench.studio, "--checkpoint-every", "0.5") for n in range(2)]
        jobs, kills = bench.hand_in(requests), 0
        while isKilled and kills < options.kills:
            time.sleep(random.uniform(1, 5))
            if not bench.studio.ask("GET", "/api/v1/jobs?state=queued,painting&limit=1")["jobs"]:
                break
            worker = random.choice(bench.workers)
            worker.kill()
            worker.start()
            kills += 1
        bench.studio.wait(3600)
        found.append([hashlib.sha256(data).hexdigest() for data in bench.pictures(jobs)])
        bench.close()
    differing = [n for n, (whole, killed) in enumerate(zip(*found)) if whole != killed]
    check(not differing, f"pictures differ: {differing}")
    done(f"{kills} kills of 2 workers, {options.jobs} jobs: all with the bytes of the unkilled ones")


def speed(options):
    seconds = {}
    for count in (1, 4):
        bench = Bench(count, options.lease)
        bench.workers = [
            Worker(n, bench.network, bench.broker, bench.studio, seconds=options.seconds) for n in range(count)]
        while float(bench.metrics()['reverie_workers{state="waiting"}']) < count:
            time.sleep(0.1)
        # Each has its process that paints.
        bench.hand_in(naps(count))
        bench.studio.wait()
        start = time.time()
        requests = [dict(nap, prompt="timed") for nap in naps(options.jobs + count)][count:]
        host = bench.studio
        for n, request in enumerate(requests):
            host.ask("POST", "/api/v1/jobs", {"request": request}, host.headers)
        bench.studio.wait(3600)
        seconds[count] = time.time() - start
        bench.close()
    ratio = seconds[1] / seconds[4]
    done(f"{options.jobs} jobs that sleep for {options.seconds} s: one worker {seconds[1]:.1f} s, four "
         f"{seconds[4]:.1f} s: {ratio:.2f} times")


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def load(options):
    bench = Bench(1, 30, namespaces=False)
    start = time.time()
    bench.hand_in(naps(options.jobs))
    print(f"{options.jobs} jobs accepted in {time.time() - start:.1f} s", flush=True)
    bench.workers = [Worker(0, bench.network, bench.broker, bench.studio, "--at-once", str(options.workers),
                            seconds=options.seconds)]
    while float(bench.metrics()['reverie_workers{state="painting"}']) < options.workers:
        time.sleep(0.2)
    before = bench.metrics()
    host, found = bench.studio.address.split("//")[1], {}
    connection, end = http.client.HTTPConnection(host), time.time() + options.measure
    paths = ["/", "/api/v1/jobs?state=queued,painting&limit=50", "/api/v1/pictures?limit=60", "/api/v1/workers"]
    while time.time() < end:
        for path in paths:
            start = time.perf_counter()
            connection.request("GET", path, headers=bench.studio.headers)
            response = connection.getresponse()
            response.read()
            check(response.status == 200, f"{path}: {response.status}")
            found.setdefault(path, []).append(time.perf_counter() - start)
        time.sleep(0.05)
    for path, times in found.items():
        print(f"{path}: {len(times)} times, median {1000 * percentile(times, 0.5):.1f} ms, "
              f"p99 {1000 * percentile(times, 0.99):.1f} ms", flush=True)
    after = bench.metrics()
    name = "reverie_claim_seconds_bucket"
    counts = {key: float(after[key]) - float(before[key]) for key in after if key.startswith(name)}
    total = max(counts.values())
    within = next(key for key, count in counts.items() if count >= 0.99 * total)
    states = bench.studio.ask("GET", "/api/v1/status")["jobs"]
    bench.workers[0].process.kill()
    bench.workers[0].process.wait()
    bench.workers = []
    bench.close()
    done(f"{total:.0f} claims by {options.workers} workers, 99 of 100 within {within[len(name):]} s; {states}")


parser = argparse.ArgumentParser()
parser.add_argument("what", nargs="?", default="soak", choices=["soak", "real", "speed", "load"])
parser.add_argument("--jobs", type=int)
parser.add_argument("--workers", type=int)
parser.add_argument("--kills", type=int)
parser.add_argument("--restarts", type=int, default=2)
parser.add_argument("--cuts", type=int, default=1)
parser.add_argument("--cut-seconds", type=float, default=20)
parser.add_argument("--seconds", type=float)
parser.add_argument("--lease", type=float, default=5)
parser.add_argument("--measure", type=float, default=30)
given = parser.parse_args()
usual = {
    "soak": {"jobs": 40, "workers": 4, "kills": 8, "seconds": 2}, "real": {"jobs": 12, "kills": 6},
    "speed": {"jobs": 40, "seconds": 1}, "load": {"jobs": 10_000, "workers": 100, "seconds": 10}}[given.what]
for key, value in usual.items():
    if getattr(given, key) is None:
        setattr(given, key, value)
globals()[given.what](given)
