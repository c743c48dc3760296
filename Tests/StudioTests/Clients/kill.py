"""30 kills of server, worker or both at random moments, with 50 short jobs queued: 50 pictures at the
end, each with the bytes of the unkilled one, none twice.   kill.py [KILLS [JOBS]]"""
import hashlib
import os
import random
import signal
import sys
import time

from common import Studio, check, done

kills = int(sys.argv[1]) if len(sys.argv) > 1 else 30
count = int(sys.argv[2]) if len(sys.argv) > 2 else 50
kinds = [
    {"method": "pixel", "iterations": 30, "cutouts": 2},
    {"method": "vqgan-clip", "iterations": 15, "cutouts": 2},
    {"method": "dalle", "candidates": 4},
    {"method": "fft", "iterations": 25, "cutouts": 2},
]


def hand_in(studio):
    return [
        studio.ask("POST", "/api/v1/jobs", {
            "request": {"prompt": f"a red fox {n}", "seed": n, "width": 64, "height": 64,
                        **kinds[n % len(kinds)]}}, {"Idempotency-Key": f"job {n}"})["id"]
        for n in range(count)]


def pictures(studio, jobs):
    found = {}
    for n, job in enumerate(jobs):
        state = studio.ask("GET", f"/api/v1/jobs/{job}")
        check(state["state"] == "finished", f"job {n} is {state['state']}: {state['error']}")
        check(len(state["pictures"]) == 1, f"job {n} has {len(state['pictures'])} pictures")
        file = studio.ask("GET", f"/api/v1/pictures/{state['pictures'][0]}/file", raw=True)
        found[n] = hashlib.sha256(file).hexdigest()
    return found


start = time.time()
with Studio() as studio:
    jobs = hand_in(studio)
    studio.wait(3600)
    whole = pictures(studio, jobs)
alone = time.time() - start

studio = Studio().start()
jobs = hand_in(studio)
counts = {"server": 0, "worker": 0, "both": 0}
for number in range(kills):
    time.sleep(random.uniform(0, 1.2 * alone / kills))
    if not studio.ask("GET", "/api/v1/jobs?state=queued,painting&limit=1")["jobs"]:
        # All is painted before the kills were used up: more of the same, which must be taken as known.
        check(hand_in(studio) == jobs, "a key gave another job")
    what = random.choice(list(counts))
    counts[what] += 1
    if what in ("worker", "both"):
        for worker in studio.workers():
            try:
                os.kill(worker, signal.SIGKILL)
            except ProcessLookupError:
                pass
    if what in ("server", "both"):
        studio.stop(signal.SIGKILL)
        studio.start()
studio.wait(3600)
killed = pictures(studio, jobs)
everything = studio.ask("GET", "/api/v1/pictures?limit=200")["pictures"]
check(len(everything) == count, f"{len(everything)} pictures of {count} jobs")
left = os.listdir(studio.data / "runs")
check(not [name for name in left if not name.startswith(".")], f"runs were left: {left}")
check(studio.stop() == 0, "the studio did not leave in peace")
differing = [n for n in whole if whole[n] != killed[n]]
check(not differing, f"pictures differ: {differing}")
done(f"{kills} kills ({counts}), {count} jobs: {count} pictures, all with the bytes of the unkilled ones")
