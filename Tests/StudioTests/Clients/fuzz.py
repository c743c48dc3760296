"""Hostile requests: bodies, headers, paths and pictures. No crash, no file outside the folder, no 5xx.
   fuzz.py [REQUESTS [SEED]]"""
import json
import pathlib
import random
import socket
import sys

from common import Studio, check, done

count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
random.seed(int(sys.argv[2]) if len(sys.argv) > 2 else 1)
paths = ["/api/v1/jobs", "/api/v1/files", "/api/v1/collections", "/api/v1/pictures", "/api/v1/status",
         "/api/v1/jobs/{}", "/api/v1/jobs/{}/cancel", "/api/v1/jobs/{}/move", "/api/v1/pictures/{}",
         "/api/v1/pictures/{}/file", "/api/v1/pictures/{}/thumbnail", "/api/v1/collections/{}",
         "/api/v1/collections/{}/pictures/{}", "/sdapi/v1/png-info", "/sdapi/v1/extra-single-image",
         "/sdapi/v1/options", "/sdapi/v1/progress", "/v1/images/edits",
         "/v1/models/{}", "/", "/{}", "/styles/{}", "/healthz", "/metrics", "/openapi.json"]
words = ["..", "%2e%2e", "%00", "a", "../../../../etc/passwd", "%2e%2e%2fetc%2fpasswd", "\u00e9", "'", "\"",
         "' OR 1=1 --", "<script>", "%ff%fe", "-1", "1e309", "\\", "x" * 5000, "", "null", "*", "AND", "NEAR("]
seeds = [
    {"request": {"prompt": "a fox", "method": "fft", "width": 64}, "count": 1, "presets": ["watercolour"]},
    {"request": {"prompt": "a | b:0.5 ^ c", "cutouts": 4, "objectives": [{"name": "palette", "weight": 1}]}},
    {"name": "trees"}, {"favourite": True}, {"before": None}, {"keep": True},
    {"image": "aGVsbG8=", "upscaling_resize": 2}, {"prompt": "a fox", "n": 1, "size": "64x64"},
]
png = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c4944415408d763f8cfc000"
    "000301010018dd8db00000000049454e44ae426082")


def mangled(value):
    if random.random() < 0.25:
        return random.choice([None, True, -1, 1e300, 2**70, "", "x" * 3000, [], {}, [[[[]]]], "\u0000", "\ud83e\udd8a",
                              {"name": "a", "sha256": "0" * 64}, random.choice(words)])
    if isinstance(value, dict):
        result = {key: mangled(one) for key, one in value.items()}
        if random.random() < 0.2:
            result[random.choice(words)[:200]] = mangled(1)
        return result
    if isinstance(value, list):
        return [mangled(one) for one in value] * random.choice([1, 1, 1, 50])
    return value


def body():
    kind = random.random()
    if kind < 0.6:
        data = json.dumps(mangled(random.choice(seeds))).encode("utf-8", "surrogatepass")
        if random.random() < 0.15:
            data = data[:random.randrange(len(data) + 1)]
        return data, "application/json"
    if kind < 0.8:
        data = bytearray(png)
        for _ in range(random.randrange(6)):
            data[random.randrange(len(data))] = random.randrange(256)
        data = bytes(data[:random.randrange(len(data) + 1)]) if random.random() < 0.3 else bytes(data)
        if random.random() < 0.3:
            return (b"--b\r\nContent-Disposition: form-data; name=\"image\"; filename=\"../../x.png\"\r\n\r\n"
                    + data + random.choice([b"\r\n--b--\r\n", b"\r\n--b", b""])), "multipart/form-data; boundary=b"
        return data, random.choice(["image/png", "image/webp", "text/html"])
    return random.randbytes(random.randrange(3000)), random.choice(
        ["application/json", "multipart/form-data; boundary=" + "b" * random.randrange(90), "x/y"])


def send(host, port, data):
    """The status, or None where the studio closed without one."""
    with socket.create_connection((host, port), timeout=30) as connection:
        try:
            connection.sendall(data)
            answer = connection.recv(64)
        except (BrokenPipeError, ConnectionResetError):
            return None
        return int(answer[9:12]) if answer[:5] == b"HTTP/" and answer[9:12].isdigit() else None


with Studio("--log-level", "error") as studio:
    # Nothing is painted meanwhile: one job keeps the worker busy, the others wait.
    studio.ask("POST", "/api/v1/jobs", {"request": {
        "prompt": "a", "method": "fft", "iterations": 100000, "cutouts": 1}})
    host, port = studio.address.split("//")[1].split(":")
    outside = {path for path in studio.data.parent.iterdir()}
    statuses = {}
    for number in range(count):
        path = random.choice(paths)
        while "{}" in path:
            path = path.replace("{}", random.choice(words), 1)
        if random.random() < 0.3:
            path += "?" + "&".join(
                f"{random.choice(['q', 'limit', 'after', 'state', 'deleted', 'token', 'x'])}={random.choice(words)}"
                for _ in range(random.randrange(4)))
        path = path.replace(" ", "%20")
        data, kind = body()
        method = random.choice(["GET", "POST", "PATCH", "PUT", "DELETE", "HEAD", "OPTIONS", "FOO"])
        headers = [f"Host: {random.choice([host] * 8 + ['evil.example', ''])}",
                   f"Content-Type: {kind}", f"Content-Length: {len(data)}", "Connection: close"]
        if random.random() < 0.2:
            headers.append(random.choice([
                "Origin: http://evil.example", "Range: bytes=0-1", "Last-Event-ID: " + random.choice(words)[:100],
                "Idempotency-Key: " + random.choice(words)[:300], "Authorization: Basic !!!", "X: " + "y" * 9000,
                "Cookie: reverie-token=" + "z" * 500, "Expect: 100-continue", "Content-Encoding: gzip"]))
        head = f"{method} {path} HTTP/1.1\r\n" + "\r\n".join(headers) + "\r\n\r\n"
        status = send(host, int(port), head.encode("utf-8", "surrogatepass") + data)
        statuses[status] = statuses.get(status, 0) + 1
        if status is not None and status >= 500:
            log = pathlib.Path(studio.log.name).read_text()[-1500:]
            raise SystemExit(f"FAILED: request {number} gave {status}: {head!r} {data[:300]!r}\n{log}")
    check(studio.process.poll() is None, "the studio is gone")
    check(studio.ask("GET", "/healthz")["status"] == "ok", "health")
    new = {path for path in studio.data.parent.iterdir()} - outside
    check(not [path for path in new if "reverie" not in path.name and "passwd" in path.name], f"files outside: {new}")
    known = {"studio.sqlite", "studio.sqlite-wal", "studio.sqlite-shm", "studio.lock", "pictures", "thumbnails",
             "inputs", "runs", "worker-cpu.lock"}
    inside = {path.name for path in studio.data.iterdir()}
    check(inside <= known, f"strange files: {inside - known}")
done(f"fuzz: {count} requests, statuses {dict(sorted(statuses.items(), key=lambda one: str(one[0])))}")
