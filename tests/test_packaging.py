"""What is shipped is complete, what is installed works from anywhere, and a build that cannot work says why."""

import os
import shutil
import subprocess
import sys
import tarfile
from importlib.metadata import version
from pathlib import Path

import pytest

import eventsnn

ROOT = Path(__file__).parent.parent
SOURCES = ["setup.py", "pyproject.toml", "MANIFEST.in", "README.md", "LICENSE", "eventsnn", "ext", "scenarios"]
KERNELS = sorted(
    ".".join(path.relative_to(ROOT / "ext").with_suffix("").parts) for path in (ROOT / "ext").rglob("*.pyx")
)
[KERNEL] = [path.relative_to(ROOT / "ext") for path in (ROOT / "ext").rglob("mathfunc.pyx")]  # compiled in a second
SCENARIOS = sorted(f"eventsnn.scenarios.{path.stem}" for path in (ROOT / "scenarios").glob("[!_]*.py"))
needs_unix = pytest.mark.skipif(sys.platform == "win32", reason="the compiler is found through CC on Unix only")


def shipped(folder: Path, *suffixes: str) -> set[str]:
    """The paths below the folder of all files that end so, relative to the folder that holds it."""
    return {
        path.relative_to(folder.parent).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and path.name.endswith(suffixes) and "__pycache__" not in path.parts
    }


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A copy of what builds the package, as a fresh clone holds it."""
    built = shutil.ignore_patterns("__pycache__", "*.so", "*.pyd", "*.c", "*.html")
    folder = tmp_path / "source"
    folder.mkdir()
    for name in SOURCES:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=built)
        else:
            shutil.copy(ROOT / name, folder / name)
    return folder


def pip_wheel(source: Path, *options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """What a user sees of `pip install .`, but for the isolation, which needs the network."""
    command = [sys.executable, "-m", "pip", "wheel", "--no-build-isolation", "--no-deps", "--wheel-dir", "wheels"]
    return subprocess.run(
        [*command, *options, "."],
        cwd=source,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
    )


def sentences(output: str) -> list[str]:
    return [line.strip() for line in output.splitlines() if line.strip().startswith("eventsnn: ")]


def test_source_distribution_is_complete(source: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "build", "--sdist", "--no-isolation", "--outdir", str(tmp_path), str(source)]
    subprocess.run(command, check=True, capture_output=True)
    [archive] = tmp_path.glob("*.tar.gz")
    with tarfile.open(archive) as files:
        found = {name.partition("/")[2] for name in files.getnames()}
    expected = shipped(source / "ext", ".pyx", ".pxd", ".h")
    expected |= shipped(source / "eventsnn", ".py", ".pyi", ".css", ".js", "py.typed")
    expected |= shipped(source / "scenarios", "")
    expected |= {"setup.py", "pyproject.toml", "README.md", "LICENSE"}
    assert {"eventsnn/py.typed", "eventsnn/_core/__init__.py", "scenarios/__init__.py"} <= expected
    assert expected - found == set()
    assert not any(name.endswith((".c", ".so", ".pyd", ".pyc")) for name in found)


def test_package_holds_all_modules_and_types(source: Path, tmp_path: Path) -> None:
    command = [sys.executable, "setup.py", "--quiet", "build_py", "--build-lib", str(tmp_path / "lib")]
    subprocess.run(command, cwd=source, check=True, capture_output=True)
    expected = shipped(source / "eventsnn", ".py", ".pyi", ".css", ".js", "py.typed")
    expected |= {f"eventsnn/{name}" for name in shipped(source / "scenarios", "")}
    assert shipped(tmp_path / "lib" / "eventsnn", "") == expected


def test_types_of_every_kernel_are_declared() -> None:
    stubs = [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in (ROOT / "eventsnn").rglob("*.pyi")]
    assert sorted(stubs) == KERNELS


def test_missing_kernels_fail_in_one_sentence(source: Path) -> None:
    for path in (source / "ext").rglob("*.pyx"):
        path.unlink()
    build = pip_wheel(source)
    assert build.returncode != 0
    [sentence] = set(sentences(build.stdout + build.stderr))
    assert "no kernels (*.pyx) found below ext/" in sentence


@needs_unix
def test_missing_compiler_fails_in_one_sentence(source: Path) -> None:
    build = pip_wheel(source, CC="/nonexistent/cc")
    assert build.returncode != 0
    [sentence] = sentences(build.stdout + build.stderr)
    assert "no working C compiler found; install " in sentence


@needs_unix
def test_missing_header_fails_in_one_sentence(source: Path, tmp_path: Path) -> None:
    compiler = tmp_path / "cc-that-ignores-include-folders"
    compiler.write_text(
        '#!/bin/sh\nfor word; do shift; case "$word" in -I*) ;; *) set -- "$@" "$word";; esac; done\nexec cc "$@"\n'
    )
    compiler.chmod(0o755)
    build = pip_wheel(source, CC=str(compiler))
    assert build.returncode != 0
    [sentence] = sentences(build.stdout + build.stderr)
    assert "the header Python.h of Python 3." in sentence and "; install " in sentence


def test_only_what_has_changed_is_compiled_again(source: Path) -> None:
    kernel = source / "ext" / KERNEL
    for path in (source / "ext").rglob("*.pyx"):
        if path != kernel:
            path.unlink()
    # Older than Cython's own files, as those are that pip installs for every build.
    for path in source.rglob("*"):
        os.utime(path, (1e9, 1e9))
    compiled = f"eventsnn: compiling kernel 1 of 1, {'.'.join(KERNEL.with_suffix('').parts)}"

    def build(**environment: str) -> list[str]:
        run = pip_wheel(source, "--verbose", **environment)
        assert run.returncode == 0, run.stdout + run.stderr
        for path in (source / "build").rglob("*"):
            os.utime(path, (1e9 + 1, 1e9 + 1))
        return sentences(run.stdout + run.stderr)

    assert build() == [compiled]
    [nothing] = build()
    assert nothing.startswith("eventsnn: nothing to compile, all 1 kernels in ")
    assert build(EVENTSNN_LANES="1") == [compiled]
    assert build() == [nothing]
    os.utime(kernel, (1e9 + 2, 1e9 + 2))
    assert build() == [compiled]


def test_everything_imports_from_another_folder(tmp_path: Path) -> None:
    assert KERNELS and SCENARIOS
    code = "import importlib, sys\nfor name in sys.argv[1:]: print(importlib.import_module(name).__file__)"
    names = ["eventsnn", "eventsnn.scenarios", *KERNELS, *SCENARIOS]
    run = subprocess.run([sys.executable, "-c", code, *names], cwd=tmp_path, capture_output=True, text=True, check=True)
    files = run.stdout.split("\n")
    assert all(not file.endswith(".py") for file in files[2 : 2 + len(KERNELS)])


def test_version_is_that_of_the_metadata() -> None:
    [declared] = [line for line in (ROOT / "pyproject.toml").read_text().splitlines() if line.startswith("version = ")]
    assert declared == f'version = "{version("eventsnn")}"' == f'version = "{eventsnn.__version__}"'
