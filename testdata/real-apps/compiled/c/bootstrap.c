/* A Lambda function in C with no client library: it asks the Runtime API for events and returns them. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char answer[65536];

/* Sends one request and stores the whole answer, with its headers, in `answer`. */
static void ask(const char *method, const char *path, const char *body) {
  const char *api = getenv("AWS_LAMBDA_RUNTIME_API");
  const char *colon = strchr(api, ':');
  char host[64];
  snprintf(host, sizeof host, "%.*s", (int)(colon - api), api);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(atoi(colon + 1))};
  inet_pton(AF_INET, host, &address.sin_addr);
  const int peer = socket(AF_INET, SOCK_STREAM, 0);
  if (connect(peer, (struct sockaddr *)&address, sizeof address) != 0) exit(1);
  dprintf(peer, "%s /2018-06-01/runtime/invocation/%s HTTP/1.0\r\nhost: %s\r\ncontent-length: %zu\r\n\r\n%s",
          method, path, api, strlen(body), body);
  size_t length = 0;
  for (ssize_t got; (got = read(peer, answer + length, sizeof answer - 1 - length)) > 0;) length += got;
  answer[length] = '\0';
  close(peer);
}

int main(void) {
  for (;;) {
    ask("GET", "next", "");
    const char *header = strcasestr(answer, "lambda-runtime-aws-request-id: ");
    const char *event = strstr(answer, "\r\n\r\n");
    if (header == NULL || event == NULL) return 1;
    char path[128], body[4096];
    snprintf(path, sizeof path, "%.36s/response", header + strlen("lambda-runtime-aws-request-id: "));
    snprintf(body, sizeof body, "{\"compiled\":true,\"event\":%.4000s}", event + 4);
    ask("POST", path, body);
  }
}
