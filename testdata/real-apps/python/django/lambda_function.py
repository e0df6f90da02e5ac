"""A Django project in one file, behind a function URL."""

import io
import json

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import JsonResponse
from django.urls import path

settings.configure(ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__, SECRET_KEY="not-a-secret")

urlpatterns = [path("orders/<int:id>", lambda request, id: JsonResponse({"framework": "django", "path": request.path}))]

application = get_wsgi_application()


def handler(event, context):
    body = (event.get("body") or "").encode()
    environ = {
        "REQUEST_METHOD": event["requestContext"]["http"]["method"],
        "PATH_INFO": event["rawPath"],
        "QUERY_STRING": event["rawQueryString"],
        "SERVER_NAME": "lambda",
        "SERVER_PORT": "443",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": io.StringIO(),
        "wsgi.url_scheme": "https",
    }
    answer = {}

    def start(status, headers):
        answer.update(statusCode=int(status.split()[0]), headers=dict(headers))

    answer["body"] = b"".join(application(environ, start)).decode()
    return answer
