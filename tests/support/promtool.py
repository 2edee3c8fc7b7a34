"""Which promtool there is: the one that `make promtool` has built, else the system's."""

import shutil
import subprocess
from pathlib import Path

_built = Path(__file__).parents[2] / ".tools" / "bin" / "promtool"


def promtool() -> str | None:
    return str(_built) if _built.exists() else shutil.which("promtool")


def described() -> str:
    """What the header of a run says: only 3 evaluates ranges as Prometheus 3 does."""
    program = promtool()
    if program is None:
        return "none, alerts are not tried (Debian: apt-get install prometheus)"
    done = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
    words = (done.stdout or done.stderr).split()
    version = words[words.index("version") + 1] if "version" in words else "unknown"
    old = not version.startswith("3.")
    return f"{version}" + (", which hides ranges that Prometheus 3 leaves empty" if old else "")
