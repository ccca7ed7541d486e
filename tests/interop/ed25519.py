"""Five programs judge the keys and signatures of schema/vectors/ed25519.json.

Three have our profile, written apart from each other: Rust, the portal's code in a browser, and Python.
They must agree on every case. OpenSSL and libsodium ask less: they must take what the profile takes, and
what they take besides is counted, because it is why there is a profile.
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

ROOT = Path(__file__).parent.parent.parent
VECTORS = json.loads((ROOT / "schema/vectors/ed25519.json").read_text())["vectors"]
GROUPS = {
    "RFC 8032": "RFC 8032",
    "Taming": "Taming the many EdDSAs",
    "odd keys": "other odd keys",
    "low order": "low-order grid",
    "Wycheproof": "Wycheproof",
}
# Of a group with many that hold, these stand for all.
SPOILT_MAX = 6


def program(*command):
    """Asks a program of ours all cases at once: a line for each, and a line back."""

    def ask(cases):
        lines = "".join(":".join(part.hex() for part in case) + "\n" for case in cases)
        said = subprocess.run(command, cwd=ROOT / "web", input=lines, stdout=subprocess.PIPE, text=True, check=True)
        lines = said.stdout.splitlines()
        # A browser says first which one it is.
        names, verdicts = lines[: -len(cases)], lines[-len(cases) :]
        if len(verdicts) != len(cases) or not {"0", "1"}.issuperset(verdicts):
            sys.exit(f"{command[0]} did not judge every case")
        return names, [verdict == "1" for verdict in verdicts]

    return ask


def each(verify):
    def holds(case):
        try:
            verify(*case)
            return True
        except Exception:
            return False

    return lambda cases: ([], [holds(case) for case in cases])


def openssl(key, message, signature):
    Ed25519PublicKey.from_public_bytes(key).verify(signature, message)


def libsodium(key, message, signature):
    VerifyKey(key).verify(message, signature)


JUDGES = [
    ("Rust, schema/src/key.rs", True, program(ROOT / "target/debug/examples/ed25519")),
    ("web/src/verify in {}", True, program("node", "e2e/ed25519.mjs")),
    (f"Python {sys.version.split()[0]}, tests/judges", True, program(sys.executable, ROOT / "tests/judges/ed25519.py")),
    (" ".join(backend.openssl_version_text().split()[:2]), False, each(openssl)),
    (f"libsodium of PyNaCl {version('PyNaCl')}", False, each(libsodium)),
]


def group_of(vector):
    found = [group for group in GROUPS if vector["name"].startswith(group)]
    return found[0] if found else sys.exit(f"{vector['name']} is of a group that is not judged here")


# All cases are asked in one breath: for each vector itself, and then its tampered copies.
cases, wanted, groups, copied = [], [], [], {group: [] for group in GROUPS}
for vector in VECTORS:
    cases.append(tuple(bytes.fromhex(vector[part]) for part in ("publicKey", "message", "signature")))
    wanted.append(vector["accept"])
    groups.append(group_of(vector))
for group, copies in copied.items():
    good = [case for case, holds, of in zip(cases, wanted, groups) if holds and of == group]
    for case in good[:SPOILT_MAX]:
        for part in range(3):
            copies += [case[:part] + (copy,) + case[part + 1 :] for copy in tampered(case[part])]
spoilt = [copy for copies in copied.values() for copy in copies]

strict_verdicts = []
for judge, strict, ask in JUDGES:
    names, verdicts = ask(cases + spoilt)
    judge = judge.format(*names)
    if strict:
        strict_verdicts.append(verdicts)
    own, rest = verdicts[: len(cases)], verdicts[len(cases) :]
    for group, title in GROUPS.items():
        mine = [(said, good) for said, good, of in zip(own, wanted, groups) if of == group]
        missed = sum(good and not said for said, good in mine)
        more = sum(said and not good for said, good in mine)
        hold = sum(said for said, _ in mine)
        said = f"{hold} hold, {len(mine) - hold} do not" + (f"; {more} beyond the profile" if more else "")
        copies, rest = rest[: len(copied[group])], rest[len(copied[group]) :]
        right = not missed and not (strict and more)
        row(judge, f"{len(mine)} vectors: {title}", said, right, len(copies), sum(copies))

together = list(zip(*strict_verdicts))
differ = sum(len(set(verdicts)) > 1 for verdicts in together)
row(
    "Rust, Chromium and Python",
    f"the same {len(cases)} vectors",
    f"one verdict on {len(together) - differ} of {len(together)}, copies included",
    not differ and len(strict_verdicts) == 3,
    len(spoilt),
    sum(any(verdicts) for verdicts in together[len(cases) :]),
)
end()
