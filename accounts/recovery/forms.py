"""What staff write when they ask for a recovery."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.identity.models import User
from accounts.identity.queries import account_of
from accounts.identity.rules import MAX_EMAIL_LENGTH
from accounts.recovery import rules


class StartForm(forms.Form):
    """Whose account, and how the person was recognised; never a password, a link or another address."""

    email = forms.CharField(
        label=_("Email"),
        max_length=MAX_EMAIL_LENGTH,
        help_text=_("The address of the account. It is the only one that the link is mailed to."),
        widget=forms.EmailInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    evidence = forms.CharField(
        label=_("How the person was recognised"),
        min_length=rules.MIN_EVIDENCE,
        max_length=rules.MAX_EVIDENCE,
        help_text=_(
            "What you asked, whom you called at which number, what matched. Both approvers read it. No "
            "passwords, no codes, no copies of documents."
        ),
        widget=forms.Textarea(attrs={"rows": 6}),
    )

    user: User

    def clean_email(self) -> str:
        """The account, whose address it is however it is typed."""
        found = account_of(self.cleaned_data["email"])
        if found is None:
            raise forms.ValidationError(_("No account has this address."))
        self.user = found
        return found.email
