"""Reads the accounts whose API may be called: that of the variables, or those of the file.

The file and the files of secrets that it names are read together. A file of a secret may end with a
line feed, as most tools write it.
"""

from hashlib import sha256
from pathlib import Path
from typing import Final, Literal

from pydantic import SecretStr

from runtime.errors import ConfigurationError
from zoom.account_entries import AccountEntry, checked_secret, parse_accounts
from zoom.settings import ZoomSettings

_name: Final = "ZCC_ZOOM_ACCOUNTS_FILE"


class AccountsFileError(ConfigurationError):
    """The file, or one that it names, cannot be read or has another form.

    ``digest`` is that of the content at fault; it is empty where there is none. The message holds
    no secret.
    """

    def __init__(
        self, outcome: Literal["unreadable", "wrong"], detail: str, *, digest: bytes = b""
    ) -> None:
        super().__init__(f"{_name}: {detail}")
        self.outcome: Final = outcome
        self.digest: Final = digest


def read_accounts(settings: ZoomSettings) -> tuple[ZoomSettings, ...]:
    """Return settings for each account, in the order of the file. Reads files: call it in a thread.

    There are none where neither a file nor credentials are set.

    Raises:
        AccountsFileError: the file cannot be used.
    """
    if settings.accounts_file is None:
        return (settings,) if settings.account_id else ()
    file = settings.accounts_file
    try:
        content = file.read_bytes()
    except OSError as error:
        raise AccountsFileError("unreadable", f"cannot read {file}: {error.strerror}") from None
    digest = sha256(content).digest()
    try:
        entries = parse_accounts(content)
    except ValueError as error:
        raise AccountsFileError("wrong", str(error), digest=digest) from None
    return tuple(
        entry.settings(settings, _secret(entry, number, file.parent, digest))
        for number, entry in enumerate(entries, 1)
    )


def _secret(entry: AccountEntry, number: int, folder: Path, digest: bytes) -> SecretStr:
    if entry.client_secret is not None:
        return entry.client_secret
    file = folder / (entry.client_secret_file or "")
    where = f"entry {number}: client_secret_file"
    try:
        content = file.read_bytes()
    except OSError as error:  # without its path, which may be a misplaced secret
        detail = f"{where}: cannot read it: {error.strerror}"
        raise AccountsFileError("unreadable", detail, digest=digest) from None
    except ValueError:  # a character that no path can have
        raise AccountsFileError("wrong", f"{where}: expected a path", digest=digest) from None
    text = content.decode("ascii", errors="replace").removesuffix("\n").removesuffix("\r")
    try:
        return checked_secret(SecretStr(text))
    except ValueError as error:
        digest = sha256(digest + content).digest()
        raise AccountsFileError("wrong", f"{where}: {error}", digest=digest) from None
