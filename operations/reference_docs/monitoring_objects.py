"""Pure: the alerts and the dashboard as objects of Kubernetes, made of the plain files."""

from collections.abc import Sequence
from typing import Final

_written: Final = "# Written by `make docs` from {source}: change that.\n"
_labels: Final = "  labels: {{app.kubernetes.io/part-of: zcc{more}}}\n"


def prometheus_rule(alerts: str, *, source: str) -> str:
    """Return a PrometheusRule, as the Prometheus operator reads it, with these rule groups."""
    groups = alerts[alerts.index("groups:\n") :]
    return (
        _written.format(source=source)
        + "apiVersion: monitoring.coreos.com/v1\nkind: PrometheusRule\nmetadata:\n  name: zcc\n"
        + _labels.format(more="")
        + "spec:\n"
        + _indented(groups.splitlines(), 2)
    )


def dashboard_config_map(dashboard: str, *, source: str, name: str) -> str:
    """Return a ConfigMap, as Grafana's sidecar finds it by its label, with this dashboard."""
    return (
        _written.format(source=source)
        + "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: zcc-dashboard\n"
        + _labels.format(more=', grafana_dashboard: "1"')
        + f"data:\n  {name}: |\n"
        + _indented(dashboard.splitlines(), 4)
    )


def _indented(lines: Sequence[str], spaces: int) -> str:
    return "".join(f"{' ' * spaces}{line}".rstrip() + "\n" for line in lines)
