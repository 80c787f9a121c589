"""The accounts extra: second factors, passkeys and OpenID Connect by django-allauth. Only where `ACCOUNTS=allauth`."""
