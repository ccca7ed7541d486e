"""Three programs judge the keys and signatures of schema/vectors/ed25519.json.

The one in Python has our profile and must agree everywhere. OpenSSL and libsodium ask less: they must
take what the profile takes, and what they take besides is counted, because it is why there is a profile.
"""

import json
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

from cryptography.hazmat.backends.openssl import backend
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from nacl.signing import VerifyKey
from row import end, row, tampered

TESTS = Path(__file__).parent.parent
VECTORS = json.loads((TESTS.parent / "schema/vectors/ed25519.json").read_text())["vectors"]
GROUPS = ("RFC 8032", "odd", "low order")


def python(cases):
    lines = "".join(":".join(part.hex() for part in case) + "\n" for case in cases)
    judge = [sys.executable, TESTS / "judges/ed25519.py"]
    said = subprocess.run(judge, input=lines, stdout=subprocess.PIPE, text=True, check=True).stdout
    return [line == "1" for line in said.splitlines()]


def each(verify):
    def holds(case):
        try:
            verify(*case)
            return True
        except Exception:
            return False

    return lambda cases: [holds(case) for case in cases]


def openssl(key, message, signature):
    Ed25519PublicKey.from_public_bytes(key).verify(signature, message)


def libsodium(key, message, signature):
    VerifyKey(key).verify(message, signature)


JUDGES = [
    ("tests/judges/ed25519.py", True, python),
    (" ".join(backend.openssl_version_text().split()[:2]), False, each(openssl)),
    (f"libsodium of PyNaCl {version('PyNaCl')}", False, each(libsodium)),
]

if any(not vector["name"].startswith(GROUPS) for vector in VECTORS):
    sys.exit("schema/vectors/ed25519.json has vectors of a group that is not judged here")
for group in GROUPS:
    vectors = [vector for vector in VECTORS if vector["name"].startswith(group)]
    cases = [tuple(bytes.fromhex(vector[part]) for part in ("publicKey", "message", "signature")) for vector in vectors]
    wanted = [vector["accept"] for vector in vectors]
    copies = [
        case[:part] + (copy,) + case[part + 1 :]
        for case, good in zip(cases, wanted)
        if good
        for part in range(3)
        for copy in tampered(case[part])
    ]
    for judge, strict, ask in JUDGES:
        verdicts = ask(cases)
        missed = sum(good and not said for good, said in zip(wanted, verdicts))
        more = sum(said and not good for good, said in zip(wanted, verdicts))
        said = f"{sum(verdicts)} hold, {len(verdicts) - sum(verdicts)} do not"
        said += f"; {more} beyond the profile" if more else ""
        right = len(verdicts) == len(wanted) and not missed and not (strict and more)
        row(judge, f"{len(vectors)} vectors: {group}", said, right, len(copies), sum(ask(copies)))
end()
