// A whole Lambda runtime in one file: asks for the next event, answers it, for ever. Lambda's address is an IPv4 one.
#include <arpa/inet.h>
#include <cstdlib>
#include <string>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

static std::string api = std::getenv("AWS_LAMBDA_RUNTIME_API");

/** Sends a request, and returns what comes back: headers, an empty line and the body. */
static std::string ask(const std::string &method, const std::string &path, const std::string &body) {
  const size_t colon = api.find(':');
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(std::stoi(api.substr(colon + 1)));
  inet_pton(AF_INET, api.substr(0, colon).c_str(), &address.sin_addr);
  const int peer = socket(AF_INET, SOCK_STREAM, 0);
  if (connect(peer, reinterpret_cast<sockaddr *>(&address), sizeof address) != 0) std::exit(1);
  const std::string request = method + " /2018-06-01/runtime/invocation/" + path + " HTTP/1.0\r\nhost: " + api +
                              "\r\ncontent-length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  for (size_t sent = 0; sent < request.size();) sent += write(peer, request.data() + sent, request.size() - sent);
  std::string answer;
  char piece[4096];
  for (ssize_t got; (got = read(peer, piece, sizeof piece)) > 0;) answer.append(piece, got);
  close(peer);
  return answer;
}

static std::string header(const std::string &answer, const std::string &name) {
  for (size_t at = 0; (at = answer.find("\r\n", at)) != std::string::npos; at += 2)
    if (strncasecmp(answer.c_str() + at + 2, (name + ": ").c_str(), name.size() + 2) == 0)
      return answer.substr(at + name.size() + 4, answer.find("\r\n", at + 2) - at - name.size() - 4);
  return "";
}

int main() {
  const std::string handler = std::getenv("_HANDLER");
  while (true) {
    const std::string next = ask("GET", "next", "");
    const std::string event = next.substr(next.find("\r\n\r\n") + 4);
    const std::string answer = "{\"compiled\":true,\"handler\":\"" + handler + "\",\"event\":" + event + "}";
    ask("POST", header(next, "lambda-runtime-aws-request-id") + "/response", answer);
  }
}
