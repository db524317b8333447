"""The schema: the same whether it is made at once or by the migrations, and never run backwards."""

import asyncio
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData, create_engine, select, text
from sqlalchemy.schema import CreateIndex, CreateTable

from bot.core.errors import Unavailable
from bot.store import migrations, schema
from bot.store.database import open_store
from bot.store.tables import metadata
from tests.fakes.postgres import Cluster
from tests.unit.store.values import a_change, a_run


def made(url: str, make: Callable[[Connection], None]) -> tuple[object, ...]:
    """Make the tables of an empty database; return all that can be told of them, and what is in them."""
    engine = create_engine(url)
    with engine.begin() as connection:
        make(connection)
    try:
        with engine.connect() as connection:
            differences = compare_metadata(MigrationContext.configure(connection), metadata)
            tables = MetaData()
            tables.reflect(connection)
            said = sorted(str(CreateTable(one).compile(engine)) for one in tables.tables.values())
            said += sorted(
                str(CreateIndex(index).compile(engine)) for one in tables.tables.values() for index in one.indexes
            )
            rows = [(name, connection.execute(select(one)).all()) for name, one in sorted(tables.tables.items())]
            return differences, [" ".join(sorted(one.split())) for one in said], rows
    finally:
        engine.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], str]:
    """Return what gives the address of a new, empty database."""
    if request.param == "sqlite":
        return lambda: f"sqlite:///{tmp_path / str(uuid4())}"
    cluster: Cluster = request.getfixturevalue("cluster")
    return lambda: cluster.url(cluster.database()).replace("postgresql:", "postgresql+psycopg:")


def test_the_migrations_make_the_very_tables_that_an_empty_database_gets_at_once(empty: Callable[[], str]) -> None:
    at_once = made(empty(), schema.upgrade)

    assert at_once[0] == []
    assert ("alembic_version", [(schema.HEAD,)]) in at_once[2]
    assert made(empty(), lambda connection: schema.migrate(connection, None)) == at_once


def test_head_is_the_newest_migration() -> None:
    (folder,) = migrations.__path__

    assert ScriptDirectory(folder).get_current_head() == schema.HEAD


async def test_a_database_is_kept_when_it_is_opened_again(tmp_path: Path) -> None:
    path = tmp_path / "deputy.db"
    store = await open_store(path)
    await store.commit(a_change(a_run()))
    await store.close()

    again = await open_store(path)

    assert [run.id for run in await again.runs()] == ["R-1"]
    await again.close()


async def test_a_database_of_a_newer_deputy_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "deputy.db"
    await (await open_store(path)).close()
    with create_engine(f"sqlite:///{path}").begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    with pytest.raises(Unavailable, match=r"newer Deputy .*9999.*Start the newer Deputy"):
        await open_store(path)


async def test_a_migration_that_breaks_halfway_leaves_the_database_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "deputy.db"
    with create_engine(f"sqlite:///{path}").begin() as connection:
        connection.execute(text("CREATE TABLE secrets (mine TEXT)"))

    with pytest.raises(Unavailable, match="already exists"):
        await open_store(path)

    with create_engine(f"sqlite:///{path}").begin() as connection:
        names = connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'table'")).scalars().all()
    assert names == ["secrets"]


async def test_many_may_open_a_fresh_database_at_once(tmp_path: Path) -> None:
    path = tmp_path / "deputy.db"

    stores = await asyncio.gather(*(open_store(path) for _ in range(5)))

    await stores[0].commit(a_change(a_run()))
    assert [len(await store.runs()) for store in stores] == [1] * 5
    await asyncio.gather(*(store.close() for store in stores))


@pytest.mark.parametrize("fresh", [True, False])
async def test_only_a_database_of_an_older_deputy_takes_alembic(tmp_path: Path, fresh: bool) -> None:
    if not fresh:
        await (await open_store(tmp_path / "deputy.db")).close()
    program = (
        "import asyncio, sys, pathlib\n"
        "from bot.store.database import open_store\n"
        "async def main():\n"
        "    await (await open_store(pathlib.Path(sys.argv[1]))).close()\n"
        "asyncio.run(main())\n"
        "sys.exit('alembic' in sys.modules)\n"
    )

    run = subprocess.run([sys.executable, "-c", program, str(tmp_path / "deputy.db")], check=False)

    assert run.returncode == 0
