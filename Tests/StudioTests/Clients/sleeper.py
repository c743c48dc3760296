#!/usr/bin/env python3
"""Stands in for a worker's process that paints: takes the same orders and writes the same reports, but only
sleeps. REVERIE_SLEEP seconds a job, in ten steps with a checkpoint each, from which another one goes on.
Its pixels follow from the seed alone."""
import json
import os
import pathlib
import select
import shutil
import struct
import sys
import time
import zlib

SECONDS, STEPS = float(os.environ.get("REVERIE_SLEEP", 1)), 10


def tell(kind, value):
    print(json.dumps({kind: {"_0": value}}), flush=True)


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(seed, metadata):
    row = b"\0" + bytes([seed % 256, seed // 256 % 256, 7]) * 16
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 16, 16, 8, 2, 0, 0, 0))
            + chunk(b"tEXt", b"reverie\0" + metadata.encode("latin-1"))
            + chunk(b"IDAT", zlib.compress(row * 16)) + chunk(b"IEND", b""))


def replace(file, data):
    part = file.with_name("." + file.name)
    part.write_bytes(data)
    part.rename(file)


def paint(order):
    run = pathlib.Path(order["run"])
    run.mkdir(parents=True, exist_ok=True)
    for name, path in (order.get("kept") or {}).items():
        if not (run / name).exists():
            shutil.copy(path, run / name)
    checkpoint = run / "checkpoint.safetensors"
    done = int(checkpoint.read_text()) if checkpoint.exists() else 0
    for step in range(done + 1, STEPS + 1):
        ready, _, _ = select.select([sys.stdin], [], [], SECONDS / STEPS)
        if ready:
            line = sys.stdin.readline()
            stop = json.loads(line)["stop"]["_0"] if line else "leave"
            return tell("ended", "left" if stop == "leave" else "stopped")
        replace(checkpoint, str(step).encode())
        tell("step", {"step": step, "total": STEPS, "unit": "nap", "picture": 1})
    request = order["request"]
    metadata = json.dumps({
        "schema": 1, "program": "reverie", "version": "0", "request": request,
        "pack": {"id": "sleep", "version": "0"}, "device": "cpu", "precision": "float32", "threads": 1,
        "libtorch": "0", "painted": {"width": 16, "height": 16}})
    picture = run / "final-1.png"
    replace(picture, png(request.get("seed") or 0, metadata))
    tell("picture", {"place": 1, "path": str(picture), "metadata": metadata, "stopped": False})
    tell("ended", "finished")


for line in iter(sys.stdin.readline, ""):
    command = json.loads(line)
    if "paint" in command:
        paint(command["paint"]["_0"])
