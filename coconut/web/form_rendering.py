"""Form rendering: one template for all fields, and Tabler's classes on the controls."""

from __future__ import annotations

from typing import Any

from django.forms import BoundField, Widget
from django.forms.renderers import TemplatesSetting
from django.forms.widgets import CheckboxInput, CheckboxSelectMultiple, RadioSelect, Select

_CHOICES = (CheckboxInput, CheckboxSelectMultiple, RadioSelect)


class StyledField(BoundField):
    """A field whose control has Tabler's classes, in addition to those of its widget."""

    def build_widget_attrs(self, attrs: dict[str, Any], widget: Widget | None = None) -> dict[str, Any]:
        built = super().build_widget_attrs(attrs, widget)
        used = widget or self.field.widget
        classes = [used.attrs.get("class", ""), _class_for(used), "is-invalid" if self.errors else ""]
        built["class"] = " ".join(name for name in classes if name)
        return built


class FormRenderer(TemplatesSetting):
    """Renderer for FORM_RENDERER."""

    field_template_name = "forms/field.html"
    bound_field_class = StyledField


def _class_for(widget: Widget) -> str:
    if isinstance(widget, _CHOICES):
        return "form-check-input"
    return "form-select" if isinstance(widget, Select) else "form-control"
