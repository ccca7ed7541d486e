"""securesystemslib verifies our envelopes; in-toto-attestation reads the statements in them.

envelopes.py (NAME THRESHOLD ENVELOPE KEY[,KEY…])…, keys as `chancery keygen` writes them in *.pub.json
"""

import base64
import copy
import json
import sys
from importlib.metadata import version
from itertools import combinations
from pathlib import Path

from cryptography.hazmat.primitives.serialization import load_der_public_key
from google.protobuf import json_format
from in_toto_attestation.v1 import statement_pb2
from in_toto_attestation.v1.statement import STATEMENT_TYPE_URI, Statement
from row import end, row, tampered
from securesystemslib.dsse import Envelope
from securesystemslib.signer import SSlibKey


def key(path):
    record = json.loads(Path(path).read_text())["key"]
    return SSlibKey.from_crypto(load_der_public_key(base64.b64decode(record["publicKey"])), record["keyid"])


def verifies(envelope, keys, threshold):
    try:
        # A copy, because from_dict writes into what it is given.
        return len(Envelope.from_dict(copy.deepcopy(envelope)).verify(keys, threshold)) >= threshold
    except Exception:
        return False


def bent(envelope):
    """The envelope with one byte changed, everywhere; with one signature too few; with two of one key."""
    for payload in tampered(base64.b64decode(envelope["payload"])):
        yield envelope | {"payload": base64.b64encode(payload).decode()}
    for kind in tampered(envelope["payloadType"].encode()):
        yield envelope | {"payloadType": kind.decode()}
    signatures = envelope["signatures"]
    for at, one in enumerate(signatures):
        others = signatures[:at] + signatures[at + 1 :]
        for sig in tampered(base64.b64decode(one["sig"])):
            yield envelope | {"signatures": [*others, one | {"sig": base64.b64encode(sig).decode()}]}
        yield envelope | {"signatures": others}
        for other in others:
            yield envelope | {"signatures": [one, one | {"keyid": other["keyid"]}]}


def reads(payload):
    """Whether it is a valid statement, and nothing is lost in reading it."""
    try:
        statement = json_format.Parse(payload, statement_pb2.Statement())
        Statement.copy_from_pb(statement).validate()
    except Exception:
        return False
    return json_format.MessageToDict(statement) == json.loads(payload)


def form(payload):
    """Where the statement's own words stand. What they say is for the signature to guard."""
    for word in ("_type", STATEMENT_TYPE_URI, "subject", "name", "digest", "predicateType", "predicate"):
        start = payload.index(f'"{word}"'.encode()) + 1
        yield from range(start, start + len(word))


DSSE, IN_TOTO = (f"{name} {version(name)}" for name in ("securesystemslib", "in-toto-attestation"))
arguments = sys.argv[1:]
for name, threshold, file, files in zip(*(arguments[at::4] for at in range(4))):
    envelope, threshold = json.loads(Path(file).read_text()), int(threshold)
    keys = [key(path) for path in files.split(",")]
    # Each choice of just enough signatures, where spoiling one is one too few.
    chosen = [envelope | {"signatures": list(some)} for some in combinations(envelope["signatures"], threshold)]
    right = all(verifies(one, keys, threshold) for one in [envelope, *chosen])
    copies = [copy for one in chosen for copy in bent(one)]
    taken = sum(verifies(one, keys, threshold) for one in copies)
    row(DSSE, f"{name}, {threshold} of {len(keys)} keys", "verified" if right else "refused", right, len(copies), taken)

    payload = base64.b64decode(envelope["payload"])
    right, copies = reads(payload), list(tampered(payload, form(payload)))
    said = "valid, read whole" if right else "refused, or not read whole"
    row(IN_TOTO, f"statement of the {name}", said, right, len(copies), sum(map(reads, copies)))
end()
