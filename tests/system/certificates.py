"""An authority and certificates of its own for a test, made by the openssl command."""

import pathlib
import subprocess

from world import PATIENCE_S


def openssl(*arguments, text=None):
    return subprocess.run(["openssl", *map(str, arguments)], input=text, capture_output=True, text=True, timeout=PATIENCE_S, check=True).stdout


class Authority:
    """`path` is the file of those to be believed: this one alone."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.path, self.key = self.folder / "authority.pem", self.folder / "authority.key"
        self.count = 0
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=Test Authority",
                "-days", 2, "-keyout", self.key, "-out", self.path)

    def issue(self, name, days=2, self_signed=False, chain=False):
        """One PEM file with certificate and key; negative `days`: expired that long ago."""
        self.count += 1
        stem = self.folder / f"{self.count}"
        key, request, names, path = (stem.with_suffix(suffix) for suffix in (".key", ".csr", ".names", ".pem"))
        openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}",
                "-keyout", key, "-out", request)
        names.write_text(f"subjectAltName=DNS:{name}\n")
        signer = ["-signkey", key] if self_signed else ["-CA", self.path, "-CAkey", self.key, "-CAcreateserial"]
        openssl("x509", "-req", "-in", request, *signer, "-extfile", names, "-days", days, "-out", path)
        path.write_text(path.read_text() + (self.path.read_text() if chain else "") + key.read_text())
        return path
