"""Builds, checks and signs the bundle for Maven Central: the zip that the Central Portal takes.

`make dist ONLY=maven` builds it from the libraries and the sandbox programs that are already in `dist/`. For fewer
platforms than a release has, set MAVEN_PLATFORMS, for example to "linux-x86_64".

    maven.py check BUNDLE               checks a bundle against the rules of Maven Central, and for what the jars must
                                        contain
    maven.py sign [--dry-run] BUNDLE…   adds the signatures, and changes nothing else

MAVEN_GPG_KEY has the key that signs, and MAVEN_GPG_PASSPHRASE its passphrase. Signing is a step of its own, so that no
plugin of a build sees them. With --dry-run, a new key signs, and is thrown away.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import IO, cast
from xml.etree import ElementTree

from dist import DIST, PLATFORMS, ROOT, TARGET, WHEELS_ONLY, Missing, compress, run, version, write_zip

WORK = TARGET / "maven"
GROUP = "com.proxymesh"
# What is in each bundle, and how it is packed.
BUNDLES = {
    "proxymesh": {
        "proxymesh-parent": "pom",
        **dict.fromkeys((f"proxymesh{suffix}" for suffix in ("-native", "", "-okhttp", "-apache", "-testing")), "jar"),
    },
    "proxymesh-android": {"proxymesh-android": "aar"},
}
PUBLISHED = (".jar", ".pom", ".aar", ".module")
SUMS = ("md5", "sha1", "sha256", "sha512")
# Where a POM must have a value, its parent's or its own.
REQUIRED = (
    *("modelVersion", "groupId", "artifactId", "version", "name", "description", "url"),
    *("licenses/license/name", "licenses/license/url", "developers/developer/name"),
    *("scm/url", "scm/connection", "scm/developerConnection"),
)
# A POM does not get these from its parent.
OWN = ("modelVersion", "artifactId", "name")
FILES = ("LICENSE-MIT", "LICENSE-APACHE", "THIRD-PARTY-NOTICES")


def libraries() -> list[str]:
    """The platforms that must have a library. One with musl needs its own."""
    chosen = os.environ.get("MAVEN_PLATFORMS", "").split()
    return chosen or [name for name in PLATFORMS if name not in WHEELS_ONLY]


def programs() -> list[str]:
    """The platforms that must have a sandbox. One for Linux is linked statically, so it runs with musl and glibc."""
    return [name for name in libraries() if "musl" not in name]


def program(platform: str) -> str:
    return "proxymesh-sandbox" + (".exe" if platform.startswith("windows") else "")


def build(folder: Path) -> None:
    shutil.rmtree(WORK, ignore_errors=True)
    collect()
    staging = WORK / "staging"
    run(
        *("mvn", "--batch-mode", "--no-transfer-progress", "--quiet", f"-Dmaven.repo.local={ROOT / 'target/maven'}"),
        *("--file", ROOT / "bindings-ffi/kotlin/pom.xml", f"-Doutput={WORK / 'output'}", "-Dmaven.test.skip=true"),
        *(f"-Dlibraries={WORK / 'libraries'}", f"-Dprograms={WORK / 'programs'}"),
        *("deploy", f"-DaltDeploymentRepository=bundle::{staging.as_uri()}"),
    )
    pack(staging, folder / f"proxymesh-{version()}-bundle.zip")


def pack(staging: Path, made: Path) -> None:
    """Packs what Maven or Gradle has published to a folder as the Central Portal wants it, but for the signatures."""
    contents = {}
    for file in sorted(staging.rglob("*")):
        # They also write a list of versions, which the repository makes itself, and some of the checksums.
        if file.suffix not in PUBLISHED:
            continue
        if file.name.endswith("-javadoc.jar"):
            set_times(file)
        if re.search(r"-(native|testing)-[\d.]+\.jar$", file.name):
            compress(file)
        content = file.read_bytes()
        name = file.relative_to(staging).as_posix()
        contents[name] = content
        for kind in SUMS:
            contents[f"{name}.{kind}"] = hashlib.new(kind, content).hexdigest().encode()
    write_zip(made, contents.items())
    require(made)


def sign(path: Path, dry_run: bool) -> None:
    """Adds the signatures to a bundle, or replaces them."""
    require(path)
    contents = read(path)
    with signing_key(dry_run) as signer:
        contents |= {f"{name}.asc": signer(contents[name]) for name in contents if name.endswith(PUBLISHED)}
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        signed = Path(folder) / path.name
        write_zip(signed, sorted(contents.items()))
        require(signed)
        signed.replace(path)


def require(path: Path) -> None:
    if problems := check(path):
        raise SystemExit("\n".join(problems))


def read(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as packed:
        return {name: packed.read(name) for name in packed.namelist() if not name.endswith("/")}


def collect() -> None:
    """Lays out the libraries and the programs as the POMs want them."""
    missing = []
    for name in libraries():
        library = DIST / "native" / name / PLATFORMS[name].library
        if library.exists():
            folder = WORK / "libraries" / name
            folder.mkdir(parents=True)
            shutil.copy(library, folder)
        else:
            missing.append(f"native-{name}")
    for name in programs():
        stem = f"proxymesh-sandbox-{version()}-{name}"
        packed = DIST / (f"{stem}.zip" if name.startswith("windows") else f"{stem}.tar.xz")
        if packed.exists():
            file = WORK / "programs" / name / program(name)
            file.parent.mkdir(parents=True)
            file.write_bytes(unpacked(packed, f"{stem}/{program(name)}"))
        else:
            missing.append(f"sandbox-{name}")
    if missing:
        raise Missing(f'dist/ lacks what the jars contain: first run make dist ONLY="{" ".join(missing)}"')


def unpacked(archive: Path, name: str) -> bytes:
    if archive.suffix == ".zip":
        with zipfile.ZipFile(archive) as packed:
            return packed.read(name)
    with tarfile.open(archive) as packed:
        return cast(IO[bytes], packed.extractfile(name)).read()


def set_times(jar: Path) -> None:
    """Writes a jar again without the time of the build, which Dokka writes into it."""
    write_zip(jar, read(jar).items())


class Signer:
    def __init__(self, home: str) -> None:
        self.home = home
        self.passphrase = os.environ.get("MAVEN_GPG_PASSPHRASE", "")

    def gpg(self, *arguments: str, given: bytes = b"") -> bytes:
        command = ["gpg", "--homedir", self.home, "--batch", "--quiet", "--no-tty", *arguments]
        done = subprocess.run(command, input=given, capture_output=True, check=False)
        if done.returncode:
            raise SystemExit(f"gpg failed: {done.stderr.decode().strip()}")
        return done.stdout

    def __call__(self, content: bytes) -> bytes:
        with tempfile.NamedTemporaryFile(dir=self.home) as file:
            file.write(content)
            file.flush()
            unlocked = ("--pinentry-mode", "loopback", "--passphrase-fd", "0")
            signing = (*unlocked, "--armor", "--detach-sign", "--output", "-", file.name)
            signature = self.gpg(*signing, given=self.passphrase.encode())
            self.gpg("--verify", "-", file.name, given=signature)
        return signature


@contextmanager
def signing_key(dry_run: bool) -> Iterator[Signer]:
    """Keeps the key away from those of the user."""
    key = os.environ.get("MAVEN_GPG_KEY")
    if not key and not dry_run:
        raise SystemExit("MAVEN_GPG_KEY is not set")
    with tempfile.TemporaryDirectory() as home:
        signer = Signer(home)
        try:
            if key and not dry_run:
                signer.gpg("--import", given=key.encode())
            else:
                signer.passphrase = ""
                owner = "dry run <dry-run@example.invalid>"
                signer.gpg("--passphrase", "", "--quick-generate-key", owner, "ed25519", "sign", "1d")
            yield signer
        finally:
            subprocess.run(["gpgconf", "--homedir", home, "--kill", "all"], check=False)


def check(path: Path) -> list[str]:
    """Returns what is wrong with a bundle. It is signed as a whole, or not at all."""
    files = read(path)
    problems = []
    expected = set()
    for artifact, packaging in BUNDLES[path.name.removesuffix(f"-{version()}-bundle.zip")].items():
        stem = f"{GROUP.replace('.', '/')}/{artifact}/{version()}/{artifact}-{version()}"
        expected.add(f"{stem}.pom")
        if packaging != "pom":
            expected |= {f"{stem}.{packaging}", f"{stem}-sources.jar", f"{stem}-javadoc.jar"}
        if packaging == "aar":
            expected.add(f"{stem}.module")  # Gradle's own metadata
    signed = {f"{name}.asc" for name in expected if any(file.endswith(".asc") for file in files)}
    sums = {f"{name}.{kind}" for name in expected for kind in SUMS}
    problems += [f"{name} is missing" for name in sorted((expected | signed | sums) - set(files))]
    problems += [f"{name} does not belong here" for name in sorted(set(files) - expected - signed - sums)]
    for name in sorted(sums & set(files)):
        of, _, kind = name.rpartition(".")
        if of in files and files[name].decode().strip() != hashlib.new(kind, files[of]).hexdigest():
            problems.append(f"{name} is wrong")
    for name in sorted(signed & set(files)):
        if not files[name].startswith(b"-----BEGIN PGP SIGNATURE-----"):
            problems.append(f"{name} is not a signature")
    poms = {Path(name).parent.parent.name: files[name] for name in files if name.endswith(".pom")}
    for artifact, pom in poms.items():
        problems += [f"the POM of {artifact} {problem}" for problem in check_pom(artifact, pom, poms)]
    for name in sorted(name for name in expected & set(files) if name.endswith(".jar")):
        problems += [f"{name} {problem}" for problem in check_jar(Path(name).name, files[name])]
    return problems


def check_pom(artifact: str, pom: bytes, poms: dict[str, bytes]) -> Iterator[str]:
    space = {"": "http://maven.apache.org/POM/4.0.0"}
    root = ElementTree.fromstring(pom)  # noqa: S314 – it is ours
    parent = root.findtext("parent/artifactId", namespaces=space)
    inherited = ElementTree.fromstring(poms[parent]) if parent in poms else None  # noqa: S314
    if parent and inherited is None:
        yield f"has the parent {parent}, which is not in the bundle"
    found = {}
    for field in REQUIRED:
        found[field] = root.findtext(field, namespaces=space)
        if inherited is not None and field not in OWN:
            found[field] = found[field] or inherited.findtext(field, namespaces=space)
        if not (found[field] or "").strip():
            yield f"has no {field}"
    for field, value in (("groupId", GROUP), ("artifactId", artifact), ("version", version())):
        if found[field] and found[field] != value:
            yield f"has the {field} {found[field]}, not {value}"


def check_jar(name: str, content: bytes) -> Iterator[str]:
    with zipfile.ZipFile(BytesIO(content)) as jar:
        contents = {entry: jar.read(entry) for entry in jar.namelist() if not entry.endswith("/")}
    if not contents:
        yield "is empty"
    if name.endswith(("-sources.jar", "-javadoc.jar")):
        return
    folder = "META-INF/com.proxymesh"
    binaries = {}
    if name.startswith("proxymesh-native-"):
        binaries = {f"{folder}/native/{each}/{PLATFORMS[each].library}": each for each in libraries()}
    if name.startswith("proxymesh-testing-"):
        binaries = {f"{folder}/sandbox/{each}/{program(each)}": each for each in programs()}
    licences = FILES if binaries else FILES[:2]
    for entry in [f"{folder}/{file}" for file in licences] + list(binaries):
        if entry not in contents:
            yield f"lacks {entry}"
    for entry, platform in binaries.items():
        if entry in contents:
            yield from (f"has {entry}, which {problem}" for problem in check_binary(contents[entry], platform))


def check_binary(content: bytes, platform: str) -> Iterator[str]:
    system, machine = platform.replace("-musl", "").split("-")
    start = int.from_bytes(content[0x3C:0x40], "little") if system == "windows" else 0
    # How a file starts, and where it says for which machine it is, with the numbers of x86-64 and ARM64.
    magic, at, numbers = {
        "linux": (b"\x7fELF", 18, (0x3E, 0xB7)),
        "macos": (b"\xcf\xfa\xed\xfe", 4, (0x0007, 0x000C)),
        "windows": (b"PE\0\0", 4, (0x8664, 0xAA64)),
    }[system]
    found = int.from_bytes(content[start + at : start + at + 2], "little")
    if content[start : start + len(magic)] != magic or found != numbers[machine == "aarch64"]:
        yield f"is not for {platform}"
    versions = {(int(major), int(minor)) for major, minor in re.findall(rb"GLIBC_(\d+)\.(\d+)", content)}
    oldest = tuple(map(int, (PLATFORMS[platform].glibc or "0.0").split(".")))
    if versions and max(versions) > oldest:
        yield "needs glibc {}.{}".format(*max(versions))


def main() -> int:
    match sys.argv[1:]:
        case ["check", bundle]:
            require(Path(bundle))
            print(f"{bundle} satisfies the rules")
        case ["sign", "--dry-run", *bundles] if bundles:
            for bundle in bundles:
                sign(Path(bundle), dry_run=True)
        case ["sign", *bundles] if bundles:
            for bundle in bundles:
                sign(Path(bundle), dry_run=False)
        case _:
            print(__doc__, file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
