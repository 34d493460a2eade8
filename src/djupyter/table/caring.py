"""What a schema does with all of its objects at once."""

from __future__ import annotations

from djupyter.table.moving import Copied, Mover
from djupyter.table.schema_part import SchemaPart
from djupyter.table.telling import Listener, teller
from djupyter.table.verified import Verification
from djupyter.table.verify import Verifier


class Caring(SchemaPart):
    """The part of a schema that looks after objects in stores; `Schema` is one."""

    def verify(self, *, hashes: bool = False, progress: bool | Listener = False) -> Verification:
        """Return whether every row has its objects, with the sizes that were recorded.

        Stores are listed rather than asked for each object. Nothing is repaired.

        Parameters
        ----------
        hashes
            Also read what has a recorded hash, and compare it.
        progress
            True shows a bar; a function hears of each `dj.gc.ObjectProgress`.

        Raises
        ------
        DataJointError
            A table or a store cannot be read.

        Examples
        --------
        >>> import djupyter as dj
        >>> schema = dj.Schema("lab", connection=dj.Connection("sqlite://"))
        >>> schema.verify()
        All objects are there: 0 objects (0 B) of 0 rows, compared by size.
        """
        with teller(progress) as tell:
            return Verifier(self.connection, self.name, hashes=hashes, tell=tell).verify()

    def copy_objects(
        self,
        source: str,
        target: str,
        *,
        rewrite: bool = False,
        hashes: bool = False,
        progress: bool | Listener = False,
    ) -> Copied:
        """Copy the objects of all rows from one store to another, several at a time.

        What is there already is passed over, so a copy that was interrupted goes on where it ended. Copies are compared
        by size. To move objects, rewrite the rows, then collect: `dj.gc.collect(schema, store=source, dry_run=False)`.
        Without rows that refer to them, copies are garbage to a collection of the target.

        Parameters
        ----------
        source, target
            Names of stores.
        rewrite
            Let the rows refer to the copies, some rows in a transaction, after their objects are there.
        hashes
            Read both sides again and compare the contents.
        progress
            True shows a bar; a function hears of each `dj.gc.ObjectProgress`.

        Raises
        ------
        DataJointError
            A store is not configured or not there, a table cannot be read, or a transaction is open.
        """
        stores = self.connection.stores
        with teller(progress) as tell:
            return Mover(
                self.connection,
                self.name,
                stores.get(source),
                stores.get(target),
                rewrite=rewrite,
                hashes=hashes,
                tell=tell,
            ).move()
