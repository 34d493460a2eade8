import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from djupyter.definition.model import ForeignKeySpec
from djupyter.definition.names import TableName
from djupyter.definition.parser import parse
from djupyter.definition.writer import write
from djupyter.errors import DefinitionError
from djupyter.heading.structure import TableStructure, resolve, to_definition


class Lab:
    """Structures by class name, each declared from a text."""

    def __init__(self) -> None:
        self.tables: dict[str, TableStructure] = {}

    def declare(self, name: str, text: str) -> TableStructure:
        table = TableName("lab", name.lower())
        self.tables[name] = resolve(parse(text, warn=False), table, self.parent)
        return self.tables[name]

    def parent(self, spec: ForeignKeySpec) -> TableStructure:
        return self.tables[spec.parent]

    def origins(self, child: TableStructure) -> dict[str, set[str | None]]:
        """Return the lineages of what each attribute refers to."""
        parents = {structure.name: structure for structure in self.tables.values()}
        found: dict[str, set[str | None]] = {}
        for key in child.foreign_keys:
            for here, there in key.attributes:
                found.setdefault(here, set()).add(parents[key.parent].by_name[there].lineage)
        return found

    def written(self, name: str) -> str:
        by_name = {structure.name: each for each, structure in self.tables.items()}
        return write(to_definition(self.tables[name], by_name.__getitem__))


@pytest.fixture
def lab() -> Lab:
    made = Lab()
    made.declare("Subject", "subject_id : int32  # number\n---\nspecies : varchar(20)")
    made.declare("Session", "-> Subject\nsession : int32\n---\nday : date")
    return made


def test_a_reference_brings_the_key_of_its_parent_with_type_comment_and_lineage(lab: Lab) -> None:
    session = lab.tables["Session"]
    inherited = session.by_name["subject_id"]
    assert session.full_key == ("subject_id", "session")
    assert (str(inherited.type), inherited.comment) == ("int32", "number")
    assert inherited.lineage == "lab.subject.subject_id"
    assert session.by_name["session"].lineage == "lab.session.session"
    assert session.by_name["day"].lineage is None


def test_a_renamed_reference_keeps_the_lineage(lab: Lab) -> None:
    pair = lab.declare(
        "Pair", '-> Subject.proj(first="subject_id")\n-> Subject.proj(second="subject_id")'
    )
    assert pair.full_key == ("first", "second")
    assert {pair.by_name[name].lineage for name in pair.full_key} == {"lab.subject.subject_id"}
    assert pair.foreign_keys[0].renames == (("first", "subject_id"),)


def test_two_routes_to_one_ancestor_share_its_key(lab: Lab) -> None:
    lab.declare("Probe", "-> Subject\nprobe : int32")
    scan = lab.declare("Scan", "-> Session\n-> Probe")
    assert scan.full_key == ("subject_id", "session", "probe")
    assert [key.names for key in scan.foreign_keys] == [
        ("subject_id", "session"),
        ("subject_id", "probe"),
    ]
    assert all(scan.is_primary(key) for key in scan.foreign_keys)


def test_an_attribute_that_refers_to_another_has_its_lineage_though_declared_by_itself(
    lab: Lab,
) -> None:
    check = lab.declare("Check", "check : int32\nsubject_id : int32\n---\nday : date\n-> Subject")
    assert check.by_name["subject_id"].lineage == "lab.subject.subject_id"
    noted = lab.declare("Noted", "noted : int32\n---\nsubject_id : int32\n-> Subject")
    assert noted.by_name["subject_id"].lineage == "lab.subject.subject_id"


def test_a_nullable_reference_makes_all_it_brings_nullable(lab: Lab) -> None:
    note = lab.declare("Note", "note : int32\n---\n-> [nullable, unique] Session")
    (key,) = note.foreign_keys
    assert note.is_nullable(key)
    assert key.unique
    assert not note.is_primary(key)
    assert [note.by_name[name].nullable for name in ("subject_id", "session")] == [True, True]
    defaults = [note.by_name[name].default for name in key.names]
    assert [default.kind for default in defaults if default] == ["null", "null"]


def test_a_child_does_not_count_by_itself(lab: Lab) -> None:
    lab.declare("Event", "event : int auto_increment")
    child = lab.declare("Detail", "-> Event")
    assert not child.by_name["event"].autoincrement


def test_no_visible_key_makes_a_singleton(lab: Lab) -> None:
    one = lab.declare("Config", "---\nrate : float64")
    assert one.full_key == ("_singleton",)
    assert one.heading.primary_key == []
    assert one.heading.names == ["rate"]
    child = lab.declare("Use", "-> Config\nuse : int32")
    assert child.heading.primary_key == ["use"]
    assert child.full_key == ("_singleton", "use")
    with pytest.raises(DefinitionError, match=r"'Config' has one row at most.*cannot be nullable"):
        lab.declare("Choice", "choice : int32\n---\n-> [nullable] Config")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a : int32\na : int32", "'a' is declared twice"),
        ("-> Subject\nsubject_id : int32", "'subject_id' is declared twice"),
        ('-> Subject.proj(q="species")', "'species' is not in the primary key"),
        ("a : int32\n---\nindex(b)", "unknown attribute 'b'"),
    ],
)
def test_what_cannot_be_declared_is_pointed_at(lab: Lab, text: str, problem: str) -> None:
    with pytest.raises(DefinitionError, match=problem):
        lab.declare("Wrong", text)


@pytest.mark.parametrize(
    "text",
    [
        "# comment\na : int32  # number\n---\nx = null : float64\nname = 'a' : varchar(9)",
        "-> Session\nn : int8\n---\n-> [nullable] Subject.proj(other='subject_id')\nindex(n)\nunique index(other, n)",
        "-> Subject.proj(first='subject_id')\n-> Subject.proj(second='subject_id')\n---\ncost : int32",
        "n : int32\n---\n-> [nullable, unique] Session",
        "---\nrate : float64",
        "-> Session\n---\n-> Subject.proj(watcher='subject_id')",
    ],
)
def test_a_structure_written_and_read_again_is_the_same(lab: Lab, text: str) -> None:
    before = lab.declare("Table", text)
    assert lab.declare("Table", lab.written("Table")) == before


# Parents whose keys overlap, so that references share attributes.
PARENTS = {
    **{"P": "p : int32", "Q": "q : int32", "R": "r : int32"},
    **{"PQ": "-> P\n-> Q", "QR": "-> Q\n-> R", "RP": "-> R\n-> P"},
}


@st.composite
def tables(draw: st.DrawFn) -> str:
    """A definition whose attributes are brought by references, by itself, or by both."""
    native = draw(st.lists(st.sampled_from("pqrxyz"), unique=True, max_size=4))
    lines = [f"{name}{draw(st.sampled_from(['', '=null']))} : int32" for name in native]
    for parent in draw(st.lists(st.sampled_from(list(PARENTS)), max_size=3)):
        new = draw(st.sampled_from(["", ".proj(u='{0}')", ".proj(x='{0}')"]))
        option = draw(st.sampled_from(["", "[nullable] ", "[unique] ", "[nullable, unique] "]))
        lines.append(f"-> {option}{parent}{new.format(parent[0].lower())}")
    lines.append("---")
    return "\n".join(draw(st.permutations(lines)))


@given(tables())
def test_any_mixture_of_references_written_and_read_again_is_the_same(text: str) -> None:
    lab = Lab()
    for name, definition in PARENTS.items():
        lab.declare(name, definition)
    try:
        before = lab.declare("Child", text)
    except DefinitionError:
        assume(False)
    # What refers to two different things at once has the lineage of the one declared first.
    assume(all(len(origins) == 1 for origins in lab.origins(before).values()))
    again = lab.declare("Child", lab.written("Child"))
    assert again.attributes == before.attributes
    assert sorted(again.foreign_keys, key=str) == sorted(before.foreign_keys, key=str)
