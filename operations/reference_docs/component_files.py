"""Pure: the files of ``deploy/``, docker-compose.yml and a table, made of component descriptions.

Each component has its own manifest. In files that people write, it has lines between two markers.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from string import Template
from typing import Final

from runtime.component import Component
from schemas.topics import enriched_topics, raw_topics

generated_mark: Final = "# Written by `make docs` from "
"""Begins each file that is wholly generated."""

_section: Final = re.compile(
    r"(?P<indent>[ ]*)# components: `make docs` writes these lines\n"
    r"(?P<lines>.*?)"
    r"(?P<end>[ ]*# end of the components\n)",
    re.DOTALL,
)

_manifest: Final = Template("""\
${mark}${source}: change that.
apiVersion: apps/v1
kind: Deployment
metadata:
  name: zcc-${service}
spec:
  # At most as many as the topics have partitions.
  replicas: 2
  selector:
    matchLabels: {app.kubernetes.io/name: zcc-${service}}
  template:
    metadata:
      labels: {app.kubernetes.io/name: zcc-${service}}
      annotations:
        prometheus.io/scrape: "true"
        prometheus.io/port: "9100"
    spec:
      automountServiceAccountToken: false
      # Longer than ZCC_WORKER_DRAIN_TIMEOUT_S.
      terminationGracePeriodSeconds: 45
      securityContext:
        runAsNonRoot: true
        runAsUser: 10001
        seccompProfile: {type: RuntimeDefault}
      containers:
        - name: worker
          image: zcc
          args: [${arguments}]
          envFrom:
            - configMapRef: {name: zcc-settings}
            - secretRef: {name: zcc-secrets-${name}${optional}}
            - secretRef: {name: zcc-secrets-kafka, optional: true}
          ports:
            - {name: health, containerPort: 9100}
          livenessProbe:
            httpGet: {path: /healthz, port: health}
            periodSeconds: 10
            timeoutSeconds: 3
            failureThreshold: 6
          readinessProbe:
            httpGet: {path: /readyz, port: health}
            periodSeconds: 5
            timeoutSeconds: 3
          securityContext:
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities: {drop: [ALL]}
          resources:
            requests: {cpu: 250m, memory: ${request}Mi}
            limits: {memory: ${limit}Mi}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: zcc-${service}
spec:
  minAvailable: 1
  selector:
    matchLabels: {app.kubernetes.io/name: zcc-${service}}
""")


def manifest(component: Component, *, source: str) -> str:
    """Return its Deployment and PodDisruptionBudget; ``source`` is the file to change instead."""
    return _manifest.substitute(
        mark=generated_mark,
        source=source,
        service=component.service,
        name=component.name,
        arguments=", ".join(component.command),
        optional="" if component.deployment.needs_secret else ", optional: true",
        request=component.deployment.memory_request_mib,
        limit=component.deployment.memory_limit_mib,
    )


def with_compose_services(text: str, components: Iterable[Component]) -> str:
    """Return docker-compose.yml with a service for each component.

    Its environment merges those mappings at the top of the file (``x-zoom: &zoom``) that are named
    as the prefix of its settings.
    """
    anchors = re.findall(r"^x-([a-z-]+): &\1$", text, re.MULTILINE)
    services = [_service(each, anchors) for each in components]
    return with_lines(text, [line for lines in services for line in (*lines, "")][:-1])


def _service(component: Component, anchors: Sequence[str]) -> Iterator[str]:
    prefixes = (str(each.model_config.get("env_prefix")) for each in component.settings)
    own = [prefix.removeprefix("ZCC_").strip("_").replace("_", "-").lower() for prefix in prefixes]
    merged = ", ".join(f"*{each}" for each in ("kafka", *own) if each in anchors)
    yield f"{component.service}:"
    yield "  <<: *product"
    yield f"  command: [{', '.join(component.command)}]"
    yield "  environment:"
    yield f"    <<: [{merged}]"
    yield "  depends_on:"
    yield "    topics: {condition: service_completed_successfully}"
    for service, condition in component.deployment.starts_after.items():
        yield f"    {service}: {{condition: {condition}}}"


def with_lines(text: str, lines: Iterable[str]) -> str:
    """Return a text with these lines between its markers, indented as they are.

    Raises:
        ValueError: it has no markers, or more than one pair.
    """
    if len(_section.findall(text)) != 1:
        raise ValueError("expected one pair of markers for the lines of components")

    def section(match: re.Match[str]) -> str:
        first = match[0].partition("\n")[0]
        written = "".join(f"{match['indent']}{line}".rstrip() + "\n" for line in lines)
        return f"{first}\n{written}{match['end']}"

    return _section.sub(section, text)


def component_table(components: Iterable[Component], *, prefix: str) -> Iterator[str]:
    """Yield the lines of a table: what each component reads and writes, in Markdown."""
    yield "| component | kind | reads | writes | retries after | Zoom operations |"
    yield "|---|---|---|---|---|---|"
    for each in components:
        reads = _topics(each.reads(prefix=prefix), prefix) or "another system"
        writes = _topics(each.writes(prefix=prefix), prefix) or "its store"
        delays = ", ".join(f"{delay_s} s" for delay_s in each.retry_delays_s) or "-"
        operations = ", ".join(f"`{name}`" for name in each.zoom_operations) or "-"
        yield f"| `{each.name}` | {each.kind} | {reads} | {writes} | {delays} | {operations} |"


def _topics(names: Sequence[str], prefix: str) -> str:
    """Name the topics, all of one kind together."""
    shown, rest = [], list(names)
    for kind, topics in (
        ("raw", raw_topics(prefix=prefix)),
        ("enriched", enriched_topics(prefix=prefix)),
    ):
        if set(topics) <= set(rest):
            shown.append(f"all {kind} topics")
            rest = [name for name in rest if name not in topics]
    return ", ".join((*shown, *(f"`{name}`" for name in rest)))
