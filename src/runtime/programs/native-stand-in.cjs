// Replaces the native part of aws-lambda-ric (rapid-client.node), which has to be compiled, by three calls over HTTP.
// Loaded with `node --require` before aws-lambda-ric.
const Module = require("node:module");
const http = require("node:http");

// In an image CMD is the handler and WORKDIR its directory; aws-lambda-ric 4 reads both from the environment.
process.env._HANDLER ??= process.argv[2];
process.env.LAMBDA_TASK_ROOT ??= process.cwd();

const PREFIX = "/2018-06-01/runtime/invocation";
const [hostname, port] = (process.env.AWS_LAMBDA_RUNTIME_API ?? "").split(":");
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
const userAgent = { "user-agent": "aws-lambda-ric" };

function send(method, path, body, headers) {
  return new Promise((resolve, reject) => {
    const options = {
      hostname,
      port,
      method,
      path: PREFIX + path,
      agent,
      headers: { ...userAgent, ...headers },
    };
    const request = http.request(options, (response) => {
      const chunks = [];
      response.on("data", (chunk) => chunks.push(chunk));
      response.on("end", () =>
        resolve({ bodyJson: Buffer.concat(chunks).toString(), headers: response.headers }),
      );
    });
    request.on("error", reject);
    request.end(body);
  });
}

// The client does not wait until its response is sent, so the request for the next event does.
let sent = Promise.resolve();

// The native part has sent an error when its call returns; version 3 of the client then ends the process.
let unsentErrors = 0;
const { exit } = process;
process.exit = (status) => {
  if (unsentErrors === 0) exit.call(process, status);
  void sent.finally(() => exit.call(process, status));
};

const client = {
  initializeClient() {},
  async next() {
    await sent;
    return send("GET", "/next");
  },
  done(id, body) {
    sent = send("POST", `/${id}/response`, body, { "content-type": "application/json" });
    return sent;
  },
  error(id, body, cause) {
    const headers = {
      "content-type": "application/json",
      "lambda-runtime-function-xray-error-cause": cause,
    };
    unsentErrors++;
    sent = send("POST", `/${id}/error`, body, headers).finally(() => {
      unsentErrors--;
    });
    return sent;
  },
};

const load = Module._load;
Module._load = function (request, ...rest) {
  return String(request).endsWith("rapid-client.node") ? client : load.call(this, request, ...rest);
};
