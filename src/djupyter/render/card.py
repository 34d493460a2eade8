"""A table at a glance, as text and as HTML: what a `%%dj_table` cell shows."""

from __future__ import annotations

from urllib.parse import quote

from djupyter.render.characters import visible
from djupyter.render.html import scrolled
from djupyter.render.markup import Html, caption, escape, join, output, prose, tag, tier_class
from djupyter.render.neighbourhood import describe, neighbourhood
from djupyter.render.preview import Card, CardAttribute, CardLink
from djupyter.render.text import aligned, count_text


def card_text(card: Card) -> str:
    """Return a table's card as aligned text.

    Examples
    --------
    >>> key = CardAttribute("mouse", "int32", in_key=True, comment="ear tag")
    >>> print(card_text(Card("lab", "Mouse", "Manual", "Mice", (key,), rows=3, note="Declared.")))
    lab.Mouse : Manual, 3 rows
    # Mice
    * mouse  int32  # ear tag
    Declared.
    """
    count = "" if card.rows is None else f", {count_text(card.rows, card.rows_bounded)}"
    lines = [f"{card.schema}.{card.name} : {card.tier or 'table'}{count}"]
    lines += [f"# {card.comment}"] if card.comment else []
    lines += _attribute_lines(card)
    lines += [f"-> {_link_text(link)}" for link in card.parents]
    lines += [f"<- {_link_text(link)}" for link in card.children]
    lines += card.indexes
    lines += [card.note] if card.note else []
    return "\n".join(visible(line) for line in lines)


def card_html(card: Card) -> str:
    """Return a table's card as HTML.

    The card can be linked to as `#dj-table-SCHEMA.NAME`; its foreign keys link to the cards of
    their tables.

    Examples
    --------
    >>> "dj-tier-manual" in card_html(Card("lab", "Mouse", "Manual", "Mice", ()))
    True
    """
    count = "" if card.rows is None else count_text(card.rows, card.rows_bounded)
    schema = tag("span", card.schema, class_="dj-muted", title="schema")
    end = tag("span", count, class_="dj-end") if count else ""
    links = [_link_html(link, card.schema) for link in card.parents]
    diagram = neighbourhood(card)
    inside = [
        caption(card.name, card.tier, schema, end),
        _paragraph(escape(card.comment), "dj-about"),
        tag("div", _attribute_table(card), diagram, class_="dj-body"),
        _paragraph(join(links), "dj-links"),
        _paragraph(join((tag("code", index) for index in card.indexes), " "), "dj-links"),
        _paragraph(prose(card.note), "dj-note"),
    ]
    return output(
        tag("div", *inside, class_=f"dj-card {tier_class(card.tier)}"),
        styles=("table", "card"),
        id_=_anchor(card.name, card.schema),
    )


def _attribute_lines(card: Card) -> list[str]:
    rows = [
        [
            f"{'*' if attribute.in_key else ' '} {visible(attribute.name)}",
            f"{visible(attribute.type)}{_default_text(attribute)}",
            f"-> {visible(attribute.parent)}" if attribute.parent else "",
            f"# {visible(attribute.comment)}" if attribute.comment else "",
        ]
        for attribute in card.attributes
    ]
    used = [place for place in range(4) if any(row[place] for row in rows)]
    return aligned([[row[place] for place in used] for row in rows])


def _default_text(attribute: CardAttribute) -> str:
    default = visible(attribute.default) or ("null" if attribute.nullable else "")
    return f" = {default}" if default else ""


def _link_text(link: CardLink) -> str:
    return f"{visible(link.name)} ({visible(describe(link))})"


def _attribute_table(card: Card) -> Html:
    if not card.attributes:
        return tag("span", "no attributes, at most one row", class_="dj-muted")
    tiers = {link.name: link.tier for link in card.parents}
    rows = [
        [
            _attribute_name(attribute),
            _attribute_type(attribute, tiers.get(attribute.parent), card.schema),
            _attribute_default(attribute),
            escape(attribute.comment),
        ]
        for attribute in card.attributes
    ]
    used = [place for place in range(4) if any(row[place] for row in rows)]
    heads = ("attribute", "type", "default", "comment")
    head = [tag("th", heads[place], scope="col") for place in used]
    rules = _rules(card.attributes)
    body = [
        tag("tr", *(_attribute_cell(row[place], place, rule) for place in used))
        for row, rule in zip(rows, rules, strict=True)
    ]
    table = tag("table", tag("thead", tag("tr", *head)), tag("tbody", *body), class_="dj-table")
    return scrolled(table, f"attributes of {card.name}")


def _rules(attributes: tuple[CardAttribute, ...]) -> list[str]:
    # Class of each row: a line under the last key attribute stands for the `---` of the definition.
    keys = [attribute.in_key for attribute in attributes]
    return [
        "dj-last" if in_key and place + 1 < len(keys) and not any(keys[place + 1 :]) else ""
        for place, in_key in enumerate(keys)
    ]


def _attribute_cell(content: Html, place: int, rule: str) -> Html:
    if place == 0:
        return tag("th", content, class_=rule, scope="row")
    return tag("td", content, class_=f"{'dj-wrap' if place == 3 else ''} {rule}".strip())


def _attribute_name(attribute: CardAttribute) -> Html:
    if attribute.in_key:
        return tag("span", attribute.name, class_="dj-key", title="primary key")
    return escape(attribute.name)


def _attribute_type(attribute: CardAttribute, tier: str | None, schema: str) -> Html:
    name = tag("span", attribute.type, class_="dj-mono")
    if not attribute.parent:
        return name
    return join([name, _chip(attribute.parent, tier, schema, "comes from this table")], " ")


def _attribute_default(attribute: CardAttribute) -> Html:
    default = attribute.default or ("NULL" if attribute.nullable else "")
    return tag("span", default, class_="dj-default dj-mono") if default else Html("")


def _link_html(link: CardLink, schema: str) -> Html:
    renames = [f"{here} = {there}" for here, there in link.renames]
    options = ["nullable"] * link.nullable + ["unique"] * link.unique
    return tag(
        "span",
        _chip(link.name, link.tier, schema, describe(link)),
        *(tag("span", f" {text}", class_="dj-renamed") for text in renames),
        *(tag("span", f" {text}", class_="dj-muted") for text in options),
    )


def _chip(name: str, tier: str | None, schema: str, title: str) -> Html:
    return tag(
        "a",
        f"→ {name}",
        class_=f"dj-chip {tier_class(tier)}",
        href=f"#{quote(_anchor(name, schema))}",
        title=title,
    )


def _anchor(name: str, schema: str) -> str:
    # The name of a table elsewhere begins with its schema, and that with a small letter.
    qualified = name if name[:1].islower() and "." in name else f"{schema}.{name}"
    return f"dj-table-{visible(qualified, 200)}"


def _paragraph(content: Html, name: str) -> Html:
    return tag("div", content, class_=name) if content else Html("")
