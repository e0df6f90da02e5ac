import { format } from "node:util";

const LEVELS = { trace: "TRACE", debug: "DEBUG", info: "INFO", log: "INFO", warn: "WARN", error: "ERROR" };
let requestId;

/** Sets the request ID for the following lines. */
export function setRequestId(id) {
  requestId = id;
}

/** Makes the console write lines like Lambda's: time, request ID, level and message, separated by tabs. */
export function patchConsole() {
  for (const [method, level] of Object.entries(LEVELS)) {
    console[method] = (...parts) => write(level, format(...parts));
  }
  console.fatal = (...parts) => write("FATAL", format(...parts));
}

/** Writes an error that ended an invocation or the init phase, as one line of JSON. */
export function logError(message, error) {
  const isError = error instanceof Error;
  const details = isError
    ? {
        errorType: error.name,
        errorMessage: error.message,
        ...error,
        stack: (error.stack ?? "").split("\n"),
      }
    : { errorType: typeof error, errorMessage: String(error), stack: [] };
  write("ERROR", `${message} \t${JSON.stringify(details)}`);
}

function write(level, text) {
  process.stdout.write(`${new Date().toISOString()}\t${requestId}\t${level}\t${text}\n`);
}
