"""The one MetaData that each feature's `tables.py` adds to, and that Alembic compares with."""

from sqlalchemy import MetaData
from sqlalchemy.types import UserDefinedType

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class HalfVector(UserDefinedType[bytes]):
    """pgvector's `halfvec` without a fixed number of dimensions: each face model has its own."""

    cache_ok = True

    def get_col_spec(self, **_: object) -> str:
        """The type's name in SQL."""
        return "halfvec"
