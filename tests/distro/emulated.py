# SPDX-License-Identifier: MIT
"""Debian for 64-bit ARM in a folder, of which everything runs emulated, scripts and what they start too.

The kernel is told to start qemu-user for programs of ARM (binfmt_misc) in a user namespace, which has a list of
its own since Linux 6.7: what else runs on the machine is not concerned.
"""

import os
import shutil
import subprocess

EMULATOR = "/usr/bin/qemu-aarch64-static"
# An ELF file of 64 bits, little-endian, executable or shared, for machine 183. F: the emulator is found from outside.
RULE = (r":aarch64:M::\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00"
        r":\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff:%s:F" % EMULATOR)
REGISTER = """
    mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc && printf %s "$0" >/proc/sys/fs/binfmt_misc/register &&
"""
ENTER = REGISTER + """
    mount --rbind /proc "$1/proc" && mount --rbind /dev "$1/dev" && exec chroot "$@"
"""
APART = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c"]


def reason_against():
    """Why nothing can be emulated here, or None."""
    if shutil.which(EMULATOR) is None:
        return "no %s here" % EMULATOR
    done = subprocess.run([*APART, REGISTER + "true", RULE], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return "no binfmt_misc in a user namespace: " + done.stdout.decode() if done.returncode != 0 else None


class Emulated:
    def __init__(self, path):
        self.path = path

    def inside(self, path):
        return self.path + path

    def say(self, *command):
        """Runs a command; its exit code and what it says."""
        environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8", "HOME": "/root",
                       "PYTHONDONTWRITEBYTECODE": "1",
                       # The emulator knows no clone() without an exit signal.
                       "MEMPROF_SNAPSHOT_MODE": "inline"}
        done = subprocess.run([*APART, ENTER, RULE, self.path, *command], env=environment, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300)
        return done.returncode, done.stdout.decode("utf-8", "replace")
