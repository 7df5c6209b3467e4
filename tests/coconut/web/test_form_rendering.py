"""Form rendering."""

from __future__ import annotations

from django import forms


class Example(forms.Form):
    name = forms.CharField(help_text="As on the passport.")
    kind = forms.ChoiceField(choices=[("a", "A"), ("b", "B")])
    agreed = forms.BooleanField(required=False)


def test_controls_have_the_classes_of_the_design():
    form = Example()

    classes = {name: form[name].build_widget_attrs({})["class"] for name in form.fields}

    assert classes == {"name": "form-control", "kind": "form-select", "agreed": "form-check-input"}


def test_an_error_is_next_to_its_field_and_the_input_stays():
    form = Example({"name": "", "kind": "b"})

    name, kind = form["name"].as_field_group(), form["kind"].as_field_group()

    assert "This field is required." in name
    assert 'aria-describedby="id_name_helptext id_name_error"' in name
    assert 'aria-invalid="true"' in name
    assert '<option value="b" selected>' in kind
