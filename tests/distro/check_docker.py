#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Takes the steps of doc/docker/Dockerfile and compose.yml by hand, in folders instead of images.

Usage: check_docker.py SOURCE_ROOT FOLDER

No Docker and no registry is needed: debootstrap makes Debian below FOLDER once, and each FROM is a copy
of it; instead of python:3.12-slim one with Debian's own Python as `python`. The container is a chroot
in its own namespaces. Needs root; exits with 77 and a reason where it cannot run.
"""

import json
import os
import re
import shutil
import subprocess
import sys

import yaml

from check_distro import Root, skip

SOURCE, FOLDER = sys.argv[1:3]
RELEASE = "bookworm"
DOCKERFILE = os.path.join(SOURCE, "doc", "docker", "Dockerfile")
COMPOSE = os.path.join(SOURCE, "doc", "docker", "compose.yml")
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"    # that of Docker


class Image:
    """A stage of the Dockerfile: a folder, and what is to be run in it."""

    def __init__(self, path):
        self.path = path
        self.workdir = "/"
        self.environment = {"PATH": PATH, "HOME": "/root"}
        self.entrypoint = self.cmd = None

    def inside(self, path):
        return self.path + os.path.normpath(os.path.join(self.workdir, path))

    def run(self, *command):
        """A command of the build."""
        subprocess.run(["chroot", self.path, "sh", "-c", 'cd "$0" && exec "$@"', self.workdir, *command],
                       env={**self.environment, "DEBIAN_FRONTEND": "noninteractive"}, check=True,
                       stdout=subprocess.DEVNULL)

    def start(self, arguments=(), environment=(), read_only=False, files=(), privileges=()):
        """What `docker run` does: process 1 of its own namespace of process ids."""
        script = ['mount --bind "$0" "$0"']
        script += ["mount --bind %s %s" % (source, self.inside(target)) for source, target in files]
        script += ['mount -t proc proc "$0/proc"']
        script += ['mount -o remount,bind,ro "$0"'] if read_only else []
        script += ['exec chroot "$0" "$@"']
        into = ["sh", "-c", 'cd "$0" && exec "$@"', self.workdir]
        command = ["unshare", "--mount", "--pid", "--fork", "sh", "-ec", "\n".join(script), self.path, *into,
                   *privileges, *self.entrypoint, *(arguments or self.cmd)]
        done = subprocess.run(command, env={**self.environment, **dict(environment)}, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=120)
        return done.returncode, done.stdout.decode("utf-8", "replace")


class Build:
    """The instructions of a Dockerfile, one after the other."""

    def __init__(self, folder):
        self.folder = folder
        self.images = {}
        self.image = None
        root = Root(RELEASE, FOLDER)
        root.make()
        os.makedirs(os.path.join(root.path, "memprof"), exist_ok=True)
        open(os.path.join(root.path, "memprof", "complete"), "w").close()
        self.debian = root.path

    def take(self, path):
        with open(path) as file:
            text = re.sub(r"^#.*\n", "", file.read(), flags=re.M).replace("\\\n", " ")
        for line in filter(None, map(str.strip, text.splitlines())):
            print("  " + line, flush=True)
            instruction, rest = line.split(None, 1)
            getattr(self, "do_" + instruction.lower())(rest)
        return self.image

    def do_from(self, rest):
        name, _, alias = rest.partition(" AS ")
        path = os.path.join(self.folder, str(len(self.images)))
        subprocess.run(["cp", "-a", "--reflink=auto", self.debian, path], check=True)
        self.image = self.images[alias or rest] = Image(path)
        if name.startswith("python:"):
            self.image.run("apt-get", "install", "-y", "-q", "--no-install-recommends", "python3-minimal",
                           "libpython3-stdlib")
            os.symlink("/usr/bin/python3", path + "/usr/local/bin/python")
        elif not name.startswith("debian:%s" % RELEASE):
            raise ValueError("no stand-in for " + name)

    def do_workdir(self, rest):
        self.image.workdir = rest
        os.makedirs(self.image.path + rest, exist_ok=True)

    def do_copy(self, rest):
        *words, target = rest.split()
        origin = SOURCE
        if words[0].startswith("--from="):
            origin = self.images[words.pop(0)[7:]].path
        with open(os.path.join(SOURCE, ".dockerignore")) as file:
            ignore = shutil.ignore_patterns(*file.read().split()) if origin == SOURCE else None
        for word in words:
            source = os.path.join(origin, word.lstrip("/"))
            if os.path.isdir(source):
                shutil.copytree(source, self.image.inside(target), symlinks=True, dirs_exist_ok=True, ignore=ignore)
            else:
                shutil.copy(source, self.image.inside(target))

    def do_run(self, rest):
        self.image.run("sh", "-c", rest)

    def do_env(self, rest):
        self.image.environment.update(word.split("=", 1) for word in rest.split())

    def do_entrypoint(self, rest):
        self.image.entrypoint = json.loads(rest)

    def do_cmd(self, rest):
        self.image.cmd = json.loads(rest)


class Judge:
    def __init__(self):
        self.passed = self.failed = 0

    def expect(self, what, outcome, code, *texts):
        good = outcome[0] == code and all(text in outcome[1] for text in texts)
        self.passed += good
        self.failed += not good
        print("%s: %s" % (what, "passed" if good else "FAILED, exit code %d:\n%s" % outcome), flush=True)


def compose_service(path):
    """The one service of the file, as arguments of Image.start()."""
    with open(path) as file:
        (service,) = yaml.safe_load(file)["services"].values()
    folder = os.path.dirname(path)
    build = service.pop("build")
    context = os.path.normpath(os.path.join(folder, build["context"]))
    assert context == os.path.normpath(SOURCE), context
    assert os.path.samefile(os.path.join(context, build["dockerfile"]), DOCKERFILE)
    user, group = service.pop("user").split(":")
    assert service.pop("cap_drop") == ["ALL"] and service.pop("security_opt") == ["no-new-privileges:true"]
    privileges = ["setpriv", "--reuid=" + user, "--regid=" + group, "--clear-groups", "--no-new-privs",
                  "--bounding-set=-all"]
    volumes = [volume.split(":") for volume in service.pop("volumes")]
    arguments = {"environment": service.pop("environment"), "read_only": service.pop("read_only"),
                 "files": [(os.path.normpath(os.path.join(folder, source)), target) for source, target, _ in volumes],
                 "privileges": privileges}
    assert not service, service
    return arguments


def main():
    if os.getuid() != 0:
        skip("needs root for a chroot")
    if shutil.which("debootstrap") is None:
        skip("no debootstrap here")
    stages = os.path.join(FOLDER, "docker")
    shutil.rmtree(stages, ignore_errors=True)
    os.makedirs(stages)
    try:
        image = Build(stages).take(DOCKERFILE)
        judge = Judge()
        judge.expect("docker run", image.start(), 0, "Memory Snapshot", "Top 5 by", "__main__.Message")
        service = compose_service(COMPOSE)
        judge.expect("compose up", image.start(**service), 0, "Memory Snapshot", "Top 3 by")
        text = "assert 'libmemprof' in open('/proc/self/maps').read(); open('/app/new', 'w')"
        judge.expect("confined", image.start(["python", "-c", text], **service), 1, "Read-only file system")
        judge.expect("process 1", image.start(["python", "-c", "import os; raise SystemExit(40 + os.getpid())"]), 41)
        judge.expect("off", image.start(["sh", "-c", 'exit ${LD_PRELOAD:-7}'], environment={"MEMPROF_ENABLED": "no"}),
                     7)
        judge.expect("no command", image.start(["pythn"]), 127, "memprof-run: pythn: no such command")
    finally:
        shutil.rmtree(stages, ignore_errors=True)
    print("not tried: Docker itself, python:3.12-slim itself")
    print("%d passed, %d failed" % (judge.passed, judge.failed))
    sys.exit(0 if judge.passed and not judge.failed else 1)


if __name__ == "__main__":
    main()
