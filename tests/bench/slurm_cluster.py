"""A real SLURM of two nodes on this machine, all of it in one folder: nothing of it stays.

The daemons are those of Debian's packages ``slurm-wlm`` and ``munge``. Each node has one core; the
partition ``high`` takes nodes away from ``low``, whose jobs are then requeued.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

NODES = ("n1", "n2")
PROGRAMS = ("slurmctld", "slurmd", "munged", "sbatch", "squeue", "scontrol")

SETTINGS = """\
ClusterName=tests
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket,cred_expire=5
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
ReturnToService=2
SlurmdTimeout=10
KillWait=5
OverTimeLimit=0
SlurmdParameters=config_overrides
NodeName=n1 NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[1]} CPUs=1 RealMemory=16000
NodeName=n2 NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[2]} CPUs=1 RealMemory=16000
PartitionName=low Nodes=n1,n2 Default=YES PriorityTier=1 MaxTime=UNLIMITED State=UP
PartitionName=high Nodes=n1,n2 PriorityTier=10 MaxTime=UNLIMITED State=UP
"""

__all__ = ["NODES", "SlurmCluster", "absent_programs", "slurm_cluster"]


def absent_programs() -> list[str]:
    """What of SLURM is not installed here."""
    search = os.environ["PATH"] + ":/usr/sbin:/sbin"
    return [name for name in PROGRAMS if shutil.which(name, path=search) is None]


class SlurmCluster:
    """Running daemons; ``environment`` is what a process needs to find them."""

    def __init__(self, folder: Path, further_settings: str = "") -> None:
        self.folder = folder
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        (folder / "state").mkdir(parents=True)
        settings = SETTINGS.format(
            folder=folder, host=socket.gethostname().split(".")[0], user=_user(), ports=_ports(3)
        )
        (folder / "slurm.conf").write_text(settings + further_settings)
        key = folder / "munge.key"
        key.write_bytes(secrets.token_bytes(128))
        key.chmod(0o600)
        search = os.environ["PATH"] + ":/usr/sbin:/sbin"
        self.environment = {"SLURM_CONF": str(folder / "slurm.conf"), "PATH": search}

    def start(self) -> None:
        """Start all daemons and wait until both nodes are idle."""
        names = {"key-file": "key", "socket": "socket", "pid-file": "pid", "log-file": "log"}
        options = [f"--{option}={self.folder}/munge.{name}" for option, name in names.items()]
        options.append(f"--seed-file={self.folder}/munge.seed")
        self._begin("munged", "munged", "--foreground", "--force", *options)
        _until((self.folder / "munge.socket").exists, "munge has no socket")
        self._begin("slurmctld", "slurmctld", "-D")
        for node in NODES:
            self.start_node(node)
        _until(lambda: self.states() == ["idle", "idle"], "the nodes did not come up")

    def start_node(self, node: str) -> None:
        """Start the daemon of a node."""
        self._begin(node, "slurmd", "-D", "-N", node)

    def kill_node(self, node: str) -> None:
        """End a node as a power cut does: its daemon and whatever runs on it."""
        daemon = self._processes.pop(node)
        daemon.kill()
        daemon.wait()
        for process in self._processes_of(node):
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)

    def states(self) -> list[str]:
        """What sinfo says of each node."""
        return self.ask("sinfo", "-h", "-N", "-p", "low", "-o", "%t").split()

    def jobs(self) -> list[list[str]]:
        """Id, state, node and partition of every job that waits or runs."""
        lines = self.ask("squeue", "-h", "--array", "-o", "%i|%T|%N|%P").splitlines()
        return [line.split("|") for line in lines]

    def running(self) -> list[list[str]]:
        """Those of partition low that run."""
        return [job for job in self.jobs() if job[1] == "RUNNING" and job[3] == "low"]

    def ask(self, *command: str) -> str:
        """What a command of SLURM prints; nothing where the controller does not answer."""
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            env=os.environ | self.environment,
            timeout=60,
            check=False,
        )
        return done.stdout

    def stop(self) -> None:
        """End what was started here, and nothing else."""
        self.ask("scancel", "--partition=low,high")
        for node in NODES:
            for process in self._processes_of(node):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process, signal.SIGKILL)
        for process in reversed(self._processes.values()):
            process.terminate()
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _begin(self, name: str, *command: str) -> None:
        with (self.folder / f"{name}.out").open("ab") as output:
            self._processes[name] = subprocess.Popen(
                command,
                env=os.environ | self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def _processes_of(self, node: str) -> list[int]:
        """Jobs of a node, and the SLURM processes that hold them."""
        wanted = (f"SLURM_CONF={self.environment['SLURM_CONF']}", f"SLURMD_NODENAME={node}")
        numbers = set()
        for process in Path("/proc").glob("[0-9]*"):
            try:
                variables = (process / "environ").read_bytes().split(b"\0")
                if not all(variable.encode() in variables for variable in wanted):
                    continue
                numbers.add(int(process.name))
                parent = _parent_of(process)
                if (parent / "cmdline").read_bytes().startswith(b"slurmstepd"):
                    numbers.add(int(parent.name))
            except OSError:
                continue
        return sorted(numbers)


@contextlib.contextmanager
def slurm_cluster(folder: Path, further_settings: str = "") -> Iterator[SlurmCluster]:
    """A cluster for the time of a block."""
    cluster = SlurmCluster(folder, further_settings)
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()


def _parent_of(process: Path) -> Path:
    lines = (process / "status").read_text().splitlines()
    return process.with_name(next(line.split()[1] for line in lines if line.startswith("PPid:")))


def _ports(count: int) -> list[int]:
    """Numbers of free ports."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def _user() -> str:
    import pwd

    return pwd.getpwuid(os.getuid()).pw_name


def _until(condition: Callable[[], bool], failure: str, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, failure
        time.sleep(0.2)
