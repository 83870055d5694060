"""Compiles the kernels in ext/ and names the packages; everything else is declared in pyproject.toml.

EVENTSNN_DEBUG=1 builds the kernels with bounds checks, with gcc's or clang's sanitizers of addresses and undefined
behaviour, and so that the schedule is verified after every window. EVENTSNN_LANES=4 or 1 builds them as for processors
without AVX-512, or without any vectors that are written out. EVENTSNN_WARNINGS=1 fails where gcc or clang warns.

Kernels are kept in build/, where pip and python setup.py find them again: none is compiled twice for the same Python,
compiler and options while nothing in ext/ is newer.
"""

import hashlib
import itertools
import os
import shutil
import sys
import tempfile
from pathlib import Path

import Cython
from Cython.Build import cythonize
from setuptools import Extension, find_packages, setup
from setuptools.command.build_ext import build_ext
from setuptools.errors import CCompilerError, PlatformError
from setuptools.modified import newer_group

EXT = Path("ext")
HEADERS = sorted(map(str, EXT.rglob("*.h")))
TRANSLATED = [*map(str, EXT.rglob("*.pyx")), *map(str, EXT.rglob("*.pxd"))]
DEBUG = os.environ.get("EVENTSNN_DEBUG") == "1"
LANES = os.environ.get("EVENTSNN_LANES")
SANITIZERS = ["-fsanitize=address,undefined", "-fno-sanitize-recover=undefined"]

# No fused multiply-add and no fast-math: both change bits, and results must not depend on the processor. -g0 because
# Python's own flags often have -g, which makes compiling a third longer.
if sys.platform == "win32":
    FLAGS = ["/O2", "/fp:precise"]
elif DEBUG:
    FLAGS = ["-O1", "-g", "-DEVENTSNN_DEBUG", "-fno-omit-frame-pointer", "-ffp-contract=off", *SANITIZERS]
else:
    FLAGS = ["-O3", "-g0", "-ffp-contract=off"]

if LANES:
    FLAGS += [f"{'/D' if sys.platform == 'win32' else '-D'}EVENTSNN_MOST_LANES={LANES}"]

if os.environ.get("EVENTSNN_WARNINGS") == "1" and sys.platform != "win32":
    FLAGS += ["-Wall", "-Wextra", "-Werror"]

DIRECTIVES = {
    "language_level": 3,
    "boundscheck": DEBUG,
    "initializedcheck": DEBUG,
    "nonecheck": DEBUG,
    "wraparound": False,
    "cdivision": True,
}

HOW_TO_GET_COMPILER = {
    "win32": "the Visual C++ build tools (https://visualstudio.microsoft.com/visual-cpp-build-tools)",
    "darwin": "the Xcode command line tools (xcode-select --install)",
}.get(sys.platform, "gcc and the C library's headers (Debian and Ubuntu: apt install gcc libc6-dev)")

HOW_TO_GET_HEADERS = {
    "win32": "a Python from https://www.python.org, which brings its headers",
    "darwin": "a Python from https://www.python.org or Homebrew, which bring their headers",
}.get(sys.platform, "your Python's development package (Debian and Ubuntu: apt install python3-dev)")


class BuildKernels(build_ext):
    """Checks what compiling needs before the first kernel, so that what is missing is said in one sentence. It compiles
    in folders that stay, as pip has a new one for every editable installation."""

    def build_extensions(self) -> None:
        if not self.compiles("#include <stdlib.h>"):
            raise SystemExit(f"eventsnn: no working C compiler found; install {HOW_TO_GET_COMPILER} and try again")
        if not self.compiles("#include <Python.h>"):
            python = f"Python {sys.version_info.major}.{sys.version_info.minor}"
            raise SystemExit(
                f"eventsnn: the header Python.h of {python} was not found; install {HOW_TO_GET_HEADERS} and try again"
            )
        for extension in self.extensions:
            extension.sources = [self.translated(extension)]
        wanted = [self.get_ext_fullpath(extension.name) for extension in self.extensions]
        folder = self.folder("kernels", FLAGS, getattr(self.compiler, "compiler_so", None), self.get_ext_filename(""))
        self.build_lib, build_lib = str(folder), self.build_lib
        self.build_temp = str(folder)
        self.numbers = itertools.count(1)
        self.parallel = self.parallel or os.cpu_count()
        super().build_extensions()
        if next(self.numbers) == 1:
            print(f"eventsnn: nothing to compile, all {len(wanted)} kernels in {folder} are newer than their sources")
        for extension, file in zip(self.extensions, wanted, strict=True):
            Path(file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(self.get_ext_fullpath(extension.name), file)
        self.build_lib = build_lib

    def translated(self, extension: Extension) -> str:
        """The path of the kernel's C. Cython is asked only where something is newer than that, as it would find its own
        files newer, which pip installs anew for every build."""
        folder = self.folder("c")
        [source] = extension.sources
        c = (folder / source).with_suffix(".c")
        if self.force or not c.exists() or newer_group(TRANSLATED, str(c)):
            cythonize(
                [extension],
                include_path=[str(EXT)],
                build_dir=str(folder),
                compiler_directives=DIRECTIVES,
                force=self.force,
            )
        return str(c)

    def build_extension(self, extension: Extension) -> None:
        depends = [*extension.sources, *extension.depends]
        if self.force or newer_group(depends, self.get_ext_fullpath(extension.name), "newer"):
            number, of = next(self.numbers), len(self.extensions)
            # The end of the line in the same write: kernels are compiled side by side.
            print(f"eventsnn: compiling kernel {number} of {of}, {extension.name}\n", end="", flush=True)
            super().build_extension(extension)

    def folder(self, content: str, *depends: object) -> Path:
        """A folder for what is made from ext/, another one for everything else that it depends on."""
        key = hashlib.sha256(repr([Cython.__version__, DIRECTIVES, *depends]).encode()).hexdigest()[:8]
        return Path(self.get_finalized_command("build").build_base, f"{content}-{key}")

    def compiles(self, line: str) -> bool:
        with tempfile.TemporaryDirectory() as folder:
            source = Path(folder) / "probe.c"
            source.write_text(f"{line}\nint probe(void) {{ return 0; }}\n")
            try:
                self.compiler.compile([str(source)], output_dir=folder)
            except (CCompilerError, PlatformError):
                return False
        return True


def kernel(source: Path) -> Extension:
    return Extension(
        ".".join(source.relative_to(EXT).with_suffix("").parts),
        [str(source)],
        include_dirs=[str(EXT)],
        depends=["setup.py", *HEADERS],
        extra_compile_args=FLAGS,
        extra_link_args=SANITIZERS if DEBUG else [],
    )


sources = sorted(EXT.rglob("*.pyx"))
if not sources:
    # Without this setuptools would build a package of Python alone, which fails only when it is imported.
    raise SystemExit("eventsnn: no kernels (*.pyx) found below ext/; take a complete source distribution or clone")

setup(
    packages=[*find_packages(include=["eventsnn", "eventsnn.*"]), "eventsnn.scenarios"],
    package_dir={"eventsnn.scenarios": "scenarios"},
    package_data={"eventsnn.scenarios": ["data/*"], "eventsnn.results.report": ["*.css", "*.js"]},
    ext_modules=[kernel(source) for source in sources],
    cmdclass={"build_ext": BuildKernels},
)
