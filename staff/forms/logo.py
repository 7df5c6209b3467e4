"""Upload of an organisation's logo."""

from __future__ import annotations

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from coconut.web.uploads import LARGEST_FILE
from staff.branding.images import InvalidImage, small_png
from staff.branding.logos import save_logo
from staff.models import Organization


class LogoForm(forms.Form):
    """An image file. It is stored as a small PNG."""

    logo = forms.FileField(
        label=_("Image"),
        help_text=_("A PNG, JPEG or WebP image of at most 1 MB. It is shown at most 300 pixels wide and 100 high."),
        error_messages={
            "required": _("Choose an image first."),
            "empty": _("This file is empty. Choose another file."),
        },
        widget=forms.FileInput({"accept": "image/png,image/jpeg,image/webp"}),
    )

    def clean_logo(self) -> bytes:
        """Return the PNG to store."""
        file: UploadedFile[bytes] = self.cleaned_data["logo"]
        if (file.size or 0) > LARGEST_FILE:
            raise forms.ValidationError(gettext("This file is larger than 1 MB. Choose a smaller image."))
        try:
            return small_png(file.read())
        except InvalidImage as error:
            raise forms.ValidationError(str(error)) from None

    def save(self, organization: Organization) -> None:
        """Store the image as the logo of the organisation."""
        save_logo(organization, self.cleaned_data["logo"])
