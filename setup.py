"""Compiles the kernels in ext/ and names the packages; everything else is declared in pyproject.toml.

EVENTSNN_DEBUG=1 builds the kernels with bounds checks, with gcc's or clang's sanitizers of addresses and undefined
behaviour, and so that the schedule is verified after every window. EVENTSNN_LANES=4 or 1 builds them as for processors
without AVX-512, or without any vectors that are written out.
"""

import os
import sys
import tempfile
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, find_packages, setup
from setuptools.command.build_ext import build_ext
from setuptools.errors import CCompilerError, PlatformError

EXT = Path("ext")
DEBUG = os.environ.get("EVENTSNN_DEBUG") == "1"
LANES = os.environ.get("EVENTSNN_LANES")
SANITIZERS = ["-fsanitize=address,undefined", "-fno-sanitize-recover=undefined"]

# No fused multiply-add and no fast-math: both change bits, and results must not depend on the processor.
if sys.platform == "win32":
    FLAGS = ["/O2", "/fp:precise"]
elif DEBUG:
    FLAGS = ["-O1", "-g", "-DEVENTSNN_DEBUG", "-fno-omit-frame-pointer", "-ffp-contract=off", *SANITIZERS]
else:
    FLAGS = ["-O3", "-ffp-contract=off"]

if LANES:
    FLAGS += [f"{'/D' if sys.platform == 'win32' else '-D'}EVENTSNN_MOST_LANES={LANES}"]

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
    """Checks what compiling needs before the first kernel, so that what is missing is said in one sentence."""

    def build_extensions(self) -> None:
        if not self.compiles("#include <stdlib.h>"):
            raise SystemExit(f"eventsnn: no working C compiler found; install {HOW_TO_GET_COMPILER} and try again")
        if not self.compiles("#include <Python.h>"):
            python = f"Python {sys.version_info.major}.{sys.version_info.minor}"
            raise SystemExit(
                f"eventsnn: the header Python.h of {python} was not found; install {HOW_TO_GET_HEADERS} and try again"
            )
        for extension in self.extensions:
            [translated] = cythonize(
                [extension],
                include_path=[str(EXT)],
                build_dir=self.build_temp,
                compiler_directives=DIRECTIVES,
                force=self.force,
            )
            extension.sources = translated.sources
        self.parallel = self.parallel or os.cpu_count()
        super().build_extensions()

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
        depends=["setup.py", *map(str, sorted(EXT.rglob("*.h")))],
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
    package_data={"eventsnn.scenarios": ["data/*"]},
    ext_modules=[kernel(source) for source in sources],
    cmdclass={"build_ext": BuildKernels},
    # Objects with sanitizers must never be taken for the regular ones.
    options={"build": {"build_base": "build/debug"}} if DEBUG else {},
)
