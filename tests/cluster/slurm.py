"""A real SLURM of one node on this machine, for the tests: munged, slurmctld and slurmd.

They listen on loopback. Their files lie in one folder that /etc/slurm links to meanwhile, because
jobs do not inherit SLURM_CONF. The node has one pretended GPU (/dev/null), so that requests for one
are scheduled; there are no cgroups and no accounting database.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

PROGRAMS = {
    "slurmctld": "slurmctld",
    "slurmd": "slurmd",
    "sbatch": "slurm-client",
    "munged": "munge",
}

ETC = Path("/etc/slurm/slurm.conf"), Path("/etc/slurm/gres.conf")

CONFIGURATION = """
ClusterName=tests
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
MailProg=/bin/true
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
ReturnToService=2
KillWait=2
MinJobAge=3600
SchedulerType=sched/backfill
SchedulerParameters=batch_sched_delay=1,sched_interval=2,bf_interval=2
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
DefMemPerCPU=1000
GresTypes=gpu
SlurmdParameters=config_overrides
NodeName={host} NodeAddr=127.0.0.1 CPUs=8 RealMemory=64000 Gres=gpu:1 State=UNKNOWN
PartitionName=all Nodes={host} Default=YES State=UP
"""


def explain_missing_slurm() -> str:
    """Say why no SLURM can be started here; empty if one can, installed first if need be."""
    if os.geteuid():
        return "its daemons start as root only"
    if any(path.exists() for path in ETC):
        return f"there is one already: {ETC[0]}"
    if not socket.gethostbyname(get_short_host_name()).startswith("127."):
        return f"the host name {get_short_host_name()} does not stand for 127.0.0.1"
    missing = [package for program, package in PROGRAMS.items() if not shutil.which(program)]
    if missing and not (shutil.which("apt-get") and install(missing)):
        return f"there is no {', '.join(missing)}, nor can they be installed"
    return ""


def get_short_host_name() -> str:
    return socket.gethostname().partition(".")[0]


def install(packages: list[str]) -> bool:
    """Install packages without starting their daemons; return whether apt-get succeeded."""
    policy = Path("/usr/sbin/policy-rc.d")
    ours = not policy.exists()
    if ours:
        policy.write_text("#!/bin/sh\nexit 101\n")
        policy.chmod(0o755)
    try:
        quiet = {
            "env": os.environ | {"DEBIAN_FRONTEND": "noninteractive"},
            "capture_output": True,
            "timeout": 300,
        }
        subprocess.run(["apt-get", "update", "-q"], **quiet)
        return not subprocess.run(
            ["apt-get", "install", "-y", "-q", "--no-install-recommends", *packages], **quiet
        ).returncode
    except subprocess.TimeoutExpired:
        return False
    finally:
        if ours:
            policy.unlink()


def find_free_ports() -> list[int]:
    """Find two ports that nobody listens on."""
    with socket.socket() as one, socket.socket() as other:
        one.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        return [one.getsockname()[1], other.getsockname()[1]]


class Slurm:
    """The three daemons, started on entry and stopped on exit."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("state", "spool"):
            (folder / name).mkdir()
        (folder / "slurm.conf").write_text(
            CONFIGURATION.format(host=get_short_host_name(), folder=folder, ports=find_free_ports())
        )
        (folder / "gres.conf").write_text(
            f"AutoDetect=off\nNodeName={get_short_host_name()} Name=gpu File=/dev/null\n"
        )
        (folder / "key").write_bytes(os.urandom(1024))
        (folder / "key").chmod(0o400)
        self.daemons: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Slurm:
        for path in ETC:
            path.parent.mkdir(exist_ok=True)
            path.unlink(missing_ok=True)  # a link that leads nowhere
            path.symlink_to(self.folder / path.name)
        of_munge = [
            f"--{name}={self.folder}/munge.{name}"
            for name in ("socket", "pid-file", "log-file", "seed-file")
        ]
        self.start("munged", "--foreground", "--force", f"--key-file={self.folder}/key", *of_munge)
        self.wait(lambda: (self.folder / "munge.socket").exists(), "munged")
        self.start("slurmctld", "-D")
        self.wait(lambda: " UP" in self.ask("scontrol", "ping"), "slurmctld")
        self.start("slurmd", "-D")
        self.wait(lambda: "idle" in self.ask("sinfo", "-h", "-o", "%T"), "slurmd")
        return self

    def __exit__(self, *_: object) -> None:
        self.ask("scancel", "--user=root")
        for daemon in reversed(self.daemons):
            daemon.terminate()
        for daemon in self.daemons:
            try:
                daemon.wait(20)
            except subprocess.TimeoutExpired:
                daemon.kill()
        for path in ETC:
            path.unlink(missing_ok=True)

    def start(self, program: str, *arguments: str) -> None:
        with open(self.folder / f"{program}.start", "wb") as log:
            self.daemons.append(
                subprocess.Popen([program, *arguments], stdout=log, stderr=subprocess.STDOUT)
            )

    def wait(self, ready: object, program: str) -> None:
        deadline = time.monotonic() + 60
        while not ready():
            if time.monotonic() > deadline or self.daemons[-1].poll() is not None:
                logs = [
                    path.read_text(errors="replace")[-600:]
                    for path in self.folder.glob(f"{program}.*")
                    if path.is_file()
                ]
                raise RuntimeError(f"{program} does not come up: {' '.join(logs)}")
            time.sleep(0.2)

    def ask(self, *command: str) -> str:
        """The output of a command of SLURM, empty if it fails."""
        return subprocess.run(command, capture_output=True, text=True, timeout=60).stdout

    def jobs(self) -> dict[int, dict[str, str]]:
        """All jobs there have been, by number: what SLURM knows of each."""
        lines = self.ask("scontrol", "show", "job", "-o").splitlines()
        jobs = [
            dict(item.partition("=")[::2] for item in line.split() if "=" in item) for line in lines
        ]
        return {int(job["JobId"]): job for job in jobs if "JobId" in job}
