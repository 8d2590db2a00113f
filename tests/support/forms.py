"""Reads the forms of a page as a browser does."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

from django.http import HttpResponse

CSRF = "csrfmiddlewaretoken"


@dataclass(slots=True)
class Form:
    """One form: where it sends what, and the type of each of its fields."""

    method: str
    action: str
    fields: dict[str, str] = field(default_factory=dict)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given: dict[str, Any] = dict(attrs)
        if tag == "form":
            self.forms.append(Form(str(given.get("method") or "get").lower(), str(given.get("action") or "")))
        elif self.forms and tag in {"input", "select", "textarea"} and given.get("name") not in {None, CSRF}:
            self.forms[-1].fields[given["name"]] = str(given.get("type") or tag)


def forms_of(response: HttpResponse) -> list[Form]:
    """Every form of the page, in its order."""
    reader = _Reader()
    reader.feed(response.content.decode())
    return reader.forms


def own_form_of(response: HttpResponse) -> Form | None:
    """The form with fields that the page posts to its own address; ``None`` where it has none."""
    found = [form for form in forms_of(response) if form.method == "post" and not form.action and form.fields]
    return found[0] if found else None
