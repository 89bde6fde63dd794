"""The exceptions of Frappe that callers see, with the HTTP status each one answers with."""


class ValidationError(Exception):
    http_status_code = 417


class AuthenticationError(Exception):
    http_status_code = 401


class SessionExpired(Exception):
    http_status_code = 401


class InvalidAuthorizationToken(AuthenticationError):
    pass


class PermissionError(Exception):
    http_status_code = 403


class DoesNotExistError(ValidationError):
    http_status_code = 404


class PageDoesNotExistError(ValidationError):
    http_status_code = 404


class NameError(Exception):
    http_status_code = 409


class DuplicateEntryError(NameError):
    pass


class OutgoingEmailError(Exception):
    http_status_code = 501


class SessionStopped(Exception):
    http_status_code = 503


class InReadOnlyMode(ValidationError):
    http_status_code = 503


class TooManyRequestsError(Exception):
    http_status_code = 429


class IncorrectSitePath(Exception):
    http_status_code = 404


class UnsupportedMediaType(Exception):
    http_status_code = 415


class SecurityException(Exception):
    http_status_code = 417


class ImproperDBConfigurationError(Exception):
    pass


class SiteNotSpecifiedError(Exception):
    pass


class AppNotInstalledError(ValidationError):
    pass


class SiteMigrationError(ValidationError):
    pass


class LockTimeoutError(Exception):
    http_status_code = 417


class TimestampMismatchError(ValidationError):
    pass


class MandatoryError(ValidationError):
    pass


class LinkValidationError(ValidationError):
    pass


class LinkExistsError(ValidationError):
    pass


class UniqueValidationError(ValidationError):
    pass


class DataError(ValidationError):
    pass


class CharacterLengthExceededError(ValidationError):
    pass


class InvalidEmailAddressError(ValidationError):
    pass


class InvalidNameError(ValidationError):
    pass


class CannotChangeConstantError(ValidationError):
    pass


class DoctypeNotFound(DoesNotExistError):
    pass
