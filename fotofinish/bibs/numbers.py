"""The form in which bib numbers are compared. `007` and `7` are different bibs."""

MAX_BIB_LENGTH = 64


def normalise_bib(bib: str) -> str:
    """Without surrounding white space and regard to case: how bibs are kept and looked up."""
    return bib.strip().upper()
