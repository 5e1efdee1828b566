"""Errors of receipts, re-request slips and the ways they travel: files, QR codes and typed text."""

from issbox.errors.base import ExitCode, IssboxError


class ReceiptError(IssboxError):
    """The receipt cannot be accepted."""

    code = "receipt-refused"
    exit_code = ExitCode.REFUSED
    hint = "Have the receipt made or copied again with `issbox receipt create` on the other box."


class NotAReceiptError(ReceiptError):
    """What was given is neither a receipt's file nor one of its texts."""

    code = "not-a-receipt"
    hint = "Give a file NAME.receipt.json, a text that begins with IBC1: or IB1-, or - for standard input."


class BadReceiptError(ReceiptError):
    """The receipt is cut or not what its format says; the message names the field."""

    code = "bad-receipt"
    exit_code = ExitCode.DAMAGED


class NewerReceiptError(ReceiptError):
    """The receipt has a newer format than this issbox reads."""

    code = "newer-receipt"
    hint = "Install a newer issbox on this side."


class UntrustedReceiptError(ReceiptError):
    """The receipt is signed by a key that is not among the trusted keys."""

    code = "untrusted-receipt"
    exit_code = ExitCode.UNTRUSTED
    hint = (
        "Add the other box's key with `issbox trusted-key add`, or use the receipt unchecked with --accept-untrusted: "
        "a wrong one can make the next bundle too small, but never harm what is imported."
    )


class ReceiptSignatureError(ReceiptError):
    """The signature does not belong to this receipt: one of the two was changed."""

    code = "bad-receipt-signature"
    exit_code = ExitCode.UNTRUSTED
    hint = "Do not use it. Have the receipt copied or scanned again, and find out who changed it if it stays so."


class UnrecognisedReceiptError(ReceiptError):
    """The short text of a receipt names an export or a state of repositories that this box does not know."""

    code = "unrecognised-receipt"
    hint = "Read the receipt's file or QR code instead: they say of each repository what the other box holds."


class MistypedError(IssboxError):
    """A typed text does not have its checksum: at least one of its characters is wrong, missing or swapped."""

    code = "mistyped"
    exit_code = ExitCode.USAGE
    hint = "Compare the text group by group with the original and type it again."


class BadSlipError(IssboxError):
    """The re-request slip is cut or not what its format says; the message names the field."""

    code = "bad-slip"
    exit_code = ExitCode.REFUSED
    hint = "Have the slip written again on the box that misses the volumes."


class QrTooLargeError(IssboxError):
    """The text does not fit into one QR code."""

    code = "qr-too-large"
    exit_code = ExitCode.REFUSED
    hint = "Carry the file instead, or use the short text."
