"""Error pages and error mails: names of what was there, never the secret itself, in development too."""

from __future__ import annotations

from types import FrameType
from typing import Any

from django.conf import settings
from django.http import HttpRequest, QueryDict
from django.utils.datastructures import MultiValueDict
from django.utils.safestring import SafeString
from django.views.debug import ExceptionReporter, SafeExceptionReporterFilter

from .patterns import redact
from .values import is_sensitive, redact_value


class PortalExceptionReporterFilter(SafeExceptionReporterFilter):
    """Active with ``DEBUG`` as well: a debug page that is reached by mistake gives no secret away.

    Everything posted is hidden, whatever its name. Outside ``DEBUG`` every local variable is hidden.
    """

    def is_active(self, request: HttpRequest | None) -> bool:
        return True

    def cleanse_setting(self, key: str | int, value: Any) -> Any:
        if is_sensitive(key):
            return self.cleansed_substitute
        cleansed = super().cleanse_setting(key, value)
        return redact_value(cleansed) if isinstance(cleansed, str | bytes) else cleansed

    def get_safe_cookies(self, request: HttpRequest) -> dict[str, Any]:
        return dict.fromkeys(getattr(request, "COOKIES", {}), self.cleansed_substitute)

    def get_post_parameters(self, request: HttpRequest | None) -> MultiValueDict[str, object]:
        if request is None:
            return MultiValueDict()
        return MultiValueDict({name: [self.cleansed_substitute] for name in request.POST})

    def get_cleansed_multivaluedict(self, request: HttpRequest, multivaluedict: QueryDict) -> QueryDict:
        cleansed = multivaluedict.copy()
        for name in cleansed:
            cleansed[name] = self.cleansed_substitute
        return cleansed

    def get_traceback_frame_variables(self, request: HttpRequest | None, tb_frame: FrameType) -> Any:
        if not settings.DEBUG:
            return dict.fromkeys(tb_frame.f_locals, self.cleansed_substitute).items()
        variables = super().get_traceback_frame_variables(request, tb_frame)
        return [(name, self._variable(name, value)) for name, value in variables]

    def _variable(self, name: str, value: Any) -> Any:
        if is_sensitive(name):
            return self.cleansed_substitute
        return redact_value(value)


class PortalExceptionReporter(ExceptionReporter):
    """Cleans what no filter sees: query parameters, the address, the exception's own words."""

    def get_traceback_data(self) -> dict[str, Any]:
        data = super().get_traceback_data()
        for name in ("exception_value", "exception_notes", "request_insecure_uri", "unicode_hint"):
            if data.get(name):
                data[name] = redact(str(data[name]))
        if self.request is not None:
            data["request_GET_items"] = redact_value(_flat(self.request.GET)).items()
        return data

    def get_traceback_html(self) -> SafeString:
        return SafeString(redact(super().get_traceback_html()))

    def get_traceback_text(self) -> SafeString:
        return SafeString(redact(super().get_traceback_text()))


def _flat(query: QueryDict) -> dict[str, Any]:
    return dict(query.items())
