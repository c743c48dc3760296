"""10,000 queued jobs, a gallery of 10,000 pictures, 64 listeners, memory: figures by the clock."""
import concurrent.futures
import http.client
import json
import sqlite3
import statistics
import subprocess
import sys
import threading
import time

from common import Studio, check, done

jobs = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def times(studio, path, count):
    host = studio.address.split("//")[1]
    connection, found = http.client.HTTPConnection(host), []
    for _ in range(count):
        start = time.perf_counter()
        connection.request("GET", path)
        response = connection.getresponse()
        response.read()
        check(response.status == 200, f"{path}: {response.status}")
        found.append(time.perf_counter() - start)
    return found


def memory(studio):
    text = open(f"/proc/{studio.process.pid}/status").read()
    return int(text.split("VmRSS:")[1].split()[0]) / 1024


# A job that takes for ever keeps the worker busy, as it would be.
studio = Studio("--queue-limit", "100000").start()
host = studio.address.split("//")[1]
long = {"request": {"prompt": "a red fox", "method": "fft", "iterations": 100000, "cutouts": 2}}
first = studio.ask("POST", "/api/v1/jobs", long)["id"]


def hand_in(part):
    connection = http.client.HTTPConnection(host)
    for n in part:
        body = json.dumps({"request": {"prompt": f"fox number {n}", "seed": n, "method": "fft"}})
        connection.request("POST", "/api/v1/jobs", body, {"Content-Type": "application/json"})
        response = connection.getresponse()
        response.read()
        check(response.status == 202, f"job {n}: {response.status}")


start = time.time()
with concurrent.futures.ThreadPoolExecutor(4) as pool:
    list(pool.map(hand_in, [range(k, jobs, 4) for k in range(4)]))
print(f"{jobs} jobs accepted in {time.time() - start:.1f} s", flush=True)
pages = times(studio, "/api/v1/jobs?state=queued,painting&limit=50", 50)
print(f"a page of the queue: median {1000 * statistics.median(pages):.1f} ms, "
      f"slowest {1000 * max(pages):.1f} ms", flush=True)

# Pictures as if they had been painted: rows only.
database = sqlite3.connect(studio.data / "studio.sqlite", timeout=30)
request = json.dumps({"request": {"prompt": "a"}})
database.executemany(
    "INSERT INTO pictures (id, job, place, created, prompt, metadata, method, seed, width, height, "
    "stopped) VALUES (?, ?, 1, ?, ?, ?, 'fft', ?, 256, 256, 0)",
    [(f"made{n}-1", f"made{n}", n, f"a red fox number {n}", request, n) for n in range(10_000)])
database.commit()
for path in ["/api/v1/pictures?limit=60", "/api/v1/pictures?q=fox+number+99&limit=60"]:
    pages = times(studio, path, 50)
    print(f"{path}: median {1000 * statistics.median(pages):.1f} ms, "
          f"slowest {1000 * max(pages):.1f} ms", flush=True)
with concurrent.futures.ThreadPoolExecutor(32) as pool:
    all_times = sum(pool.map(lambda _: times(studio, "/api/v1/pictures?limit=60", 30), range(32)), [])
print(f"first page at 32 connections (this Python client and the painter on the same cores): "
      f"p99 {1000 * percentile(all_times, 0.99):.1f} ms", flush=True)
try:
    text = subprocess.run(
        ["wrk", "-t1", "-c32", "-d10s", "--latency", f"{studio.address}/api/v1/pictures?limit=60"],
        capture_output=True, text=True).stdout
    print("wrk, 32 connections, while a job paints:", " ".join(text.split()), flush=True)
except FileNotFoundError:
    print("SKIPPED: wrk is not installed (apt-get install wrk)", flush=True)

# 64 listeners on the job that paints.
heard = [0] * 64


def listen(n, until):
    connection = http.client.HTTPConnection(host, timeout=30)
    connection.request("GET", f"/api/v1/jobs/{first}/events")
    response = connection.getresponse()
    while time.time() < until:
        line = response.readline()
        if line.startswith(b"event: progress"):
            heard[n] += 1
    connection.close()


until = time.time() + 15
threads = [threading.Thread(target=listen, args=(n, until)) for n in range(64)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(f"64 listeners for 15 s: progress heard {min(heard)} to {max(heard)} times each", flush=True)
check(min(heard) > 0, "a listener was starved")

before = memory(studio)
times(studio, "/api/v1/pictures?limit=60", 5_000)
middle = memory(studio)
times(studio, "/api/v1/pictures?limit=60", 5_000)
print(f"memory of the server: {before:.0f} MB, after 5,000 requests {middle:.0f} MB, after 10,000 "
      f"{memory(studio):.0f} MB", flush=True)
studio.ask("POST", f"/api/v1/jobs/{first}/cancel", {})
studio.stop()
done("load: done")
