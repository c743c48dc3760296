"""Takes libtorch out of a torch wheel. Standard library only; used by script/bootstrap.

    wheel.py requires WHEEL [--cuda]          print the NVIDIA requirements to fetch beside it
    wheel.py unpack FOLDER [--cuda] WHEEL...  unpack headers and shared libraries into FOLDER
"""
import email
import os
import re
import shutil
import sys
import zipfile

# Python bindings and self-tests: nothing here links against them.
UNUSED = re.compile(r"libtorch_python|_test\.so|libtorchbind|libbackend_with|libaoti_custom|shm")
# Without all of CUDA these could not be loaded, and the program would try to.
CUDA = re.compile(r"cuda|nvrtc|nvshmem|libtorch\.so|global_deps")
# What libtorch_cpu.so of a CUDA build is itself linked against.
NEEDED = ("cudart", "cupti")


def requirements(wheel, cuda):
    """The wheel's requirements on NVIDIA's packages: all of them, or the two that the CPU half needs."""
    with zipfile.ZipFile(wheel) as z:
        name = next(n for n in z.namelist() if n.endswith(".dist-info/METADATA"))
        entries = email.message_from_bytes(z.read(name)).get_all("Requires-Dist") or []
    for entry in entries:
        match = re.match(r"([\w.-]+)\s*(?:\[([^]]*)\])?\s*\(?([^;)]*)\)?", entry)
        package, extras, version = match[1], match[2], match[3].strip()
        if package == "cuda-toolkit":
            extras = extras or ""
            kept = [e for e in re.split(r"\s*,\s*", extras) if cuda or e in NEEDED]
            yield f"{package}[{','.join(kept)}]{version}"
        elif package.startswith("nvidia-"):
            if cuda or re.search(r"cuda-runtime|cuda-cupti", package):
                yield package + version


def place(member, cuda):
    """Where a member of a torch or NVIDIA wheel goes, or None if it is not wanted."""
    if member.endswith("/"):
        return None
    if member.startswith("torch/include/"):
        return member[len("torch/"):]
    name = os.path.basename(member)
    if member.startswith("torch/lib/") and ".so" in name:
        unwanted = UNUSED.search(name) or (not cuda and CUDA.search(name))
        # libcudart and libcupti may lie in the torch wheel itself.
        return None if unwanted and not re.search(r"cudart|cupti", name) else "lib/" + name
    if re.match(r"nvidia/.*/lib/[^/]*\.so[^/]*$", member):
        wanted = cuda or re.match(r"lib(cudart|cupti)\.so", name)
        return "lib/" + name if wanted else None
    return None


def unpack(wheel, folder, cuda):
    with zipfile.ZipFile(wheel) as z:
        for info in z.infolist():
            where = place(info.filename, cuda)
            if where is None or ".." in where.split("/"):
                continue
            path = os.path.join(folder, where)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with z.open(info) as source, open(path, "wb") as target:
                shutil.copyfileobj(source, target, 1 << 20)
            if where.startswith("lib/"):
                os.chmod(path, 0o755)


def main(arguments):
    cuda = "--cuda" in arguments
    command, *rest = [a for a in arguments if a != "--cuda"]
    if command == "requires":
        for requirement in requirements(rest[0], cuda):
            print(requirement)
    elif command == "unpack":
        for wheel in rest[1:]:
            unpack(wheel, rest[0], cuda)
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except (OSError, zipfile.BadZipFile, StopIteration) as error:
        sys.exit(f"{type(error).__name__}: {error}")
