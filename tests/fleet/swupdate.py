"""SWUpdate as Debian ships it: a stock DDI client that we did not write, in a process of its own.

Its mode ``suricatta`` polls a server in hawkBit's shape. It listens on UNIX sockets in ``folder`` only, keeps what it
knows of an update in memory (bootloader ``none``) and writes files where its packages say. Manual: swupdate(1).
"""

import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import trio
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import pkcs7
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from simulators.processes import Child, Children
from simulators.waiting import until_child

PROGRAM, ASKER = "/usr/bin/swupdate", "/usr/bin/swupdate-ipc"
BOARD = "hall:1.0"
READY_S_MAX = 20.0


class Signer:
    """Who signs packages for SWUpdate: Debian's build takes none without a signature."""

    def __init__(self, folder: Path) -> None:
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "TEST software")])
        now = datetime.now(UTC)
        made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(self._key.public_key())
        made = made.serial_number(x509.random_serial_number())
        made = made.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
        mail = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION])  # the purpose that it asks for by default
        made = made.add_extension(mail, critical=False)
        made = made.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        self._certificate = made.sign(self._key, hashes.SHA256())
        self.certificate = folder / "signer.pem"
        self.certificate.write_bytes(self._certificate.public_bytes(serialization.Encoding.PEM))

    def sign(self, content: bytes) -> bytes:
        """A detached CMS signature, DER."""
        builder = pkcs7.PKCS7SignatureBuilder().set_data(content)
        builder = builder.add_signer(self._certificate, self._key, hashes.SHA256())
        options = [pkcs7.PKCS7Options.DetachedSignature, pkcs7.PKCS7Options.Binary]
        return builder.sign(serialization.Encoding.DER, options)


def package(folder: Path, signer: Signer, content: bytes, goes_to: Path, *, told_hash: str = "") -> bytes:
    """A ``.swu``: a description, its signature and one file, in a cpio archive. ``told_hash``: one that may not fit."""
    folder.mkdir()
    told = told_hash or sha256(content).hexdigest()
    revision = BOARD.partition(":")[2]
    description = f"""software = {{
  version = "1.0.0";
  hardware-compatibility: [ "{revision}" ];
  files: ( {{ filename = "content.bin"; path = "{goes_to}"; sha256 = "{told}"; }} );
}}
""".encode()
    parts = {"sw-description": description, "sw-description.sig": signer.sign(description), "content.bin": content}
    for name, part in parts.items():
        (folder / name).write_bytes(part)
    names = "".join(f"{name}\n" for name in parts).encode()  # the description comes first: it is read as a stream
    done = subprocess.run(["cpio", "-o", "-H", "crc"], cwd=folder, input=names, capture_output=True, check=True)
    return done.stdout


class StockClient:
    """One device: ``base`` and ``tenant`` of its server, its number, and how it proves itself."""

    def __init__(self, folder: Path, signer: Signer, base: str, tenant: str, number: str, authority: Path) -> None:
        self.folder = folder
        self._settings = folder / "swupdate.cfg"
        self._proof = ""
        self._parts = (signer.certificate, base, tenant, number, authority)
        folder.mkdir()

    def show_certificate(self, pem: Path) -> None:
        """``pem``: key and certificate."""
        self._proof = f'sslkey = "{pem}"; sslcert = "{pem}";'

    def show_token(self, token: str) -> None:
        self._proof = f'targettoken = "{token}";'

    def _write_settings(self) -> None:
        signer, base, tenant, number, authority = self._parts
        self._settings.write_text(f"""globals : {{ public-key-file = "{signer}"; ca-path = "{signer}"; loglevel = 3; }};
identify : ( {{ name = "board"; value = "{BOARD}"; }} );
suricatta : {{ tenant = "{tenant}"; id = "{number}"; url = "{base}"; cafile = "{authority}"; {self._proof} }};
""")

    async def start(self, children: Children, *, told: Sequence[str] = ()) -> Child:
        """``told``: further words for the part of it that asks the server."""
        self._write_settings()
        for name in ("sockinstctrl", "swupdateprog"):  # of an earlier life
            (self.folder / name).unlink(missing_ok=True)
        words = " ".join(told) or "-e"
        command = [PROGRAM, "-f", str(self._settings), "-H", BOARD, "-u", words]
        child = children.start(f"swupdate-{self.folder.name}", command, env=self._places(), cwd=self.folder)
        await until_child(child, (self.folder / "sockinstctrl").is_socket, READY_S_MAX, "listens to its operator")
        return child

    async def ask_now(self, every_s: int = 1) -> None:
        """What its operator can say on its own machine: ask at once, and then so often."""
        for word in (f"--polling-time={every_s}", "--trigger"):
            await trio.run_process(
                [ASKER, "hawkbitcfg", word], env=self._places(), capture_stdout=True, capture_stderr=True
            )

    def _places(self) -> dict[str, str]:
        return {"RUNTIME_DIRECTORY": str(self.folder), "TMPDIR": str(self.folder)}
