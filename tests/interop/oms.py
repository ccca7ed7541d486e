"""model-signing verifies our OMS bundle of a folder, and our command verifies one that model-signing made.

oms.py CHANCERY FOLDER BUNDLE PUBLIC-KEY, the last three ours
"""

import base64
import json
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from model_signing import hashing, signing, verifying
from row import end, row, tampered

CHANCERY, FOLDER, BUNDLE, KEY = (Path(argument).absolute() for argument in sys.argv[1:])
TOOL = f"model-signing {version('model-signing')}"
PAYLOAD_TYPE = "application/vnd.in-toto+json"
ASIDE = Path("aside").absolute()


def tool(verb, folder, bundle, option, key):
    """The tool itself, as people run it."""
    command = [sys.executable, "-m", "model_signing", verb, "key", folder, "--signature", bundle, option, key]
    return subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0


def theirs(folder, bundle, key):
    """The same verifier without a process for each question."""
    try:
        verifying.Config().use_elliptic_key_verifier(public_key=key).verify(folder, bundle)
        return True
    except Exception:
        return False


def ours(folder, bundle, key):
    command = [CHANCERY, "--quiet", "oms", "verify", folder, "--bundle", bundle, "--trust", key]
    ended = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    if ended.returncode not in (0, 3):
        sys.exit(f"chancery oms verify ended with {ended.returncode}: {ended.stderr}")
    return ended.returncode == 0


def files(folder):
    """The files of the model: none that is hidden, and no bundle."""
    paths = [path for path in sorted(folder.rglob("*")) if path.is_file() and path.suffix != ".sig"]
    return [path for path in paths if not path.relative_to(folder).parts[0].startswith(".")]


def spoilt_folders(folder, aside):
    """Copies of a folder with one file changed, removed, renamed, swapped with the next, or too many."""

    def copy():
        shutil.rmtree(aside, ignore_errors=True)
        shutil.copytree(folder, aside)
        return files(aside)

    count = len(copy())
    for at in range(count):
        path = copy()[at]
        path.write_bytes(next(tampered(path.read_bytes()), b"no longer empty"))
        yield aside
        copy()[at].unlink()
        yield aside
        path = copy()[at]
        path.rename(path.with_name(path.name + "~"))
        yield aside
        paths = copy()
        one, other = paths[at], paths[(at + 1) % count]
        first, second = one.read_bytes(), other.read_bytes()
        one.write_bytes(second)
        other.write_bytes(first)
        yield aside
        (copy()[at].parent / "more.bin").write_bytes(b"more")
        yield aside


def spoilt_bundles(bundle, step):
    """Copies of a bundle with a bit of its payload or signature turned over, or of another form."""
    envelope = bundle["dsseEnvelope"]
    [signature] = envelope["signatures"]
    payload, sig = base64.b64decode(envelope["payload"]), base64.b64decode(signature["sig"])

    def with_envelope(**members):
        return bundle | {"dsseEnvelope": envelope | members}

    for copy in tampered(payload, range(0, len(payload), step)):
        yield with_envelope(payload=base64.b64encode(copy).decode())
    for copy in tampered(sig):
        yield with_envelope(signatures=[signature | {"sig": base64.b64encode(copy).decode()}])
    yield with_envelope(payloadType="text/plain")
    yield with_envelope(signatures=[])
    yield bundle | {"mediaType": "text/plain"}


def resigned(bundle, private):
    """Bundles that the key did sign, and that say something else."""
    whole = json.loads(base64.b64decode(bundle["dsseEnvelope"]["payload"]))

    def signed(change):
        statement = json.loads(json.dumps(whole))
        change(statement)
        payload = json.dumps(statement).encode()
        message = b"DSSEv1 %d %b %d %b" % (len(PAYLOAD_TYPE), PAYLOAD_TYPE.encode(), len(payload), payload)
        sig = base64.b64encode(private.sign(message, ec.ECDSA(hashes.SHA256()))).decode()
        envelope = {"payload": base64.b64encode(payload).decode(), "payloadType": PAYLOAD_TYPE}
        return bundle | {"dsseEnvelope": envelope | {"signatures": [{"sig": sig, "keyid": ""}]}}

    yield signed(lambda statement: statement.update(predicateType="https://in-toto.io/attestation/link/v0.3"))
    yield signed(lambda statement: statement.update(_type="https://in-toto.io/Statement/v2"))
    yield signed(lambda statement: statement["subject"][0]["digest"].update(sha256="0" * 64))
    yield signed(lambda statement: statement["subject"].append(statement["subject"][0]))
    yield signed(lambda statement: statement["predicate"]["resources"].pop())
    yield signed(lambda statement: statement["predicate"]["serialization"].update(method="other"))


def twice_signed(bundle):
    """With two signatures, of which the tool reads the first alone."""
    envelope = bundle["dsseEnvelope"]
    return bundle | {"dsseEnvelope": envelope | {"signatures": envelope["signatures"] * 2}}


def sharded(folder, private_key):
    """As the tool signs large files in parts, which our command does not know."""
    config = signing.Config().use_elliptic_key_signer(private_key=private_key)
    ignored = hashing.Config().use_shard_serialization().set_ignored_paths(paths=["model.sig"])
    config.set_hashing_config(ignored).sign(folder, ASIDE / "sharded.sig")
    return json.loads((ASIDE / "sharded.sig").read_text())


def judge(name, subject, asked, folder, bundle, key, genuine, bundles):
    """Asks a verifier about a folder and its bundle, spoilt folders, spoilt bundles and another's key."""
    verdicts = [asked(copy, bundle, key) for copy in spoilt_folders(folder, ASIDE / "folder")]
    for copy in bundles:
        (ASIDE / "bundle.sig").write_text(json.dumps(copy))
        verdicts.append(asked(folder, ASIDE / "bundle.sig", key))
    stranger = ec.generate_private_key(ec.SECP256R1())
    verdicts.append(asked(folder, bundle, public_half(stranger, ASIDE / "stranger.pub.pem")))
    right = genuine and asked(folder, bundle, key)
    row(name, subject, "verified" if right else "refused", right, len(verdicts), sum(verdicts))


def public_half(private, path):
    public = private.public_key()
    pem = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    path.write_bytes(pem)
    return path


ASIDE.mkdir()
made = json.loads(BUNDLE.read_text())
subject = f"our OMS bundle of {len(files(FOLDER))} files"
genuine = tool("verify", FOLDER, BUNDLE, "--public_key", KEY)
judge(TOOL, subject, theirs, FOLDER, BUNDLE, KEY, genuine, spoilt_bundles(made, 1))

# The same folder, signed by the tool with a key of its own; the bundle lies in it, as is its custom.
private = ec.generate_private_key(ec.SECP256R1())
form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
(ASIDE / "key.pem").write_bytes(private.private_bytes(*form))
key = public_half(private, ASIDE / "key.pub.pem")
folder = Path(shutil.copytree(FOLDER, "theirs"))
bundle = folder / "model.sig"
genuine = tool("sign", folder, bundle, "--private_key", ASIDE / "key.pem")
made = json.loads(bundle.read_text())
copies = [*spoilt_bundles(made, 16), twice_signed(made), *resigned(made, private), sharded(folder, ASIDE / "key.pem")]
judge("chancery oms verify", f"{TOOL}'s of {len(files(folder))} files", ours, folder, bundle, key, genuine, copies)
end()
