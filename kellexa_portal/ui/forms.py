"""How Django draws a form here: its own field template, from the same engine as the pages."""

from __future__ import annotations

from django.forms.renderers import TemplatesSetting


class PortalFormRenderer(TemplatesSetting):
    """Draws ``{{ form.email.as_field_group }}`` with label, help and errors wired to the input."""

    form_template_name = "ui/forms/form.html"
    field_template_name = "ui/forms/field.html"
