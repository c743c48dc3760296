"""schemathesis over the OpenAPI document: no 5xx, no answer that breaks its schema.   schema.py [EXAMPLES]"""
import pathlib
import subprocess
import sys

from common import Studio, check, done

examples = sys.argv[1] if len(sys.argv) > 1 else "60"
with Studio("--log-level", "error", "--queue-limit", "100000") as studio:
    # One job keeps the worker busy, so that what is handed in only waits.
    studio.ask("POST", "/api/v1/jobs", {"request": {
        "prompt": "a", "method": "fft", "iterations": 100000, "cutouts": 1}})
    command = [
        str(pathlib.Path(sys.executable).with_name("schemathesis")), "run",
        f"{studio.address}/openapi.json", "--max-examples", examples,
        "--checks", "not_a_server_error,status_code_conformance,content_type_conformance,"
                    "response_schema_conformance",
        # Streams of events do not end by themselves.
        "--exclude-path-regex", "/events$", "--request-timeout", "20", "--generation-deterministic",
    ]
    result = subprocess.run(command, capture_output=True, text=True)
    tail = result.stdout[-6000:]
    check(result.returncode == 0, f"schemathesis:\n{tail}\n{result.stderr[-2000:]}")
    check(studio.process.poll() is None, "the studio is gone")
lines = [line for line in tail.splitlines() if "generated" in line or "passed" in line or "Operations" in line]
done("schemathesis: " + "; ".join(line.strip() for line in lines))
