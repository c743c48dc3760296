"""A hub of models that has one small CLIP, which it sends slowly."""
import hashlib
import http.server
import json
import threading
import time

from common import ROOT

WEIGHTS = ROOT / "Tests/ModelsTests/Fixtures/clip_vit_transformers.safetensors"


class Hub:
    name = "clip-vit-b-32-hf"

    def __enter__(self):
        content = WEIGHTS.read_bytes()
        commit = "0" * 40
        hub = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_GET(self):
                if "/resolve/" in self.path:
                    return self.send_file()
                listing = json.dumps({"sha": commit, "siblings": [{
                    "rfilename": "model.safetensors", "size": len(content),
                    "lfs": {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}}]}).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(listing)))
                self.end_headers()
                self.wfile.write(listing)

            def send_file(self):
                start = int((self.headers.get("Range") or "bytes=0-").split("=")[1].split("-")[0])
                self.send_response(206 if start else 200)
                if start:
                    self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
                    hub.resumed = start
                self.send_header("Content-Length", str(len(content) - start))
                self.end_headers()
                for at in range(start, len(content), 8192):
                    self.wfile.write(content[at:at + 8192])
                    self.wfile.flush()
                    time.sleep(0.25)

        self.resumed = None
        Hub.last = self
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
