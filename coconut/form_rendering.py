"""How forms look: one template for every field, and the classes that Tabler expects on the controls."""

from __future__ import annotations

from typing import Any

from django.forms import BoundField, Widget
from django.forms.renderers import TemplatesSetting
from django.forms.widgets import CheckboxInput, CheckboxSelectMultiple, RadioSelect, Select

_CHOICES = (CheckboxInput, CheckboxSelectMultiple, RadioSelect)


class StyledField(BoundField):
    """A field whose control carries the classes of the design; a class of the widget's own stays."""

    def build_widget_attrs(self, attrs: dict[str, Any], widget: Widget | None = None) -> dict[str, Any]:
        """The attributes of the control."""
        built = super().build_widget_attrs(attrs, widget)
        used = widget or self.field.widget
        classes = [used.attrs.get("class", ""), _class_for(used), "is-invalid" if self.errors else ""]
        built["class"] = " ".join(name for name in classes if name)
        return built


class FormRenderer(TemplatesSetting):
    """The FORM_RENDERER of the settings."""

    field_template_name = "forms/field.html"
    bound_field_class = StyledField


def _class_for(widget: Widget) -> str:
    if isinstance(widget, _CHOICES):
        return "form-check-input"
    return "form-select" if isinstance(widget, Select) else "form-control"
