"""A university: people, departments, terms, courses, sections, enrolment and grades.

Small, but with every kind of dependency: keys of several attributes, a renamed and a nullable
reference, two routes to one ancestor, parts, a lookup with contents.
"""

from __future__ import annotations

from types import SimpleNamespace

import djupyter as dj


def declare(schema: dj.Schema) -> SimpleNamespace:
    """Declare the tables in a schema and return their classes."""

    @schema
    class Department(dj.Lookup):
        definition = """
        # where people teach
        dept : varchar(6)
        ---
        dept_name : varchar(40)
        """
        contents = (("BIOL", "Life Science"), ("MATH", "Mathematics"))

    @schema
    class Student(dj.Manual):
        definition = """
        student_id : int32      # number in the register
        ---
        name : varchar(40)
        sex = 'U' : enum('F', 'M', 'U')
        born = null : date
        """

    @schema
    class StudentMajor(dj.Manual):
        definition = """
        -> Student
        ---
        -> Department
        declared_on : date
        -> [nullable] Student.proj(mentor="student_id")
        """

    @schema
    class Course(dj.Manual):
        definition = """
        -> Department
        course : int16
        ---
        title : varchar(60)
        unique index (title)
        """

    @schema
    class Section(dj.Manual):
        definition = """
        -> Course
        section : varchar(2)
        ---
        room = null : varchar(8)
        """

        class Meeting(dj.Part):
            definition = """
            -> master
            weekday : enum('Mo', 'Tu', 'We', 'Th', 'Fr')
            """

    @schema
    class Enroll(dj.Manual):
        definition = """
        -> Student
        -> Section
        """

    @schema
    class Grade(dj.Manual):
        definition = """
        -> Enroll
        ---
        grade : decimal(3,2)
        """

    found = locals()
    return SimpleNamespace(**{name: cls for name, cls in found.items() if name != "schema"})


def fill(tables: SimpleNamespace) -> None:
    """Insert three students, two courses with a section each, and who takes them."""
    tables.Student.insert(
        [(1, "Ada", "F", "1990-01-02"), (2, "Bo", "M", None), (3, "Cy", "U", None)]
    )
    tables.StudentMajor.insert(
        [
            (1, "MATH", "2020-01-01", None),
            (2, "BIOL", "2020-01-01", 1),
            (3, "MATH", "2020-01-01", 1),
        ]
    )
    tables.Course.insert([("MATH", 1, "Calculus"), ("BIOL", 1, "Cells")])
    tables.Section.insert([("MATH", 1, "a", "R1"), ("BIOL", 1, "a", None)])
    tables.Section.Meeting.insert(
        [("MATH", 1, "a", "Mo"), ("MATH", 1, "a", "We"), ("BIOL", 1, "a", "Tu")]
    )
    tables.Enroll.insert(
        {"student_id": student, "dept": dept, "course": 1, "section": "a"}
        for student, dept in [(1, "MATH"), (1, "BIOL"), (2, "MATH"), (3, "BIOL")]
    )
    tables.Grade.insert(
        {"student_id": student, "dept": "MATH", "course": 1, "section": "a", "grade": grade}
        for student, grade in [(1, "3.67"), (2, "2.00")]
    )
