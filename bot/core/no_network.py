"""Takes the network, other programs and other processes from the calling process, for good.

Two fences: an audit hook, which Python's own calls meet on every system, and on Linux a filter in the kernel,
which native code meets too. Threads and local pipes stay, so libraries that use them work.
"""

from __future__ import annotations

import ctypes
import platform
import struct
import sys
from collections.abc import Iterable

# Number of each call, by machine: Linux, arch/x86/entry/syscalls/syscall_64.tbl and asm-generic/unistd.h.
TALKING = ("socket", "connect", "bind", "listen", "sendto", "sendmsg", "io_uring_setup")
MEDDLING = ("ptrace", "process_vm_readv", "process_vm_writev", "kill", "pidfd_send_signal")
STARTING = ("execve", "execveat")
NUMBERS = {
    "x86_64": dict(
        zip(
            TALKING + MEDDLING + STARTING,
            (41, 42, 49, 50, 44, 46, 425, 101, 310, 311, 62, 424, 59, 322),
            strict=True,
        )
    ),
    "aarch64": dict(
        zip(
            TALKING + MEDDLING + STARTING,
            (198, 203, 200, 201, 206, 211, 425, 117, 270, 271, 129, 424, 221, 281),
            strict=True,
        )
    ),
}
ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}  # linux/audit.h

# linux/seccomp.h, linux/prctl.h, linux/bpf_common.h
PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS, MODE_FILTER = 22, 38, 2
LOAD, EQUAL, AT_LEAST, RETURN = 0x20, 0x15, 0x35, 0x06
ALLOW, NOT_PERMITTED = 0x7FFF0000, 0x00050001
X32 = 0x40000000  # calls of another counting begin here

REFUSED_EVENTS = ("socket.", "os.kill", "os.system")
STARTING_EVENTS = ("subprocess.Popen", "os.exec", "os.posix_spawn")


def close_network(*, may_start: bool = False) -> bool:
    """Whether the kernel's filter is in place too. `may_start`: other programs, which inherit the filter."""
    filtered = sys.platform == "linux" and _filter_calls(may_start=may_start)
    refused = REFUSED_EVENTS if may_start else REFUSED_EVENTS + STARTING_EVENTS

    def refuse(event: str, _: object) -> None:
        if event.startswith(refused):
            raise PermissionError(f"{event} is not for this process")

    sys.addaudithook(refuse)
    return filtered


def _filter_calls(*, may_start: bool) -> bool:
    machine = platform.machine()
    if machine not in NUMBERS:
        return False
    names = TALKING + MEDDLING if may_start else TALKING + MEDDLING + STARTING
    code = _program(ARCHITECTURES[machine], [NUMBERS[machine][name] for name in names])
    held = ctypes.create_string_buffer(code, len(code))
    program = struct.pack("HxxxxxxP", len(code) // 8, ctypes.addressof(held))
    libc = ctypes.CDLL(None)
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0):
        return False
    return bool(libc.prctl(PR_SET_SECCOMP, MODE_FILTER, program, 0, 0) == 0)


def _program(architecture: int, refused: Iterable[int]) -> bytes:
    """The filter: calls of another architecture or counting are refused, and those given; the rest pass."""
    numbers = list(refused)
    steps = [(LOAD, 0, 0, 4), (EQUAL, 1, 0, architecture), (RETURN, 0, 0, NOT_PERMITTED), (LOAD, 0, 0, 0)]
    steps.append((AT_LEAST, len(numbers) + 1, 0, X32))
    steps += [(EQUAL, len(numbers) - at, 0, number) for at, number in enumerate(numbers)]
    steps += [(RETURN, 0, 0, ALLOW), (RETURN, 0, 0, NOT_PERMITTED)]
    return b"".join(struct.pack("HBBI", *step) for step in steps)
