"""The vocabulary of types: what may stand after the colon.

| kind   | written                                   | means                                  |
|--------|-------------------------------------------|----------------------------------------|
| core   | `int32`, `varchar(100)`, `enum('a', 'b')` | the same on every backend              |
| codec  | `<blob>`, `<blob@>`, `<blob@raw>`         | a Python value, in the row or a store  |
| native | `int unsigned`, `longblob`                | passed to the database, with a warning |
"""

from __future__ import annotations

import re
from functools import lru_cache

from djupyter.definition.lexer import STRING
from djupyter.definition.model import TypeSpec
from djupyter.definition.native import NATIVE_TYPES, core_type_for, parse_native
from djupyter.errors import DefinitionError, nearest

CORE_TYPES = (
    *("int8", "int16", "int32", "int64", "float32", "float64", "decimal", "bool"),
    *("char", "varchar", "date", "datetime", "uuid", "json", "bytes", "enum"),
)
BUILT_IN_CODECS = ("blob", "attach", "hash", "npy", "object", "filepath")

_WITHOUT_PARAMETERS = {name: name for name in CORE_TYPES} | {"jsonb": "json"}
for _name in ("decimal", "char", "varchar", "datetime", "enum"):
    del _WITHOUT_PARAMETERS[_name]
_LONGEST = {"char": 255, "varchar": 65535}

# What people write who come from Python, NumPy or another database.
_MEANT = {
    "str": "varchar(n)",
    "string": "varchar(n)",
    "number": "float64",
    "long": "int64",
    "int24": "int32",
    "uint8": "int16",
    "uint16": "int32",
    "uint32": "int64",
    "uint64": "int64",
    "float16": "float32",
    "dict": "json",
    "list": "json",
    "array": "<blob>",
    "ndarray": "<blob>",
    "path": "<filepath@store>",
    "file": "<attach>",
    "datetime64": "datetime",
    "timestamptz": "datetime",
}

_WORD = re.compile(r"[\w@.]+|\S")
_SHAPE = re.compile(r"(?P<name>[a-z]\w*)(?:\s*\((?P<parameters>[^()'\"]*)\))?", re.ASCII)
_CODEC = re.compile(r"<\s*(?P<name>[A-Za-z_]\w*)(?:@(?P<store>[\w.-]*))?\s*>", re.ASCII)
_OLD_CODEC = re.compile(r"(?P<name>object|blob|attach|filepath)@(?P<store>[\w.-]*)", re.ASCII)
_VALUE = re.compile(rf"\s*(?P<value>{STRING})\s*(?P<then>[,)])", re.DOTALL)
_ENUM = re.compile(r"enum\s*\(")
_NUMBERS = re.compile(r"\s*\d{1,9}\s*(?:,\s*\d{1,9}\s*)*", re.ASCII)


class NativeTypeWarning(UserWarning):
    """A definition uses types that mean something else, or nothing, on another database."""


def parse_type(text: str) -> TypeSpec:
    """Return the type that a text stands for, in its normal form.

    Parameters
    ----------
    text
        What stands after the colon of a definition, without the comment.

    Raises
    ------
    DefinitionError
        The text is no type. Line 1 and the column count from the first character that is not blank.

    Examples
    --------
    >>> parse_type('enum( "M",  "F" )').text
    "enum('M','F')"
    >>> parse_type("decimal(6, 2)").arguments
    (6, 2)
    >>> parse_type("blob@raw")
    TypeSpec(text='<blob@raw>', kind='codec', name='blob', arguments=(), store='raw')
    >>> parse_type("varchar")
    Traceback (most recent call last):
    ...
    djupyter.errors.DefinitionError: varchar needs a length (line 1, column 1)
        1 | varchar
          | ^^^^^^^
        Write the greatest number of characters, for example `varchar(100)`.
    """
    return _parse(text.strip())


def unquote(string: str) -> str:
    """Return the text between quotes, where a doubled quote stands for one.

    >>> unquote("'it''s'")
    "it's"
    """
    quote = string[0]
    return string[1:-1].replace(quote * 2, quote)


# Definitions repeat a few types many times; parsing one costs as much as the rest of its line.
@lru_cache(maxsize=4096)
def _parse(text: str) -> TypeSpec:
    if text.startswith("<"):
        return _codec(text)
    if _ENUM.match(text):
        return _enum(text)
    shape = _SHAPE.fullmatch(text)
    spec = _core(text, shape) if shape else None
    spec = spec or parse_native(text) or _old_codec(text)
    if spec is None:
        raise _explained(text)
    return spec


def _core(text: str, shape: re.Match[str]) -> TypeSpec | None:
    """Return a core type, None when the text may still be a native one."""
    name, parameters = shape["name"], shape["parameters"]
    if name in _WITHOUT_PARAMETERS:
        if parameters is not None:
            raise _error(
                text,
                f"{name} takes no parameters",
                len(name),
                text[len(name) :],
                f"Write `{name}`.",
            )
        name = _WITHOUT_PARAMETERS[name]
        return TypeSpec(name, "core", name)
    if name == "datetime" and parameters is None:
        return TypeSpec(name, "core", name)
    if name == "decimal" and (parameters is None or "," not in parameters):
        return None
    if name not in _PARAMETERS:
        return None
    numbers: tuple[int, ...] = ()
    if parameters and _NUMBERS.fullmatch(parameters):
        numbers = tuple(int(number) for number in parameters.split(","))
    _PARAMETERS[name](text, name, numbers)
    return TypeSpec(f"{name}({','.join(map(str, numbers))})", "core", name, numbers)


def _check_length(text: str, name: str, numbers: tuple[int, ...]) -> None:
    longest = _LONGEST[name]
    if len(numbers) != 1:
        example = f"{name}({10 if name == 'char' else 100})"
        advice = f"Write the greatest number of characters, for example `{example}`."
        raise _error(text, f"{name} needs a length", 0, text, advice)
    if not 1 <= numbers[0] <= longest:
        longer = (
            " Use varchar for longer texts." if name == "char" else " Use <blob> for longer texts."
        )
        advice = f"{name} holds 1 to {longest} characters." + longer * (numbers[0] > longest)
        raise _error(text, f"the length {numbers[0]} is out of range", 0, text, advice)


def _check_decimal(text: str, name: str, numbers: tuple[int, ...]) -> None:
    # 65 and 30 are the limits of MySQL, the narrowest of the three databases.
    if len(numbers) != 2 or not 1 <= numbers[0] <= 65 or not numbers[1] <= min(numbers[0], 30):
        raise _error(
            text,
            f"the parameters of {name} are out of range",
            0,
            text,
            "Write the number of digits, 1 to 65, and how many of them stand after the point, at "
            "most 30: `decimal(6,2)` holds 1234.56.",
        )


def _check_datetime(text: str, name: str, numbers: tuple[int, ...]) -> None:
    if len(numbers) != 1 or numbers[0] > 6:
        advice = "Write the digits of a second, 0 to 6: `datetime(3)` keeps milliseconds."
        raise _error(text, f"the precision of {name} is out of range", 0, text, advice)


_PARAMETERS = {
    "char": _check_length,
    "varchar": _check_length,
    "decimal": _check_decimal,
    "datetime": _check_datetime,
}


def _codec(text: str) -> TypeSpec:
    match = _CODEC.fullmatch(text)
    if match:
        return _codec_spec(match)
    if ">" not in text:
        raise _error(
            text,
            "the bracket '<' is not closed",
            0,
            "<",
            "Write a codec as `<blob>` or `<blob@store>`.",
        )
    end = text.index(">") + 1
    if _CODEC.fullmatch(text[:end]):
        raise _trailing(text, end)
    advice = (
        "Write `<name>`, `<name@>` for the default store or `<name@store>`, for example `<blob>`."
    )
    raise _error(text, f"'{text[:end]}' is not a codec", 0, text[:end], advice)


def _old_codec(text: str) -> TypeSpec | None:
    match = _OLD_CODEC.fullmatch(text)
    return _codec_spec(match) if match else None


def _codec_spec(match: re.Match[str]) -> TypeSpec:
    name, store = match["name"], match["store"]
    text = f"<{name}>" if store is None else f"<{name}@{store}>"
    return TypeSpec(text, "codec", name, store=store)


def _enum(text: str) -> TypeSpec:
    values: dict[str, None] = {}
    position = text.index("(") + 1
    while True:
        match = _VALUE.match(text, position)
        if not match:
            raise _bad_enum(text, position)
        value = unquote(match["value"])
        if value in values:
            at = match.start("value")
            raise _error(
                text, "the enum has a value twice", at, match["value"], "Remove one of them."
            )
        values[value] = None
        position = match.end()
        if match["then"] == ")":
            break
    if text[position:].strip():
        raise _trailing(text, position)
    quoted = ",".join("'" + value.replace("'", "''") + "'" for value in values)
    return TypeSpec(f"enum({quoted})", "core", "enum", tuple(values))


def _bad_enum(text: str, position: int) -> DefinitionError:
    match = re.compile(rf"\s*(?:{STRING})?\s*", re.DOTALL).match(text, position)
    at = match.end() if match else position
    if at >= len(text):
        return _error(
            text, "the bracket '(' is not closed", text.index("("), "(", "Write `enum('M', 'F')`."
        )
    word = re.compile(r"[^\s,)]+|.", re.DOTALL).match(text, at)
    advice = "Quote each value and put commas between them: `enum('M', 'F')`."
    found = word[0] if word else text[at]
    return _error(text, f"a quoted value is expected, not '{found}'", at, found, advice)


def _explained(text: str) -> DefinitionError:
    """Return the error for a text that is no type."""
    if not text:
        return _error(text, "a type is missing", 0, "", _known())
    if text.count("(") > text.count(")"):
        at = text.rindex("(")
        return _error(text, "the bracket '(' is not closed", at, "(", f"Write `{text})`.")
    shape = _SHAPE.match(text)
    if shape and shape.end() < len(text) and _is_type(shape[0]):
        return _trailing(text, shape.end())
    match = _WORD.match(text)
    word = match[0] if match else text
    return _error(text, f"unknown type '{word}'", 0, word, _known(word))


def _is_type(text: str) -> bool:
    try:
        return bool(_parse(text))
    except DefinitionError:
        return False


def _trailing(text: str, end: int) -> DefinitionError:
    """Return the error for something that follows a type, as a forgotten comment sign does."""
    kind, rest = text[:end].strip(), text[end:].strip()
    at = text.index(rest, end)
    if rest.startswith("="):
        default = rest.lstrip("= ")
        advice = f"Write `name = {default} : {kind}`."
        return _error(text, "the default stands before the colon", at, rest, advice)
    advice = f"A comment begins with '#': `{kind}  # {rest.lstrip(': ')}`."
    return _error(text, f"unexpected text after the type {kind}", at, rest, advice)


def _known(word: str = "") -> str:
    """Return the nearest type and the list of types."""
    meant = _meant(word)
    if meant:
        near = f"Did you mean {meant}?"
    else:
        # nearest() quotes names for prose; here the word stands in a list of bare ones.
        near = nearest(word[:64], [*NATIVE_TYPES, *CORE_TYPES]).replace("`", "")
    return f"{near}  Types: {' '.join(CORE_TYPES)} <codec>".strip()


def _meant(word: str) -> str:
    """Return the type that a wrong word certainly stands for, empty when one can only guess."""
    name, at, _ = word.partition("@")
    if name in BUILT_IN_CODECS:
        # An object never lies in the row.
        return f"<{word}@>" if name == "object" and not at else f"<{word}>"
    native = parse_native(word.lower())
    return core_type_for(native) if native else _MEANT.get(word.lower(), "")


def _error(text: str, problem: str, at: int, marked: str, advice: str) -> DefinitionError:
    return DefinitionError(problem, 1, at + 1, text, len(marked), advice)
